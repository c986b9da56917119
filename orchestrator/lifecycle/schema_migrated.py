"""`schema-migrated`: one task has migrated the tenant's database, before any task of its services comes up with it.

Onyx's api runs `alembic upgrade head` when it starts, and alembic knows no lock: of several that start at once, all but
one fail. Here one task runs it alone, with the newest revision of the service's task definition: in the service's
network, with its roles and secrets. A migration that another run began is followed, never begun again beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from orchestrator.aws.ecs import Service, Task
from orchestrator.aws.logs import Logs
from orchestrator.aws.one_off_tasks import OneOffTasks
from orchestrator.aws.service_settings import ClusterServices
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Unread, Verdict, Verdicts, Wait
from orchestrator.engine.subjects import attempt, each
from orchestrator.errors import Problem, counted
from orchestrator.events import Emit, LogLine
from orchestrator.lifecycle.services import left_alone
from orchestrator.rollout.diagnosis import Failure, classify
from orchestrator.rollout.ownership import objections
from orchestrator.rollout.progress import EcsCluster, Rollout, newest_revision
from orchestrator.stack.contract import Stack

MARK = "orchestrate-migrate"
"""By which the tasks are told from others: RunTask's `startedBy`."""
MIGRATE = ("/bin/sh", "-c", "alembic upgrade head")
HOLD = ("/bin/sh", "-c", "sleep 86400")
"""What containers of the same image do meanwhile: a scheduler beside the service's own would do things twice."""
MOST_LINES = 2000
AT_ONCE = 8


@dataclass(slots=True)
class MigrationMemory:
    """What a run remembers of one tenant's migration."""

    definition: TaskDefinition
    task: str = ""
    """The ARN of the one that is followed."""
    told: tuple[str, ...] = ()
    """Lines of its log that were shown."""


