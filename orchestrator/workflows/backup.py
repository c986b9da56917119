"""`backup`: everything that Terraform can't recreate, kept outside the stack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import Outcome, counted
from orchestrator.events import Emit, FindingReported, StepDone
from orchestrator.workflows.approval import approve
from orchestrator.workflows.caller import Caller, StackRef, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.problem_events import worth_knowing

if TYPE_CHECKING:
    from orchestrator.app.backups import Backups
    from orchestrator.lifecycle.manifest import Manifest
    from orchestrator.lifecycle.pause_tags import Stamp
    from orchestrator.stack.contract import Stack

FOLDER = Path(".orchestrate") / "backups"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupOptions:
    """What is done, the first that is chosen: list, verify one, prune; else take one."""

    listing: bool = False
    verified: str = ""
    """Look whether this one (or `last`) is whole."""
    prune: int = 0
    """Delete all but the newest so many; 0: none."""
    approved: bool = False
    """To prune without asking."""
    stop_services: bool = False
    """Stop them first: all parts are of one instant."""
    dump: bool = False
    """Dump each database too, for stacks that Terraform can't begin with a snapshot."""


def backup(
    stack: StackRef, options: BackupOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Keep database, files, index and settings outside the stack, and verify that they are good."""
    chosen = options or BackupOptions()
    taking = not (chosen.listing or chosen.verified or chosen.prune)

    def work(execution: Execution) -> Outcome:
        if taking and execution.nested:
            execution.text("this was started by orchestrate, which takes the backups itself, before it calls terraform")
            return Outcome.SUCCEEDED
        keeping = backups(execution)
        if chosen.listing:
            return _list(execution, keeping)
        if chosen.verified:
            return _verify(execution, keeping, chosen.verified)
        if chosen.prune:
            return _prune(execution, keeping, chosen.prune, approved=chosen.approved)
        with execution.exclusive():
            manifest = keeping.begin(purpose="keep", quiet=chosen.stop_services, dumped=chosen.dump)
            return take(execution, keeping, manifest)

    recorded = not (chosen.listing or chosen.verified)
    return perform("backup", stack, work, emit=emit, caller=caller, recorded=recorded)


def backups(execution: Execution) -> Backups:
    """For the stack whose contract this is; the right account is checked."""
    return safekeeping_of(execution, execution.contract())


def safekeeping_of(execution: Execution, stack: Stack) -> Backups:
    """The same, once the contract is known."""
    from orchestrator.app.backups import Backups

    operation = execution.operation_on(stack)
    operation.aws.require_account(stack.account_id)
    who = execution.caller.who
    return Backups(operation, execution.settings, execution.clock, execution.redact.learn, who=who)


def take(execution: Execution, keeping: Backups, manifest: Manifest) -> Outcome:
    """Run the steps; a copy of the manifest stays in Terraform's directory, where `restore` finds it."""
    execution.text(f"backup {manifest.id} in s3://{keeping.vault.bucket}")
    if keeping.pause:
        _say_that_it_wakes(execution, keeping.pause, manifest)
    outcome = keeping.take(manifest, execution.emit, execution.change).outcome
    if keeping.pause and outcome is not Outcome.SUCCEEDED:
        fix = "run the command again; or `orchestrate pause`, which stops them again"
        text = "the stack is paused, but its database server and instances may be running"
        execution.emit(FindingReported(step="backup", detail=text, code="paused-stack-awake", fix=fix))
    if outcome is Outcome.SUCCEEDED:
        keep_copy(execution.directory, keeping.vault.get(manifest.id))
    return outcome


def _say_that_it_wakes(execution: Execution, pause: Stamp, manifest: Manifest) -> None:
    after = "destroyed afterwards" if manifest.purpose == "destroy" else "stopped again afterwards"
    text = (
        f"the stack has been paused since {pause.since} by {pause.by}: a stopped database can't be read or "
        f"snapshotted, so the database server and the instances are started (this takes minutes) and {after}; "
        "services stay at 0"
    )
    execution.emit(FindingReported(step="backup", detail=text, code="paused-stack-wakes"))


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


def _list(execution: Execution, keeping: Backups) -> Outcome:
    from orchestrator.lifecycle.transfer import human

    found = keeping.manifests()
    for one in found:
        size = f"{counted(one.files.count, 'object')}, {human(one.files.bytes)}" if one.files else "no files"
        kind = (
            "taken before a destroy"
            if one.purpose == "destroy"
            else "all from the same moment"
            if one.quiet
            else "live"
        )
        text = f"{one.id}  {one.state:<11}  {kind}, {counted(len(one.desired), 'tenant')}, {size}  {one.place}"
        execution.emit(FindingReported(step="backup", detail=text, code="backup-listed"))
    if not found:
        execution.text(f"there are no backups of {keeping.stack.stack}")
    return Outcome.SUCCEEDED


def _verify(execution: Execution, keeping: Backups, asked: str) -> Outcome:
    known = keeping.manifests()
    manifest = known[0] if asked == "last" and known else keeping.vault.get(asked)
    defects = keeping.defects(manifest)
    for problem in defects:
        execution.fail(problem, Outcome.FAILED, "backup-verified")
    if not defects:
        execution.emit(StepDone(step="backup-verified", detail=f"backup {manifest.id} is good"))
    return Outcome.FAILED if defects else Outcome.SUCCEEDED


def _prune(execution: Execution, keeping: Backups, keep: int, *, approved: bool) -> Outcome:
    from orchestrator.lifecycle.pruned import BackupsPrunedFacts, findings, superfluous

    known = tuple(keeping.manifests())
    old = superfluous(known, keep)
    for one in old:
        execution.text(f"  would delete {one.id} ({one.state})")
    if not old:
        for problem in findings(BackupsPrunedFacts(keep, known)):
            execution.emit(worth_knowing("backups-pruned", problem))
        execution.text("There is nothing to delete.")
        return Outcome.SUCCEEDED
    approve(execution, approved, f"Delete {counted(len(old), 'backup')} for good?")
    with execution.exclusive():
        return keeping.prune(keep, execution.emit, execution.change).outcome
