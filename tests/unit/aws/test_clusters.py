"""Services of several clusters: each is asked for where it is, and called so that it can't be mistaken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.aws import clusters
from orchestrator.aws.autoscaling import Autoscaling
from orchestrator.aws.service_counts import ServiceCounts


def test_a_service_is_placed_by_what_it_is_called() -> None:
    assert clusters.place("web", "home") == ("home", "web")
    assert clusters.place("other/web", "home") == ("other", "web")
    assert clusters.by_cluster(["web", "other/web"], "home") == {"home": {"web": "web"}, "other": {"web": "other/web"}}
    assert clusters.options("other/web") == "--cluster other --service web"
    assert clusters.options("web") == "--service web"


class Ecs:
    """Each cluster has a service `web`; calls are kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def describe_services(self, *, cluster: str, services: list[str], **_more: Any) -> dict[str, Any]:
        self.asked.append((cluster, services))
        said = {"status": "ACTIVE", "desiredCount": 1, "runningCount": 1, "pendingCount": 0, "taskDefinition": "td"}
        return {"services": [{**said, "serviceName": name, "serviceArn": f"{cluster}/{name}"} for name in services]}

    def update_service(self, **said: Any) -> dict[str, Any]:
        self.asked.append((said["cluster"], said["service"]))
        return {}


def test_counts_are_read_and_changed_cluster_by_cluster() -> None:
    ecs = Ecs()
    counts = ServiceCounts(ecs, "home")
    assert {name: one.arn for name, one in counts.read(["web", "other/web"]).items()} == {
        "web": "home/web",
        "other/web": "other/web",
    }
    counts.scale("other/web", 0)
    assert ecs.asked == [("home", ["web"]), ("other", ["web"]), ("other", "web")]


class Scaling:
    """Every service scales by itself."""

    def get_paginator(self, _operation: str) -> Scaling:
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        yield {
            "ScalableTargets": [{"ResourceId": one, "MinCapacity": 1, "MaxCapacity": 2} for one in asked["ResourceIds"]]
        }


def test_autoscaling_tells_services_of_one_name_apart() -> None:
    assert set(Autoscaling(Scaling(), "home").targets(["web", "other/web"])) == {"web", "other/web"}
