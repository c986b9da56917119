"""The vocabulary of `consistency_rows`: kinds of things, what reads them, and how a call names one.

Ids are brought to one form, whether a call gives a name or an ARN. What is read by a filter is found by the truth: only
what is shown of it is old.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.utilities.utils import get_partition

from orchestrator.local.core.cloud import ACCOUNT

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One operation that shows a thing.

    `items` is where the answer has its list (`a[].b`: in each of a list), `key` an item's id (JMESPath); without
    `items` the whole answer is about the one thing. `names` (JMESPath) are the things that a call asks for by name;
    `missing` is AWS's code for one that it doesn't see, or `lacks` says so in a good answer. `ask` gives the parameters
    of a look at one (its id, the region); None: it shows ids alone, and nothing of an old form. `narrow` leaves of an
    old answer what the call's parameters ask for.
    """

    operation: str
    ask: Callable[[str, str], Mapping[str, Any]] | None = None
    items: str = ""
    key: str = ""
    names: str = ""
    missing: str = ""
    lacks: Callable[[Document, str], None] | None = None
    service: str = ""
    """Another one than the kind's."""
    narrow: Callable[[Document, Mapping[str, Any]], None] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ConsistencyKind:
    """`changes`: operation → the ids in its parameters; `makes`: operation → the ids in its answer (JMESPath)."""

    service: str
    name: str
    readings: Sequence[Reading]
    source: str
    changes: Mapping[str, str] = field(default_factory=dict)
    makes: Mapping[str, str] = field(default_factory=dict)
    identify: Callable[[str, Mapping[str, Any]], str] = lambda said, _parameters: said


def of_cluster(said: str, parameters: Mapping[str, Any]) -> str:
    """`cluster/name`, whether a name or an ARN is said; empty for an ARN of something else (a task definition)."""
    if said.startswith("arn:"):
        kind, _, rest = said.split(":", 5)[-1].partition("/")
        return rest if kind in {"service", "task"} else ""
    return f"{str(parameters.get('cluster') or 'default').rsplit('/', 1)[-1]}/{said}"


def rds(kind: str) -> Callable[[str, Mapping[str, Any]], str]:
    """A name in RDS, which has no capitals; empty for an ARN of another kind."""

    def identify(said: str, _parameters: Mapping[str, Any]) -> str:
        if not said.startswith("arn:"):
            return said.lower()
        _, _, _, _, _, type_, name = said.split(":", 6)
        return name.lower() if type_ == kind else ""

    return identify


def prefixed(prefix: str) -> Callable[[str, Mapping[str, Any]], str]:
    """An id that begins so; empty for any other."""
    return lambda said, _parameters: said if said.startswith(prefix) else ""


def secret(said: str, _parameters: Mapping[str, Any]) -> str:
    """A secret's name: an ARN has six random characters behind it."""
    return re.sub(r"-[A-Za-z0-9]{6}$", "", said.split(":")[6]) if said.startswith("arn:") else said


def parameter(said: str, _parameters: Mapping[str, Any]) -> str:
    """A parameter's name."""
    return said.partition(":parameter")[2] if said.startswith("arn:") else said


def ecs_failure(answer: Document, name: str) -> None:
    """ECS says so beside the others."""
    answer.setdefault("failures", []).append({"arn": name, "reason": "MISSING"})


def no_secret(answer: Document, name: str) -> None:
    """Secrets Manager says so beside the others."""
    words = "Secrets Manager can't find the specified secret."
    lacking = {"SecretId": name, "ErrorCode": "ResourceNotFoundException", "Message": words}
    answer.setdefault("Errors", []).append(lacking)


def no_parameter(answer: Document, name: str) -> None:
    """SSM says so beside the others."""
    answer.setdefault("InvalidParameters", []).append(name)


def cluster_and(name: str) -> Callable[[str], Mapping[str, Any]]:
    """The parameters that name a cluster, and one thing of it in a list."""

    def ask(identity: str) -> Mapping[str, Any]:
        cluster, _, one = identity.partition("/")
        return {"cluster": cluster, name: [one]}

    return ask


def of_service(arn: str) -> Mapping[str, Any]:
    """The parameters that name the service of a service deployment."""
    _, cluster, service, _ = arn.split(":", 5)[-1].split("/")
    return {"cluster": cluster, "service": service}


def in_status(answer: Document, parameters: Mapping[str, Any]) -> None:
    """The service deployments of the statuses that were asked for."""
    if wanted := parameters.get("status"):
        answer["serviceDeployments"] = [one for one in answer["serviceDeployments"] if one["status"] in wanted]


def by_name(operation: str, parameter: str, missing: str = "") -> Reading:
    """A reading whose whole answer is about the one thing that a parameter names."""
    return Reading(operation, lambda one, _: {parameter: one}, names=parameter, missing=missing)


def by_names(operation: str, parameter: str, items: str, key: str, missing: str = "") -> Reading:
    """A reading that gives a list, of those whom a list parameter names."""
    return Reading(operation, lambda one, _: {parameter: [one]}, items=items, key=key, names=parameter, missing=missing)


def in_rds(operation: str, parameter: str, items: str, missing: str) -> Reading:
    """A reading of RDS: one name, and a list of one."""
    return Reading(
        operation, lambda one, _: {parameter: one}, items=items, key=parameter, names=parameter, missing=missing
    )


def tags_in_rds(kind: str, missing: str) -> Reading:
    """The tags of one thing, by its ARN."""

    def ask(one: str, region: str) -> Mapping[str, Any]:
        return {"ResourceName": f"arn:{get_partition(region)}:rds:{region}:{ACCOUNT}:{kind}:{one}"}

    return Reading("ListTagsForResource", ask, names="ResourceName", missing=missing)


ASSUMED = "assumed: AWS promises no more, and clients such as Terraform's provider read again"


def snapshots_in_rds(of: str, what: str, arn: str, missing: str) -> ConsistencyKind:
    """Of instances (`DB`) or clusters (`DBCluster`): RDS's calls for both are alike."""
    name = f"{of}SnapshotIdentifier"
    made = {f"Create{of}Snapshot": name, f"Delete{of}Snapshot": name, "AddTagsToResource": "ResourceName"}
    reading = in_rds(f"Describe{of}Snapshots", name, f"{of}Snapshots", missing)
    return ConsistencyKind("rds", what, changes=made, readings=(reading,), identify=rds(arn), source=ASSUMED)