class MigrationContext(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def ecs(self) -> EcsCluster:
        """The cluster."""
        ...

    @property
    def definitions(self) -> ClusterServices:
        """Task definitions."""
        ...

    @property
    def one_off(self) -> OneOffTasks:
        """Tasks that run once."""
        ...

    @property
    def logs(self) -> Logs:
        """Log groups."""
        ...

    @property
    def migrations(self) -> dict[Subject, MigrationMemory]:
        """What the run remembers, by tenant."""
        ...

    @property
    def tell(self) -> Emit:
        """Where lines of a migration's log go."""
        ...


@dataclass(frozen=True, slots=True)
class Migration:
    """One tenant's. `container` runs the api (empty: none does), `beside` are others of the same image."""

    service: Service | None
    definition: str = ""
    container: str = ""
    beside: tuple[str, ...] = ()
    task: Task | None = None
    """The task that is followed, alive or ended."""
    sent: bool = False
    """Whether there is one that ECS may not show yet."""
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MigrationFacts:
    """Per tenant."""

    names: Mapping[Subject, str]
    migrations: Mapping[Subject, Migration]
    unread: Mapping[Subject, Unread] = field(default_factory=dict)
    foreign: Mapping[Subject, str] = field(default_factory=dict)
    """Tenants whose service isn't the stack's own, and why."""


@dataclass(frozen=True, slots=True)
class RunMigration:
    """Run it: in this service's network, with this definition, these containers with other commands."""

    service: str
    definition: str
    container: str
    beside: tuple[str, ...]


def observe(context: MigrationContext) -> MigrationFacts:
    """Services in batches of 10; then per tenant the newest definition once, its migration's task and its log."""
    names = {name: tenant.service_id for name, tenant in context.stack.tenants.items()}
    services = context.ecs.services(list(names.values()))
    seen = attempt(names, lambda name: _look(context, name, services.get(names[name])), at_once=AT_ONCE)
    facts = MigrationFacts(names, seen.results, Unread.each(seen.failures))
    wanted = [name for name, verdict in decide(facts).items() if isinstance(verdict, Todo)]
    rollouts = {name: Rollout(seen.results[name].service) for name in wanted}
    return replace(facts, foreign=objections(context.stack, rollouts, wanted) if wanted else {})


def _look(context: MigrationContext, tenant: Subject, service: Service | None) -> Migration:
    if service is None:
        return Migration(None)
    if tenant not in context.migrations:
        present = service.primary.task_definition if service.primary else service.task_definition
        context.migrations[tenant] = MigrationMemory(context.definitions.newest(family_of(present)))
    memory = context.migrations[tenant]
    if not memory.task:
        alive = context.one_off.alive(service.name, family_of(memory.definition.arn))
        memory.task = alive[0].arn if alive else ""
    task = context.one_off.look(service.name, memory.task) if memory.task else None
    container, beside = migrator_in(memory.definition)
    log = _follow(context, tenant, memory, task, container) if task else ()
    return Migration(service, memory.definition.arn, container, beside, task, bool(memory.task), log)


def _follow(
    context: MigrationContext, tenant: Subject, memory: MigrationMemory, task: Task, container: str
) -> tuple[str, ...]:
    """Its log as far as it is there; what is new of it is told."""
    group, stream = context.stack.tenants[tenant].log_group, context.ecs.stream(task, container)
    lines = context.logs.tail(group, stream, lines=MOST_LINES) if group and stream else ()
    for line in fresh(lines, memory.told):
        context.tell(LogLine(step=STEP.id, subject=tenant, detail=line, container=container, task=task.id))
    memory.told = lines
    return lines


def fresh(lines: Sequence[str], told: Sequence[str]) -> Sequence[str]:
    """Those after the ones that were told; `lines` may have lost some of its oldest since. Pure."""
    for lost in range(len(told)):
        left = told[lost:]
        if list(lines[: len(left)]) == list(left):
            return lines[len(left) :]
    return lines


def family_of(definition: str) -> str:
    """`arn:…:task-definition/FAMILY:REVISION` → FAMILY."""
    return definition.rpartition("/")[2].partition(":")[0]


def migrator_in(definition: TaskDefinition) -> tuple[str, tuple[str, ...]]:
    """The container that runs the api (empty: none is called so), and others of its image. Pure."""
    api = next((one for one in definition.containers if "api" in one.name), None)
    if api is None:
        return "", ()
    return api.name, tuple(one.name for one in definition.containers if one.image == api.image and one is not api)


def decide(facts: MigrationFacts) -> Verdicts:
    """Per tenant."""
    unread = {name: one.verdict for name, one in facts.unread.items()}
    return {**unread, **{name: _verdict(name, one, facts) for name, one in facts.migrations.items()}}


def _verdict(tenant: Subject, it: Migration, facts: MigrationFacts) -> Verdict:
    name, which = facts.names[tenant], it.definition.rpartition("/")[2]
    if it.service is None:
        fix = "check `cluster`, `region` and the tenant's `service` in the contract"
        return Blocked(Problem("service-missing", f"there is no service {name}", tenant, fix))
    if not it.container:
        fix = "name the container that runs the api `api` in the task definition; terraform apply"
        return Blocked(Problem("migrator-unknown", f"no container of {which} has `api` in its name", tenant, fix))
    if it.task is not None:
        return _of_task(tenant, it, it.task)
    if it.sent:
        return Wait("ECS does not show the migration's task yet", "migration-not-seen", _AGAIN, poll=2.0)
    if tenant in facts.foreign:
        return left_alone(name, facts.foreign[tenant])
    if it.service.pending:
        fix = f"orchestrate pause --tenant {tenant} stops them; then migrate, and orchestrate resume --tenant {tenant}"
        why = f"{name} is starting {counted(it.service.pending, 'task')}, which would migrate the schema too"
        return Wait(why, "migration-under-way", fix)
    return Todo(f"migrate the schema of {tenant} once, with {which}", RunMigration(name, it.definition, *_parts(it)))


_AGAIN = "run the same command again: a migration that runs is followed, not begun again"


def _parts(it: Migration) -> tuple[str, tuple[str, ...]]:
    return it.container, it.beside


def _of_task(tenant: Subject, it: Migration, task: Task) -> Verdict:
    revision = newest_revision(it.log)
    at = f", at {revision}" if revision else ""
    if task.status != "STOPPED":
        return Wait(f"task {task.id} is {task.status.lower()}{at}", "migration-not-finished", _AGAIN, progress=revision)
    exits = {one.name: one.exit_code for one in task.containers}
    if exits.get(it.container) == 0:
        return Done(f"migrated by task {task.id}{at}" if revision else f"task {task.id}: nothing was left to migrate")
    cause = classify(Failure(task, it.log))
    evidence = f" ({cause.evidence})" if cause.evidence else ""
    message = f"the migration failed, and no rollout was begun: {cause.message}{evidence}"
    return Blocked(Problem(cause.code, message, tenant, f"{cause.fix}; then run it again"))


def apply(context: MigrationContext, todos: Mapping[Subject, Todo]) -> None:
    """RunTask, one call for each; the tenants' migrations run side by side."""

    def start(tenant: Subject) -> None:
        wanted: RunMigration = todos[tenant].payload
        commands = {wanted.container: MIGRATE, **dict.fromkeys(wanted.beside, HOLD)}
        memory = context.migrations[tenant]
        memory.task = context.one_off.run(wanted.service, wanted.definition, commands)

    each(todos, start)


STEP: Step[MigrationContext, MigrationFacts] = Step(
    id="schema-migrated",
    title="one task has migrated each tenant's schema",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=3600,
    poll=5,
)
