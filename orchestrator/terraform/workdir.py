"""`Terraform`: the commands on one directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestrator.errors import Interrupted, Problem, Refused
from orchestrator.redact import Redactor, from_environment
from orchestrator.stack.blueprint.changes import does_anything
from orchestrator.terraform import failure, process, readiness, stream, variables
from orchestrator.terraform.binary import Version, find, judge
from orchestrator.terraform.command import FLAG, Options, build, environment_for
from orchestrator.terraform.plan import Plan, PlanOptions, checksum
from orchestrator.terraform.process import Interrupts, OnLine, never
from orchestrator.terraform.scratch import Scratch
from orchestrator.terraform.stream import ChangeSummary, Diagnostic, StreamLine

OnProgress = Callable[[StreamLine], None]

_CHANGES_PRESENT = 2
"""`plan -detailed-exitcode`: succeeded, and there is something to do."""


@dataclass(frozen=True, slots=True)
class OutputValue:
    """An output value. `type` is terraform's type as JSON (`"string"`, `["list", "string"]` …)."""

    value: Any
    sensitive: bool
    type: Any


def _silent(_said: object) -> None:
    """Show nothing."""


class _CommandOutput:
    """What a followed command said: errors and totals kept, everything passed on, redacted."""

    def __init__(self, on_progress: OnProgress, redact: Redactor) -> None:
        self._on_progress, self.redact = on_progress, redact
        self.errors: list[Diagnostic] = []
        self.changes = ChangeSummary()

    def __call__(self, line: str) -> None:
        said = stream.parse(line)
        if said is None:
            return
        if said.diagnostic is not None and said.diagnostic.severity == "error":
            self.errors.append(said.diagnostic)
        self.changes = said.changes or self.changes
        self._on_progress(_redacted(said, self.redact))


def _redacted(said: StreamLine, redact: Redactor) -> StreamLine:
    told = said.diagnostic
    if told is not None:
        told = replace(told, summary=redact(told.summary), detail=redact(told.detail))
    return replace(said, message=redact(said.message), diagnostic=told)


