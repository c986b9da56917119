"""Whether a change may be resent when its answer was lost. One row for each changing call that the product makes.

botocore retries a call by itself (5 attempts). That is harmless for an idempotent change. A change that happens once
more each time is not resent once it may have arrived: the caller checks whether it did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
)
from botocore.model import OperationModel

from orchestrator.aws.errors import problem_of
from orchestrator.errors import OrchestratorError, Transient, Unheard

ONCE: Mapping[str, str] = {
    "change_resource_record_sets": "the records are read again; DELETE of what is gone would refuse the whole batch",
    "create_snapshot": "the snapshots are read again, by the backup's tags",
    "send_command": "the commands of the instance are read, by the mark in the comment",
    "start_session": "not at all: an unused session ends by itself",
    "update_service": "the service is read again: a forced deployment that was not there before",
}
"""Operation → how the caller finds out whether it arrived."""

AGAIN: Mapping[str, str] = {
    "add_tags_to_resource": "a tag is set to a value",
    "cancel_command": "cancelling twice is harmless",
    "continue_service_deployment": "refused once the hook was answered; the deployment is then read again",
    "copy": "the same bytes to the same key",
    "copy_object": "the same bytes to the same key",
    "create_bucket": "BucketAlreadyOwnedByYou: it was created",
    "create_db_cluster_snapshot": "we choose its name; DBClusterSnapshotAlreadyExistsFault: it was started",
    "create_db_snapshot": "we choose its name; DBSnapshotAlreadyExists: it was started",
    "create_secret": "botocore gives it a ClientRequestToken",
    "delete_db_cluster_snapshot": "deleting twice is harmless",
    "delete_db_snapshot": "deleting twice is harmless",
    "delete_object": "deletes one version, or an object whose newest version alone counts",
    "delete_objects": "deletes one version, or an object whose newest version alone counts",
    "delete_parameters": "deleting twice is harmless",
    "delete_secret": "deleting twice is harmless",
    "delete_snapshot": "deleting twice is harmless",
    "modify_db_cluster": "deletion protection is set to a value",
    "modify_db_instance": "deletion protection is set to a value",
    "modify_load_balancer_attributes": "deletion protection is set to a value",
    "modify_replication_group": "refused while the first is in progress; the group is then read again",
    "put_bucket_tagging": "tags are set to values",
    "put_bucket_versioning": "versioning is set to a value",
    "put_object": "the same bytes to the same key; a lock recognizes its own writes by their content",
    "put_parameter": "its name is unique to this process; ParameterAlreadyExists: it was created",
    "put_public_access_block": "the block is set to a value",
    "put_secret_value": "botocore gives it a ClientRequestToken",
    "register_scalable_target": "the suspension is set to a value",
    "remove_tags_from_resource": "removing twice is harmless",
    "run_task": "botocore gives it a clientToken",
    "start_db_cluster": "refused while it starts; the cluster is then read again",
    "start_db_instance": "refused while it starts; the server is then read again",
    "start_instances": "starting twice is harmless",
    "stop_db_cluster": "refused while it stops; the cluster is then read again",
    "stop_db_instance": "refused while it stops; the server is then read again",
    "stop_instances": "stopping twice is harmless",
    "stop_service_deployment": "refused once it has rolled back; the deployment is then read again",
    "tag_resource": "a tag is set to a value",
    "terminate_session": "ending twice is harmless",
    "untag_resource": "removing twice is harmless",
}
"""Operation → why resending it is harmless."""

CHANGES = ONCE.keys() | AGAIN.keys()
"""All of them: after each, what was read before may be untrue."""

_NEVER_LEFT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)
_TOO_FAST = frozenset(
    {
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Error codes that mean that nothing was done, whatever the HTTP status."""


@contextmanager
def sent_once(doing: str) -> Iterator[None]:
    """Like `translated`, around one call of `ONCE`: raises `Unheard` when it is unknown whether the call arrived."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise failure_of(error, doing) from None


def failure_of(error: Exception, doing: str) -> OrchestratorError:
    """The error of a call of `ONCE`: `Unheard` if there was no answer, or one that doesn't say what was done."""
    found = problem_of(error, doing)
    unknown = isinstance(found, Transient) and found.problems[0].code != "throttled"
    return Unheard(*found.problems) if unknown else found


def register(client: Any) -> None:
    """Keep botocore from resending a call of `ONCE` that may have arrived."""
    service = client.meta.service_model.service_id.hyphenize()
    for method, operation in client.meta.method_to_api_mapping.items():
        if method in ONCE:
            client.meta.events.register_first(f"needs-retry.{service}.{operation}", _end)


def _end(
    response: tuple[Any, Mapping[str, Any]] | None = None,
    caught_exception: Exception | None = None,
    operation: OperationModel | None = None,
    **_: Any,
) -> None:
    """Raise the call's own error if it may have arrived, so that botocore doesn't decide whether to retry."""
    if caught_exception is not None and not isinstance(caught_exception, _NEVER_LEFT):
        raise caught_exception
    if response is None or operation is None:
        return
    http, said = response
    if http.status_code >= 500 and said.get("Error", {}).get("Code") not in _TOO_FAST:
        raise ClientError(dict(said), operation.name)  # type: ignore[arg-type]
