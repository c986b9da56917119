"""ECS services as DescribeServices shows them: asked for once in a look, whoever needs which part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from orchestrator.aws.batches import answers, of
from orchestrator.aws.service_events import happened
from orchestrator.engine.looks import Recent

AT_ONCE = 8


def described(client: Any, cluster: str, names: Sequence[str], recent: Recent) -> Sequence[Mapping[str, Any]]:
    """Those that exist and are not INACTIVE, tags with them; `happened` in place of `events`. Raises botocore's errors.

    A service that was not there is asked for again.
    """

    def read(rest: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            said = list(pool.map(ask, of("describe_services", "services", [name for _, name in rest])))
        return {(cluster, raw["serviceName"]): _slim(raw) for some in said for raw in some}

    def ask(some: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        asked = {"cluster": cluster, "services": some, "include": ["TAGS"]}
        return [raw for answer in answers(client, "describe_services", **asked) for raw in answer["services"]]

    found = recent.many("services", [(cluster, name) for name in names], read)
    return [raw for raw in found.values() if raw["status"] != "INACTIVE"]


def _slim(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """The texts of its 100 events are most of it, and are needed only once."""
    return {**{name: value for name, value in raw.items() if name != "events"}, "happened": happened(raw)}
