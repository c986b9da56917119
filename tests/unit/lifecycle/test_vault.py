"""Which bucket a stack's backups are in, and that what is pruned is this stack's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.aws.buckets import BucketState
from orchestrator.lifecycle import pruned
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.lifecycle.vault import Vault, chosen
from tests.unit.lifecycle.foreign_doubles import Snapshots
from tests.unit.lifecycle.foreign_world import World, ran
from tests.unit.lifecycle.test_manifest import PART

ACCOUNT = "123456789012"
OLD = "onyx-prod-backups-123456789012"


@pytest.mark.parametrize(
    ("known", "bucket"),
    [
        ([], f"{OLD}-0123abcd"),
        ([f"{OLD}-aaaaaaaa"], f"{OLD}-aaaaaaaa"),
        ([OLD], OLD),
        ([f"{OLD}-aaaaaaaa", OLD], OLD),
        ([f"{OLD}-2", f"{OLD}-aaaaaaaa-2", "onyx-prod-2-backups-123456789012"], f"{OLD}-0123abcd"),
    ],
    ids=["a-new-one", "found", "of-0.1.0", "of-0.1.0-first", "of-others"],
)
def test_the_bucket(known: list[str], bucket: str) -> None:
    assert chosen(known, "onyx-prod", ACCOUNT, "0123abcd") == bucket


class Store:
    """Manifests by their ids, and what is deleted."""

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self.texts = {one.key: one.sealed().text() for one in manifests}
        self.deleted: list[str] = []

    def state(self, _bucket: str) -> BucketState:
        return BucketState(there=True)

    def prefixes(self, _bucket: str) -> tuple[str, ...]:
        return tuple(sorted({f"{key.partition('/')[0]}/" for key in self.texts}))

    def read(self, _bucket: str, key: str) -> str | None:
        return self.texts.get(key)

    def versions(self, _bucket: str, prefix: str = "") -> Iterator[tuple[str, str]]:
        yield from ((key, "1") for key in list(self.texts) if key.startswith(prefix))

    def delete(self, _bucket: str, wanted: Iterable[tuple[str, str]]) -> int:
        for key, _ in list(wanted):
            self.deleted.append(key)
            self.texts.pop(key)
        return 0


class Keys:
    def __init__(self, tags: Mapping[str, Mapping[str, str]]) -> None:
        self.tags = tags
        self.gone: list[str] = []

    def bears(self, kept: str, tags: Mapping[str, str]) -> bool:
        return tags.items() <= self.tags.get(kept, {}).items()

    def forget(self, kept: str) -> None:
        self.gone.append(kept)


def of(stack: str, backup: str, keys: Iterable[str] = ()) -> Manifest:
    key = [{"variable": "K", "kept": one, "outside": False} for one in keys]
    tenant = {"desired": 1, "hostname": "h", "record": "", "database": "d", "bytes": 1, "tables": {}, "settings": {}}
    return Manifest.model_validate({**PART, "stack": stack, "id": backup, "tenants": {"a": {**tenant, "keys": key}}})


def tags(stack: str, backup: str) -> dict[str, str]:
    return {"orchestrate:backup": backup, "orchestrate:stack": stack}


IDS = ("20260101-120000", "20260102-120000", "20260103-120000")
STACKS = ("onyx-prod", "onyx-prod-2", "onyx")


@given(st.lists(st.tuples(st.sampled_from(STACKS), st.sampled_from(IDS)), unique_by=lambda it: it[1], min_size=1))
def test_what_is_pruned_is_this_stacks_and_this_backups(kept: list[tuple[str, str]]) -> None:
    """In one bucket, with ids of the same second elsewhere, and a manifest that names a secret of somebody else's."""
    world = World({})
    manifests = [of(stack, backup, [f"secret/{stack}/{backup}", "secret/foreign"]) for stack, backup in kept]
    store, snapshots = Store(manifests), Snapshots(world)
    keys = Keys({f"secret/{stack}/{backup}": tags(stack, backup) for stack in STACKS for backup in IDS})
    for stack in STACKS:
        for backup in IDS:
            snapshots.rds[f"{stack}-{backup}"] = tags(stack, backup)
            snapshots.ebs[f"snap-{stack}-{backup}"] = tags(stack, backup)
    given_: Any = store, snapshots, keys
    context = pruned.BackupsPrunedContext(
        1, "onyx-prod", Vault(given_[0], "b"), given_[0], given_[1], given_[1], given_[2]
    )
    ran([pruned.STEP], world, context)
    mine = sorted(backup for stack, backup in kept if stack == "onyx-prod")[:-1]
    assert sorted(snapshots.gone) == sorted(
        [f"onyx-prod-{one}" for one in mine] + [f"snap-onyx-prod-{one}" for one in mine]
    )
    assert sorted(keys.gone) == [f"secret/onyx-prod/{one}" for one in mine]
    assert sorted(store.deleted) == [f"{one}/manifest.json" for one in mine]


def test_a_snapshot_of_the_name_that_somebody_else_took_stays() -> None:
    world = World({})
    store, snapshots = Store([of("onyx-prod", one) for one in IDS[:2]]), Snapshots(world)
    snapshots.rds[f"onyx-prod-{IDS[0]}"] = {"taken-by": "a colleague"}
    given_: Any = store, snapshots, Keys({})
    context = pruned.BackupsPrunedContext(
        1, "onyx-prod", Vault(given_[0], "b"), given_[0], given_[1], given_[1], given_[2]
    )
    ran([pruned.STEP], world, context)
    assert snapshots.gone == []
    assert store.deleted == [f"{IDS[0]}/manifest.json"]
