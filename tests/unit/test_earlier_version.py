"""What 0.1.0 wrote is read as before. tests/documents/0.1.0 was written by it, and is never written again."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from orchestrator.aws.autoscaling import Scaling, Suspension
from orchestrator.cli import orchestrate
from orchestrator.dns.history import History
from orchestrator.engine.journal import records
from orchestrator.lifecycle.manifest import Manifest, parse
from orchestrator.lifecycle.pause_tags import PausedService, Stamp
from orchestrator.lifecycle.restore import marker
from orchestrator.lifecycle.vault import Vault
from orchestrator.lifecycle.verify import FoundBackup, judge
from orchestrator.settings import Settings, contract_table
from orchestrator.stack import encoding
from orchestrator.stack.blueprint import resources as states
from orchestrator.stack.inference import read

HERE = Path(__file__).parents[1] / "documents" / "0.1.0"


def text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def test_its_contract() -> None:
    stack = encoding.decode(text("contract.json"), "contract.json")
    assert (stack.stack, stack.bucket, sorted(stack.tenants)) == (
        "onyx-prod",
        "onyx-prod-file-store-123456789012",
        ["a", "b"],
    )
    said = json.loads(text("contract.json"))
    again = stack.model_dump(mode="json", by_alias=True)
    assert contains(again, said), "nothing of it is lost"


def contains(whole: Any, part: Any) -> bool:
    """Keys that came later may be there beside its own."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and contains(whole[key], it) for key, it in part.items())
    return bool(whole == part)


@pytest.mark.parametrize("name", ["manifest.json", "manifest-with-dumps.json"])
def test_its_manifests(name: str) -> None:
    """Their checksums are those of today, so they are neither edited nor damaged; and they can be restored from."""
    manifest = parse(text(name), name)
    assert manifest.complete
    assert manifest.text() == text(name)
    assert manifest.bucket == "onyx-prod-backups-123456789012"
    assert manifest.index["a"].snapshot == "snap-0a"
    assert (manifest.dumps is None) == (name == "manifest.json")
    assert manifest.stack_of().tenants["a"].database == "onyx_a"
    assert {one.code for one in judge(manifest, FoundBackup())} >= {"backup-snapshot-missing", "backup-index-missing"}


class Bucket:
    """With the marker of a restore that 0.1.0 has begun."""

    def read(self, _bucket: str, _key: str) -> str:
        return text("restore-marker.json")


def test_its_restores() -> None:
    manifest: Manifest = parse(text("manifest.json"), "manifest.json")
    bucket: Any = Bucket()
    begun = marker.read(Vault(bucket, manifest.bucket), manifest, "onyx-prod")
    assert begun is not None
    assert (begun.under_way, begun.overwrites, begun.lost) == (True, True, ("bucket:b", "database:onyx_a"))


def test_its_journal(tmp_path: Path) -> None:
    shutil.copy(HERE / "journal.jsonl", tmp_path / "20261120T090000Z-0a1b2c.jsonl")
    (record,) = records(tmp_path)
    assert (record.stack, record.outcome, record.changed, record.garbled) == ("onyx-prod", "timed-out", 1, 0)
    assert [one["subject"] for one in record.open_changes] == ["b"]
    shown = CliRunner().invoke(orchestrate, ["history", "last", "--journal-dir", str(tmp_path)])
    assert shown.exit_code == 0, shown.output
    assert "make database onyx_a" in shown.output


def test_its_orchestrate_toml() -> None:
    settings = Settings({}, {}, HERE)
    assert settings["backup-bucket"] == "onyx-prod-backups-123456789012"
    assert settings["step-timeouts"] == {"services": 900.0, "sites": 300.5}
    assert {chosen.source for name, chosen in settings.all().items() if name in ("poll", "settle", "profile")} == {
        f"{HERE / 'orchestrate.toml'}: {name}" for name in ("poll", "settle", "profile")
    }
    main = {"address": "aws_db_instance.main", "mode": "managed", "type": "aws_db_instance", "values": {}}
    state = states.read({"values": {"root_module": {"resources": [main]}}})
    mapped = read(contract_table(HERE), "orchestrate.toml", outputs={"alb": {"dns_name": "x.y"}}, state=state)
    assert mapped.values["load_balancer", "dns_name"] == "x.y"
    assert mapped.chosen["database",] == "aws_db_instance.main"


def test_its_pauses() -> None:
    tags = json.loads(text("pause-tags.json"))
    assert Stamp.parse(tags["database"]) == Stamp("2026-11-20T09:00:00Z", "bob@desk")
    service = PausedService.parse(tags["service"])
    assert service is not None
    assert (service.desired, service.scaling) == (3, Scaling(2, 9, Suspension(scale_in=True)))
    assert PausedService.parse(tags["plain"]) == PausedService(Stamp("2026-11-20T09:00:00Z", "bob@desk"), 1)


def test_its_dns_changes() -> None:
    kept = History(HERE / "dns-undo.jsonl", "onyx-prod", lambda: datetime(2026, 11, 20, tzinfo=UTC))
    (entry,) = kept.entries()
    assert (entry.change.before[0].values, entry.change.after[0].values) == (
        ("old.elb.amazonaws.com",),
        ("new.elb.amazonaws.com",),
    )
