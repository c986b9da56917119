"""Whether a change may be sent again when its answer was lost. One row for each change that the product makes of AWS.

botocore sends a call again by itself (5 attempts). That does no harm to what is asked twice and done once; what is done
once more each time is sent until it may have arrived, and never again: who asked for it looks whether it did.
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
    "start_session": "nothing: a session that nobody uses ends by itself",
    "update_service": "the service is read again: a forced deployment that nobody knew of",
}
"""Operation → how it is found out whether it arrived."""

AGAIN: Mapping[str, str] = {
    "add_tags_to_resource": "a tag is set to a value",
    "cancel_command": "what is cancelled is cancelled",
    "continue_service_deployment": "refused once the hook was answered, and then the deployment is read again",
    "copy": "the same bytes to the same key",
    "copy_object": "the same bytes to the same key",
    "create_bucket": "BucketAlreadyOwnedByYou says that it is made",
    "create_db_cluster_snapshot": "it has a name of ours: DBClusterSnapshotAlreadyExistsFault says that it was begun",
    "create_db_snapshot": "it has a name of ours: DBSnapshotAlreadyExists says that it was begun",
    "create_secret": "botocore gives it a ClientRequestToken",
    "delete_db_cluster_snapshot": "what is deleted is deleted",
    "delete_db_snapshot": "what is deleted is deleted",
    "delete_object": "of one version, or of an object of which only the newest counts",
    "delete_objects": "of one version, or of an object of which only the newest counts",
    "delete_parameters": "what is deleted is deleted",
    "delete_secret": "what is deleted is deleted",
    "delete_snapshot": "what is deleted is deleted",
    "modify_db_cluster": "deletion protection is set to a value",
    "modify_db_instance": "deletion protection is set to a value",
    "modify_load_balancer_attributes": "deletion protection is set to a value",
    "modify_replication_group": "refused while the first one is under way, and then the group is read again",
    "put_bucket_tagging": "tags are set to values",
    "put_bucket_versioning": "versioning is set to a value",
    "put_object": "the same bytes to the same key; a lock knows its own writes by what they say",
    "put_parameter": "it has a name of this process's own: ParameterAlreadyExists says that it is made",
    "put_public_access_block": "the block is set to a value",
    "put_secret_value": "botocore gives it a ClientRequestToken",
    "register_scalable_target": "what is suspended is set to a value",
    "remove_tags_from_resource": "what is gone is gone",
    "start_db_cluster": "refused while it starts, and then the cluster is read again",
    "start_db_instance": "refused while it starts, and then the server is read again",
    "start_instances": "what starts starts",
    "stop_db_cluster": "refused while it stops, and then the cluster is read again",
    "stop_db_instance": "refused while it stops, and then the server is read again",
    "stop_instances": "what stops stops",
    "stop_service_deployment": "refused once it has gone back, and then the deployment is read again",
    "tag_resource": "a tag is set to a value",
    "terminate_session": "what is ended is ended",
    "untag_resource": "what is gone is gone",
}
"""Operation → why it may be asked for twice."""

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
"""Answers that say that nothing was done, whatever their HTTP status."""


@contextmanager
def sent_once(doing: str) -> Iterator[None]:
    """Like `translated`, around one call of `ONCE`: raises `Unheard` when nobody knows whether it arrived."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise failure_of(error, doing) from None


def failure_of(error: Exception, doing: str) -> OrchestratorError:
    """What a call of `ONCE` ended with: `Unheard` without an answer, or with one that doesn't say what was done."""
    found = problem_of(error, doing)
    unknown = isinstance(found, Transient) and found.problems[0].code != "throttled"
    return Unheard(*found.problems) if unknown else found


def register(client: Any) -> None:
    """Have botocore never send a call of `ONCE` again once it may have arrived."""
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
    """Raise what a call would end with, if it may have arrived; botocore then asks nobody whether to send it again."""
    if caught_exception is not None and not isinstance(caught_exception, _NEVER_LEFT):
        raise caught_exception
    if response is None or operation is None:
        return
    http, said = response
    if http.status_code >= 500 and said.get("Error", {}).get("Code") not in _TOO_FAST:
        raise ClientError(dict(said), operation.name)  # type: ignore[arg-type]
