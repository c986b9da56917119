"""ECS: services, their deployments and tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.batches import answers
from orchestrator.aws.clusters import by_cluster, name_of, place
from orchestrator.aws.described import described
from orchestrator.aws.pages import items, pages
from orchestrator.aws.resends import sent_once
from orchestrator.aws.service_deployments import RolloutRecord, ServiceDeployments
from orchestrator.aws.service_events import EventKind, ServiceEvent, calm, happened
from orchestrator.aws.session import code_of, problem_of, translated
from orchestrator.aws.task_definition import TaskDefinition, parsed
from orchestrator.engine.looks import Recent
from orchestrator.engine.subjects import Attempts, attempt, both
from orchestrator.errors import OrchestratorError, Problem

ECS, ROLLING = "ECS", "ROLLING"
"""The usual deployment controller, and its usual strategy."""
AT_ONCE = 8
_OF_A_SERVICE = "service:"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deployment:
    """One rollout of a service. `id` is what tells rollouts apart: a forced one keeps its task definition."""

    id: str
    status: str
    rollout_state: str
    rollout_reason: str
    task_definition: str
    desired: int
    running: int
    failed: int
    created_at: datetime

    @property
    def rolls_back(self) -> bool:
        """Whether ECS made it to go back to an older one."""
        return "rolling back to" in self.rollout_reason.lower()


@dataclass(frozen=True, slots=True)
class Service:
    """One service as DescribeServices shows it; `deployments` has the PRIMARY first, `happened` the newest event.

    `name` is what it is called here: with its cluster before it, if that isn't the stack's own.

    `grace` is the health check's grace period in seconds, counted from the moment a task is RUNNING. Where ECS itself
    makes no deployments (`controller` is CODE_DEPLOY or EXTERNAL), `deployments` are its task sets, judged alike.
    `target_groups` are those that its tasks are registered in, the one of the other colour too; None: it doesn't say.
    `colours` are pairs of target groups that its tasks change between, `serving_groups` those of the PRIMARY task set.
    """

    name: str
    status: str
    desired: int
    running: int
    pending: int
    deployments: tuple[Deployment, ...]
    happened: tuple[ServiceEvent, ...] = ()
    grace: float = 0.0
    controller: str = ECS
    strategy: str = ROLLING
    minimum: int = 100
    """Percent of the desired tasks that a rolling deployment must leave running, rounded up to whole tasks."""
    maximum: int = 200
    """Percent of them that may run at a time, rounded down."""
    early: bool = False
    """Whether ECS may call a deployment a success before all its tasks are there."""
    task_definition: str = ""
    target_groups: tuple[str, ...] | None = None
    colours: tuple[tuple[str, str], ...] = ()
    serving_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)

    def groups_of(self, target_group: str) -> tuple[str, ...]:
        """Where its tasks are that a target group was made for: there, or in the one of the other colour."""
        if self.serving_groups and target_group not in self.serving_groups:
            return self.serving_groups[:1]
        pairs = (set(pair) for pair in self.colours if target_group in pair)
        others = next(pairs, set()) - {target_group}
        return target_group, *sorted(others)

    @property
    def last_up(self) -> datetime | None:
        """When ECS last called it steady (its tasks were healthy then), as far as its newest 100 events tell."""
        return next((one.at for one in self.happened if one.kind is EventKind.STEADY), None)

    def looks_well(self, target_group: str) -> bool:
        """Whether nothing shows trouble: it has its tasks, of one deployment, and registers them in this group.

        ECS said last that it is steady, which it says when its targets are healthy (ECS developer guide, "Service event
        messages"): nothing has happened since, as far as ECS knows.
        """
        quiet = len(self.deployments) == 1 and self.running == self.desired > 0 and not self.pending
        return quiet and self.deploys_itself and target_group in (self.target_groups or ()) and calm(self.happened)

    @property
    def deploys_itself(self) -> bool:
        """Whether ECS makes its deployments: another controller's service refuses a forced one."""
        return self.controller == ECS

    @property
    def primary(self) -> Deployment | None:
        """The deployment ECS works towards."""
        return next((found for found in self.deployments if found.status == "PRIMARY"), None)


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a task; `exit_code` is None while it runs or when it never started."""

    name: str
    status: str = ""
    exit_code: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a service; `deployment` is the id of the rollout that started it."""

    arn: str
    deployment: str
    task_definition: str
    status: str
    created_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    containers: tuple[Container, ...] = ()
    stopping_at: datetime | None = None
    addresses: tuple[str, ...] = ()
    """Its private addresses (of network mode awsvpc)."""
    started_at: datetime | None = None
    """When it became RUNNING."""
    service: str = ""
    """The name, in its cluster, of the service whose it is; empty: no service's."""

    @property
    def ended_at(self) -> datetime | None:
        """When it ceased to work: to drain and to give its network interface back takes ECS a while longer."""
        return self.stopping_at or self.stopped_at

    @property
    def id(self) -> str:
        """The last part of the ARN, as it stands in log stream names."""
        return self.arn.rsplit("/", 1)[-1]


class Ecs:
    """A stack's services through a boto3 `ecs` client; `cluster` is that of those that say none (`clusters.place`)."""

    def __init__(self, client: Any, cluster: str, recent: Recent | None = None) -> None:
        """`recent`: what is shared with those who ask the same of ECS."""
        self._client = client
        self._cluster = cluster
        self._recent = recent or Recent()
        self._definitions: dict[str, TaskDefinition] = {}
        self.deployments = ServiceDeployments(client, cluster)
        """ECS's own records of its services' deployments."""

    def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        """The services that exist among `names`. Raises `cluster-missing` when there is no such cluster."""
        return {
            name_of(raw, called): _service(raw, name_of(raw, called))
            for cluster, called in by_cluster(names, self._cluster).items()
            for raw in self._describe_services(cluster, list(called))
        }

    def _describe_services(self, cluster: str, names: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        try:
            return described(self._client, cluster, names, self._recent)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "ClusterNotFoundException":
                fix = "check `cluster`, `region` and the account in the contract"
                problem = Problem("cluster-missing", f"there is no ECS cluster {cluster}", "", fix)
                raise OrchestratorError(problem) from None
            raise problem_of(error, "ecs:DescribeServices") from None

    def tasks(self, service: str) -> tuple[Task, ...]:
        """The service's tasks, running and recently stopped (ECS forgets them after about an hour), newest first."""
        arns = [*self._listed(service), *self._listed(service, "STOPPED")]
        tasks = self._described(arns, place(service, self._cluster)[0])
        return tuple(sorted(tasks, key=lambda task: str(task.created_at or ""), reverse=True))

    def running(self, services: Sequence[str]) -> Attempts[tuple[Task, ...]]:
        """The tasks that each service wants to run now: those of its whole cluster are listed where that is less work.

        A page of ListTasks has 100 tasks, so it is unless others run far more tasks there than these services. Else one
        ListTasks a service; DescribeTasks for 100 of all.
        """
        found: Attempts[tuple[Task, ...]] = Attempts()
        for cluster, called in by_cluster(services, self._cluster).items():
            every = self._of_cluster(cluster, len(called) // 2)
            if every is None:
                found = both(found, self._of_each(cluster, called))
                continue
            mine: dict[str, list[Task]] = {name: [] for name in called.values()}
            for task in every:
                if task.service in called:
                    mine[called[task.service]].append(task)
            found = both(found, Attempts({name: tuple(some) for name, some in mine.items()}))
        return found

    def _of_cluster(self, cluster: str, most: int) -> Sequence[Task] | None:
        """Every task that somebody wants to run there; None: they would take more than `most` pages."""
        with translated("ecs:ListTasks"):
            every = pages(self._client, "list_tasks", cluster=cluster, desiredStatus="RUNNING") if most else iter(())
            shown = list(islice(every, most + 1))
        if not 0 < len(shown) <= most:
            return None
        return self._described([arn for page in shown for arn in page["taskArns"]], cluster)

    def _of_each(self, cluster: str, called: Mapping[str, str]) -> Attempts[tuple[Task, ...]]:
        listed = attempt(called.values(), self._listed, at_once=AT_ONCE)
        arns = [arn for some in listed.results.values() for arn in some]
        found = {one.arn: one for one in self._described(arns, cluster)}
        tasks = {name: tuple(found[arn] for arn in some if arn in found) for name, some in listed.results.items()}
        return Attempts(tasks, listed.failures)

    def _described(self, arns: Sequence[str], cluster: str) -> list[Task]:
        with translated("ecs:DescribeTasks"):
            said = list(answers(self._client, "describe_tasks", cluster=cluster, tasks=list(dict.fromkeys(arns))))
        return [task_of(raw) for some in said for raw in some["tasks"]]

    def _listed(self, service: str, desired: str = "RUNNING") -> list[str]:
        cluster, name = place(service, self._cluster)
        with translated("ecs:ListTasks"):
            wanted: dict[str, Any] = {"cluster": cluster, "serviceName": name, "desiredStatus": desired}
            return list(items(self._client, "list_tasks", "taskArns", **wanted))

    def stream(self, task: Task, container: str) -> str:
        """The name of the container's log stream (`prefix/container/task`); empty without the awslogs driver."""
        found = self._definition(task.task_definition).container(container)
        return f"{found.log_prefix}/{container}/{task.id}" if found and found.log_prefix else ""

    def environment(self, task: Task) -> Mapping[str, str]:
        """The plain variables of the task's containers; of one that several have, the first container's value."""
        return self._definition(task.task_definition).variables()

    def takes(self, definition: str) -> bool:
        """Whether new deployments can have this task definition: it was not deregistered. Read each time."""
        self._definitions.pop(definition, None)
        return self._definition(definition).active

    def _definition(self, arn: str) -> TaskDefinition:
        """What a revision says never changes: each is read once."""
        if arn not in self._definitions:
            with translated("ecs:DescribeTaskDefinition"):
                answer = self._client.describe_task_definition(taskDefinition=arn)
            self._definitions[arn] = parsed(answer["taskDefinition"])
        return self._definitions[arn]

    def record(self, service: str, known: str = "") -> RolloutRecord | None:
        """ECS's record of the service's newest deployment, or of the one whose ARN is `known`."""
        return self.deployments.newest(service, known)

    def stop(self, deployment: str) -> None:
        """Have a deployment go back to what ran before."""
        self.deployments.stop(deployment)

    def redeploy(self, service: str, definition: str = "") -> str:
        """Force a new deployment with this task definition (empty: the same); give its id.

        Each that is sent would be one more.
        """
        cluster, name = place(service, self._cluster)
        other = {"taskDefinition": definition} if definition else {}
        with sent_once("ecs:UpdateService"):
            answer = self._client.update_service(cluster=cluster, service=name, forceNewDeployment=True, **other)
            raw = answer["service"]
        primary = _service(raw, service).primary
        return primary.id if primary else ""


def _service(raw: Mapping[str, Any], called: str) -> Service:
    controller = raw.get("deploymentController", {}).get("type") or ECS
    ours = map(_deployment, raw.get("deployments") or ())
    sets = raw.get("taskSets") or ()
    made = tuple(ours) if controller == ECS else tuple(map(_task_set, sets))
    primary = next((one for one in sets if one.get("status") == "PRIMARY"), None)
    ways = [*(way for one in sets for way in _ways(one)), *_ways(raw)]
    told = any("loadBalancers" in one for one in (raw, *sets))
    rules = raw.get("deploymentConfiguration", {})
    return Service(
        name=called,
        status=raw["status"],
        desired=raw["desiredCount"],
        running=raw["runningCount"],
        pending=raw["pendingCount"],
        deployments=tuple(sorted(made, key=lambda one: one.status != "PRIMARY")),
        happened=raw["happened"] if "happened" in raw else happened(raw),
        grace=float(raw.get("healthCheckGracePeriodSeconds") or 0),
        controller=controller,
        strategy=rules.get("strategy") or ROLLING,
        minimum=rules.get("minimumHealthyPercent", 100),
        maximum=rules.get("maximumPercent", 200),
        early=bool(rules.get("earlySuccessCriteria", {}).get("enable")),
        task_definition=raw.get("taskDefinition", ""),
        target_groups=tuple(dict.fromkeys(group for way in ways for group in way if group)) if told else None,
        colours=tuple(way for way in ways if all(way)),
        serving_groups=tuple(group for group, _ in _ways(primary)),
        tags={one["key"]: one.get("value", "") for one in raw.get("tags") or ()},
    )


def _deployment(one: Mapping[str, Any]) -> Deployment:
    return Deployment(
        id=one["id"],
        status=one["status"],
        rollout_state=one.get("rolloutState", ""),
        rollout_reason=one.get("rolloutStateReason", ""),
        task_definition=one.get("taskDefinition", ""),
        desired=one.get("desiredCount", 0),
        running=one.get("runningCount", 0),
        failed=one.get("failedTasks", 0),
        created_at=one["createdAt"],
    )


def _task_set(one: Mapping[str, Any]) -> Deployment:
    """A task set is to another controller what a deployment is to ECS: its tasks name it as what started them."""
    steady = one.get("stabilityStatus") == "STEADY_STATE"
    return Deployment(
        id=one["id"],
        status=one["status"],
        rollout_state="COMPLETED" if steady else "IN_PROGRESS",
        rollout_reason="",
        task_definition=one.get("taskDefinition", ""),
        desired=one.get("computedDesiredCount", 0),
        running=one.get("runningCount", 0),
        failed=0,
        created_at=one.get("createdAt", _LONG_AGO),
    )


def _ways(one: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Target groups in pairs; the other colour's is empty where there is none."""
    for way in (one or {}).get("loadBalancers") or ():
        if way.get("targetGroupArn"):
            yield way["targetGroupArn"], way.get("advancedConfiguration", {}).get("alternateTargetGroupArn", "")


def task_of(raw: Mapping[str, Any]) -> Task:
    """From the API's `task`."""
    return Task(
        arn=raw["taskArn"],
        deployment=raw.get("startedBy", ""),
        task_definition=raw["taskDefinitionArn"],
        status=raw["lastStatus"],
        created_at=raw.get("createdAt"),
        stopped_at=raw.get("stoppedAt"),
        stop_code=raw.get("stopCode", ""),
        stopped_reason=raw.get("stoppedReason", ""),
        containers=tuple(
            Container(one["name"], one.get("lastStatus", ""), one.get("exitCode"), one.get("reason", ""))
            for one in raw.get("containers", ())
        ),
        stopping_at=raw.get("stoppingAt"),
        started_at=raw.get("startedAt"),
        service=group.removeprefix(_OF_A_SERVICE) if (group := raw.get("group", "")).startswith(_OF_A_SERVICE) else "",
        addresses=tuple(
            str(said["value"])
            for one in raw.get("attachments", ())
            for said in one.get("details", ())
            if said.get("name") == "privateIPv4Address"
        ),
    )
