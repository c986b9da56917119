"""Settings in the task definition that are wrong in ways of their own."""

from __future__ import annotations

from orchestrator.local.faults import Fault
from orchestrator.local.faults.manual_changes import meddled
from orchestrator.local.faults.revisions import Change, change_definition, set_variable


def _changed(name: str, title: str, guide: str, change: Change) -> Fault:
    return meddled(name, title, guide, lambda console: change_definition(console, change), restarts=False)


def _without_task_role(made: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in made.items() if key != "taskRoleArn"}


FAULTS = (
    _changed(
        "redis-number-too-high",
        "the task uses a database number that Redis doesn't have",
        "Redis/Cache Issues",
        set_variable("REDIS_DB_NUMBER", lambda _: "20"),
    ),
    _changed(
        "task-without-role", "the task has no role that could use its bucket", "S3 Storage Issues", _without_task_role
    ),
    _changed(
        "region-wrong",
        "the task looks for its bucket in Onyx's own default region",
        "S3 Storage Issues",
        set_variable("AWS_REGION_NAME", lambda _: "us-east-2"),
    ),
    _changed(
        "database-other-port",
        "the task uses another port for PostgreSQL",
        "Database Issues",
        set_variable("POSTGRES_PORT", lambda _: "6432"),
    ),
    _changed(
        "vespa-other-config-port",
        "the task uses another port for Vespa's config server",
        "Vespa Vector Search Issues",
        set_variable("VESPA_TENANT_PORT", lambda _: "19070"),
    ),
)
