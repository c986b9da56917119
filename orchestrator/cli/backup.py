"""`orchestrate backup`: everything the stack can't be made again from, kept outside it."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, certificate_options, contract_option

if TYPE_CHECKING:
    from orchestrator.app.safekeeping import Safekeeping
    from orchestrator.cli.conduct import Conductor
    from orchestrator.contract import Stack
    from orchestrator.errors import Outcome
    from orchestrator.lifecycle.manifest import Manifest
    from orchestrator.pauses import Stamp

FOLDER = Path(".orchestrate") / "backups"


@click.command()
@click.option(
    "--stop-services", is_flag=True, help="Stop the services first, so that every part is from the same moment."
)
@click.option(
    "--dump", is_flag=True, help="Also dump each database, for stacks that Terraform can't create from a snapshot."
)
@click.option("--list", "listing", is_flag=True, help="List the existing backups; changes nothing.")
@click.option("--verify", "verified", metavar="ID", help="Check that this backup (or `last`) is complete.")
@click.option("--prune", type=click.IntRange(min=1), metavar="N", help="Delete all but the newest N.")
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="Don't ask (--prune).")
@contract_option
@certificate_options
def backup(
    contract: str | None,
    verified: str | None,
    prune: int | None,
    *,
    stop_services: bool,
    dump: bool,
    listing: bool,
    auto_approve: bool,
    **given: Any,
) -> None:
    """Copy database, files, index and settings out of the stack, and verify the copies.

    Interrupted, the same command goes on with the same backup.
    """
    from orchestrator.cli.conduct import conduct

    def work(conductor: Conductor) -> Outcome:
        keeping = safekeeping(conductor, contract)
        if listing:
            return _list(conductor, keeping)
        if verified:
            return _verify(conductor, keeping, verified)
        if prune:
            return _prune(conductor, keeping, prune, approved=auto_approve)
        with conductor.exclusive():
            manifest = keeping.begin(purpose="keep", quiet=stop_services, dumped=dump)
            return take(conductor, keeping, manifest)

    conduct("backup", options(given), work, recorded=not (listing or verified))


def options(given: dict[str, Any]) -> Options:
    """Backups are of the whole stack."""
    return Options.of({**given, "tenants": (), "only": (), "skip": (), "adopt": False})


def safekeeping(conductor: Conductor, contract: str | None) -> Safekeeping:
    """For the stack whose contract this is; the right account is checked."""
    from orchestrator import app

    stack = app.contract_from(contract, conductor.terraform, conductor.environment, sys.stdin, conductor.redact.learn)
    return safekeeping_of(conductor, stack)


def safekeeping_of(conductor: Conductor, stack: Stack) -> Safekeeping:
    """The same, once the contract is known."""
    from orchestrator.app.safekeeping import Safekeeping
    from orchestrator.cli.origin import user

    operation = conductor.operation_on(stack)
    operation.aws.require_account(stack.account_id)
    who = (user(), socket.gethostname())
    return Safekeeping(operation, conductor.settings, conductor.clock, conductor.redact.learn, who=who)


def take(conductor: Conductor, keeping: Safekeeping, manifest: Manifest) -> Outcome:
    """Run the steps; a copy of the manifest stays in Terraform's directory, where `restore` finds it."""
    from orchestrator.errors import Outcome
    from orchestrator.events import FindingReported

    conductor.text(f"backup {manifest.id} in s3://{keeping.vault.bucket}")
    if keeping.pause:
        _say_that_it_wakes(conductor, keeping.pause, manifest)
    outcome = keeping.take(manifest, conductor.emit, conductor.change).outcome
    if keeping.pause and outcome is not Outcome.SUCCEEDED:
        fix = "run the command again; or `orchestrate pause`, which stops them again"
        text = "database server and instances may be running, of a stack that is paused"
        conductor.emit(FindingReported(step="backup", detail=text, code="paused-stack-awake", fix=fix))
    if outcome is Outcome.SUCCEEDED:
        keep_copy(conductor.options.directory, keeping.vault.get(manifest.id))
    return outcome


def _say_that_it_wakes(conductor: Conductor, pause: Stamp, manifest: Manifest) -> None:
    from orchestrator.events import FindingReported

    after = "destroyed afterwards" if manifest.purpose == "destroy" else "stopped again afterwards"
    text = (
        f"the stack is paused since {pause.since} by {pause.by}: a stopped database can't be read or snapshotted, so "
        f"database server and instances are started (minutes) and {after}; services stay at 0"
    )
    conductor.emit(FindingReported(step="backup", detail=text, code="paused-stack-wakes"))


def keep_copy(directory: Path, manifest: Manifest) -> None:
    """Beside the runs' records. Nothing secret is in it."""
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{manifest.id}.json").write_text(manifest.text(), encoding="utf-8")


def copies(directory: Path) -> list[Manifest]:
    """The manifests whose copies are here, the newest first; what can't be read is passed over."""
    from orchestrator.errors import Invalid
    from orchestrator.lifecycle.manifest import parse

    found: list[Manifest] = []
    for file in sorted((directory / FOLDER).glob("*.json"), reverse=True):
        try:
            found.append(parse(file.read_text(encoding="utf-8"), str(file)))
        except (Invalid, OSError, UnicodeDecodeError):
            continue
    return found


def _list(conductor: Conductor, keeping: Safekeeping) -> Outcome:
    from orchestrator.errors import Outcome
    from orchestrator.events import FindingReported
    from orchestrator.lifecycle.transfer import human

    found = keeping.manifests()
    for one in found:
        size = f"{one.files.count} objects, {human(one.files.bytes)}" if one.files else "no files"
        kind = "taken before a destroy" if one.purpose == "destroy" else "all of one instant" if one.quiet else "live"
        text = f"{one.id}  {one.state:<11}  {kind}, {len(one.desired)} tenants, {size}  {one.place}"
        conductor.emit(FindingReported(step="backup", detail=text, code="backup-listed"))
    if not found:
        conductor.text(f"there are no backups of {keeping.stack.stack}")
    return Outcome.SUCCEEDED


def _verify(conductor: Conductor, keeping: Safekeeping, asked: str) -> Outcome:
    from orchestrator.errors import Outcome
    from orchestrator.events import StepDone

    known = keeping.manifests()
    manifest = known[0] if asked == "last" and known else keeping.vault.get(asked)
    defects = keeping.defects(manifest)
    for problem in defects:
        conductor.fail(problem, Outcome.FAILED, "backup-verified")
    if not defects:
        conductor.emit(StepDone(step="backup-verified", detail=f"backup {manifest.id} is good"))
    return Outcome.FAILED if defects else Outcome.SUCCEEDED


def _prune(conductor: Conductor, keeping: Safekeeping, keep: int, *, approved: bool) -> Outcome:
    from orchestrator.cli.apply import approve
    from orchestrator.errors import Outcome
    from orchestrator.lifecycle.pruned import superfluous

    old = superfluous(keeping.manifests(), keep)
    for one in old:
        conductor.text(f"  would delete {one.id} ({one.state})")
    if not old:
        conductor.text("There is nothing to delete.")
        return Outcome.SUCCEEDED
    approve(conductor, approved, f"Delete these {len(old)} backups, for good?")
    with conductor.exclusive():
        return keeping.prune(keep, conductor.emit, conductor.change).outcome
