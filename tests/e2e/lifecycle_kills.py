"""kill -9 in each phase of destroy and restore, then the same command again: nothing lost, everything comes back.

Not collected by itself (minutes): `make roundtrip-faults`.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.lifecycle_stage import NAME, Lifecycle, lifecycle
from tests.e2e.vaults import vault_of
from tests.waiting import CLOSELY, until

pytestmark = [pytest.mark.cloud, pytest.mark.terraform]

INSTANCE = f"{NAME}-postgres"
PATIENCE = 600.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lifecycle]:
    with lifecycle(tmp_path_factory.mktemp("kills")) as made:
        yield made


def killed(place: Lifecycle, arguments: tuple[str, ...], instant: Callable[[], bool]) -> None:
    """Begin the command, kill it at the instant, and wait for what outlives it."""
    process = place.begun(*arguments)
    until("the instant to kill at", lambda: instant() or process.poll() is not None, PATIENCE, often=CLOSELY)
    assert process.poll() is None, f"{arguments} ended by itself, with {process.returncode}"
    process.send_signal(signal.SIGKILL)
    process.wait()
    until("terraform ends", lambda: not place.terraform_works(), PATIENCE)


def test_a_round_trip_with_a_kill_in_each_phase(place: Lifecycle) -> None:
    before, counts = place.fingerprint(), place.desired()
    destroy = ("destroy", "--confirm", NAME)
    containers = place.stage.cloud.folder / "instances"
    instants: tuple[Callable[[], bool], ...] = (
        lambda: any(key.endswith("/manifest.json") for key in place.backups()),
        lambda: any(one.read_text() == "exited" for one in containers.glob("*/vespa.state")),
        lambda: any("/objects/" in key for key in place.backups()),
        lambda: place.databases().get(INSTANCE) == "deleting",
    )
    for instant in instants:
        killed(place, destroy, instant)
    place.command(*destroy).succeeded()
    assert place.databases() == {}
    assert len({key.split("/")[0] for key in place.backups()}) == 1, "one backup, gone on with each time"

    restore = ("restore", "--auto-approve")
    s3 = place.stage.aws.client("s3")

    def file_is_back() -> bool:
        buckets = [one["Name"] for one in s3.list_buckets()["Buckets"]]
        mine = f"{NAME}-file-store-123456789012"
        return mine in buckets and s3.list_objects_v2(Bucket=mine)["KeyCount"] > 0

    def marked(state: str) -> bool:
        for key in place.backups():
            if key.endswith(f"restore-to-{NAME}.json"):
                body = s3.get_object(Bucket=vault_of(s3, NAME), Key=key)["Body"].read()
                return state.encode() in body
        return False

    later: tuple[Callable[[], bool], ...] = (
        lambda: place.databases().get(INSTANCE) == "creating",
        file_is_back,
        lambda: marked("data-returned"),
    )
    for instant in later:
        killed(place, restore, instant)
    place.command(*restore).succeeded()
    assert place.fingerprint() == before
    assert place.desired() == counts
