"""The grace period is shorter than migrations take."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.meddling import Console, Undo, meddled


def _shorten(console: Console) -> Iterator[Undo]:
    ecs = console.client("ecs")
    for one in console.services():
        target = {"cluster": one["clusterArn"], "service": one["serviceName"]}
        before = one.get("healthCheckGracePeriodSeconds", 0)
        ecs.update_service(**target, healthCheckGracePeriodSeconds=60)
        yield lambda target=target, before=before: ecs.update_service(  # type: ignore[misc]
            **target, healthCheckGracePeriodSeconds=before
        )


FAULT = meddled("short-grace", "the grace period is 60 s", "Health Check Failures", _shorten, restarts=False)