class Terraform:
    """Terraform (or OpenTofu) in `directory`, with exactly this `environment` (and what automation adds to it).

    Every method may raise `Invalid` (`terraform-missing`), `TerraformFailed` with terraform's own words, `StateLocked`
    and `Interrupted`. Wherever `interrupts` can be given, KeyboardInterrupt is understood as well.
    """

    def __init__(self, directory: Path | str, environment: Mapping[str, str]) -> None:
        self.directory = Path(directory).absolute()
        self.environment = dict(environment)
        self._state: dict[str, Any] | None = None

    @cached_property
    def binary(self) -> str:
        """Where the program is."""
        return find(self.environment)

    @cached_property
    def _version(self) -> Version:
        return judge(self.binary, self._read_json("version", {"json": FLAG}))

    def version(self) -> Version:
        """Raises `Invalid` (`terraform-too-old`) below 1.11."""
        return self._version

    def init(self, on_line: OnLine = _silent, *, force: bool = False, interrupts: Interrupts = never) -> bool:
        """Initialise if needed, telling its progress line by line. Returns whether it ran."""
        if not force and not readiness.needs_init(self.directory, self.environment):
            return False

        def tell(said: StreamLine) -> None:
            for line in said.message.splitlines():
                on_line(line)

        heard = _CommandOutput(tell, Redactor(from_environment(self.environment)))
        self._follow("init", {"input": False, "json": FLAG}, (), heard, interrupts=interrupts)
        return True

    def plan(
        self,
        options: PlanOptions | None = None,
        on_progress: OnProgress = _silent,
        *,
        interrupts: Interrupts = never,
    ) -> Plan:
        """Make a plan, in a file only we can read, deleted at the end of the plan's context.

        When terraform asks for `init` (a backend or module has changed), it is initialised and planned once more.
        """
        chosen = options or PlanOptions()
        try:
            return self._plan(chosen, on_progress, interrupts)
        except failure.TerraformFailed as error:
            if not failure.wants_init(error):
                raise
        self.init(lambda line: on_progress(StreamLine("init_output", line)), force=True, interrupts=interrupts)
        return self._plan(chosen, on_progress, interrupts)

    def saved_plan(self, path: Path | str) -> Plan:
        """A plan file of the operator's: used as it is, never deleted."""
        file = Path(path).absolute()
        facts = self._show_json(file)
        plan = self._as_plan(file, does_anything(facts), Redactor(from_environment(self.environment)))
        plan.read_json = lambda _path: facts
        return plan

    def apply(
        self,
        plan: Plan,
        on_progress: OnProgress = _silent,
        *,
        extra: Sequence[str] = (),
        interrupts: Interrupts = never,
    ) -> ChangeSummary:
        """Apply exactly this plan. Returns what was changed; raises `Refused` when the file is another by now.

        Killing us doesn't stop it; an exception of `on_progress` is raised when terraform has ended.
        """
        if checksum(plan.path) != plan.checksum:
            message, fix = "the plan file has changed since it was read", "plan again, and review the new plan"
            raise Refused(Problem("plan-changed", message, str(plan.path), fix))

        def watch(said: StreamLine) -> None:
            if said.kind == "apply_start":
                # Terraform has read them: gone from the disk even if nobody is left to end the context.
                plan.discard()
            on_progress(said)

        heard = _CommandOutput(watch, plan.redact)
        # Ephemeral variables are not in the plan: terraform wants their values again, and takes the same files.
        options = {"input": False, "json": FLAG, "var_file": list(plan.var_files)}
        self._follow("apply", options, (*extra, str(plan.path)), heard, interrupts=interrupts)
        return heard.changes

    def untaint(self, address: str, *, interrupts: Interrupts = never) -> None:
        """The object is no longer to be made again. It changes the state only."""
        heard = _CommandOutput(_silent, Redactor(from_environment(self.environment)))
        self._follow("untaint", {}, (address,), heard, interrupts=interrupts)

    def declares(self, name: str) -> bool:
        """Whether the root module has this variable; where a file can't be read, it is taken to."""
        found = variables.read_declarations(self.directory, [name])
        return name in found.known or not found.complete

    def outputs(self) -> dict[str, OutputValue]:
        """The root module's outputs; empty when there is no state. Sensitive ones in clear."""
        said = self._read_json("output", {"json": FLAG, "no_color": FLAG})
        return {name: OutputValue(it["value"], bool(it["sensitive"]), it.get("type")) for name, it in said.items()}

    def state(self) -> dict[str, Any]:
        """`terraform show -json`: the state with its values, secrets in clear.

        Read once until a command of ours may have changed it: each reading starts every provider, which takes seconds.
        """
        if self._state is None:
            self._state = self._show_json(None)
        return self._state

    def workspace(self) -> str:
        """The selected workspace."""
        lines = self._read("workspace show", {}).splitlines()
        # A CI wrapper's own lines: the command it runs, and workflow commands.
        said = [line.strip() for line in lines if line.strip() and not line.startswith(("[command]", "::"))]
        return said[-1]

    def _plan(self, options: PlanOptions, on_progress: OnProgress, interrupts: Interrupts) -> Plan:
        with ExitStack() as undo:
            folder = Scratch()
            undo.callback(folder.delete)
            values = self._values(options)
            files = [*options.var_files, *map(str, variables.write(values, folder.path))]
            redact = Redactor((*from_environment(self.environment), *values.secrets))
            file = folder.path / "plan"
            flags: Options = {
                "input": False,
                "json": FLAG,
                "detailed_exitcode": FLAG,
                "out": str(file),
                "var_file": files,
                "target": list(options.targets),
                "replace": list(options.replaces),
                "destroy": FLAG if options.destroy else None,
                "refresh": None if options.refresh else False,
            }
            heard = _CommandOutput(on_progress, redact)
            status = self._follow("plan", flags, options.extra, heard, interrupts=interrupts)
            plan = self._as_plan(file, status == _CHANGES_PRESENT, redact, files)
            plan.folder = folder
            undo.pop_all()
        return plan

    def _as_plan(self, file: Path, has_changes: bool, redact: Redactor, var_files: Sequence[str] = ()) -> Plan:
        return Plan(file, has_changes, checksum(file), redact, self._show_text, self._show_json, var_files)

    def _values(self, options: PlanOptions) -> variables.GivenValues:
        given = variables.split(options.variables)
        return variables.sort(given, variables.read_declarations(self.directory, given))

    def _show_text(self, plan: Path) -> str:
        return self._read("show", {"no_color": FLAG}, (str(plan),))

    def _show_json(self, plan: Path | None) -> dict[str, Any]:
        return self._read_json("show", {"json": FLAG, "no_color": FLAG}, (str(plan),) if plan else ())

    def _read_json(self, verb: str, options: Options, arguments: Sequence[str] = ()) -> dict[str, Any]:
        text = self._read(verb, options, arguments)
        try:
            return stream.document(text)
        except ValueError as error:
            message = f"`{Path(self.binary).name} {verb}` printed no JSON"
            fix = "check that it is terraform's or tofu's own binary: a wrapper must not print anything of its own"
            raise failure.TerraformFailed(Problem("terraform-unreadable", message, self.binary, fix)) from error

    def _read(self, verb: str, options: Options, arguments: Sequence[str] = ()) -> str:
        argv = build(self.binary, verb, options, arguments)
        environment = environment_for(verb, self.environment)
        done = process.capture(argv, directory=self.directory, environment=environment)
        if done.status != 0:
            redact = Redactor(from_environment(self.environment))
            raise failure.failed((), done.stderr or done.stdout, redact, status=done.status)
        return done.stdout

    def _follow(
        self,
        verb: str,
        options: Options,
        arguments: Sequence[str],
        heard: _CommandOutput,
        *,
        interrupts: Interrupts,
    ) -> int:
        self._state = None
        ended = process.follow(
            build(self.binary, verb, options, arguments),
            directory=self.directory,
            environment=environment_for(verb, self.environment),
            on_line=heard,
            interrupts=interrupts,
            private=verb == "plan",
        )
        good = {0, _CHANGES_PRESENT} if verb == "plan" else {0}
        error = failure.failed(heard.errors, ended.complaint, heard.redact, status=ended.status)
        if ended.interrupted:
            raise _interrupted(verb, error.problems if heard.errors else (), finished=ended.status in good)
        if ended.status not in good:
            raise error
        return ended.status


def _interrupted(verb: str, problems: Sequence[Problem], *, finished: bool) -> Interrupted:
    how = "it had finished anyway" if finished else "it stopped and kept what it had done in the state"
    fix = (
        "run the command again: terraform continues from what is there; a resource whose creation was interrupted is "
        "kept if the creation succeeds"
    )
    return Interrupted(Problem("interrupted", f"terraform {verb} was asked to stop: {how}", fix=fix), *problems)
