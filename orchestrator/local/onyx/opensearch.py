"""What Onyx 3 and 4 do with OpenSearch when they start: the cluster is healthy, and the api makes its index.

Asked in earnest over HTTP and TLS, of the node on the instance behind OPENSEARCH_HOST; whether the network leads there
is decided from security groups. Left out: pipelines, mappings, and the documents of connectors.
"""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote

from orchestrator.local.ec2 import reach
from orchestrator.local.onyx.services import TaskSurroundings, Unavailable, instance_at
from orchestrator.local.ssm import instance

INDEX = "danswer_chunk_nomic_ai_nomic_embed_text_v1"
"""Called after the embedding model, without a tenant's name."""
PORT = "9200"
SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SearchClient:
    """A way to one node, as one user."""

    port: int
    login: str
    where: str

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """Status and answer. Raises Unavailable in opensearch-py's words."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # OPENSEARCH_VERIFY_CERTS is false
        connection = HTTPSConnection("127.0.0.1", self.port, context=context, timeout=SECONDS)
        headers = {"Authorization": f"Basic {self.login}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, HTTPException):
            raise Unavailable(_refused(self.where)) from None
        finally:
            connection.close()
        if answer.status == 401:
            raise Unavailable(
                f"opensearchpy.exceptions.AuthenticationException: AuthenticationException(401, '{text}')"
            )
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text


def ask_opensearch(surroundings: TaskSurroundings, environment: Mapping[str, str]) -> None:
    """The cluster is yellow or green, and Onyx's index is there. Raises Unavailable."""
    client = _client(surroundings, environment)
    status, health = client.ask("GET", "/_cluster/health")
    colour = health.get("status", "") if isinstance(health, Mapping) else ""
    if status != 200 or colour not in {"yellow", "green"}:
        raise Unavailable(f"[OpenSearch] Readiness probe did not succeed: cluster health {colour or status}")
    status, said = client.ask("GET", f"/{INDEX}")
    if status == 404:
        status, said = client.ask("PUT", f"/{INDEX}", {"settings": {"index.number_of_replicas": 0}})
    if status != 200:
        raise Unavailable(f"[OpenSearch] Readiness probe did not succeed: {said}")


def put_document(
    surroundings: TaskSurroundings, environment: Mapping[str, str], identity: str, source: Mapping[str, Any]
) -> None:
    """The chunk is in Onyx's index, in place of an earlier one of this id. Raises Unavailable."""
    path = f"/{INDEX}/_doc/{quote(identity, safe='')}"
    status, said = _client(surroundings, environment).ask("PUT", path, source)
    if status not in (200, 201):
        raise Unavailable(f"opensearchpy.exceptions.TransportError: TransportError({status}, {said})")


def _client(surroundings: TaskSurroundings, environment: Mapping[str, str]) -> SearchClient:
    host, port = environment.get("OPENSEARCH_HOST", "localhost"), environment.get("OPENSEARCH_REST_API_PORT", PORT)
    where = f"{host}:{port}"
    found = instance_at(host, surroundings)
    if found is None or found.state != "running" or port != PORT:
        raise Unavailable(_refused(where))
    if not reach.may_connect(surroundings.region, surroundings.place, reach.instance(found), int(port)):
        raise Unavailable(
            f"opensearchpy.exceptions.ConnectionTimeout: ConnectionTimeout caused by - ConnectTimeoutError(<urllib3."
            f"connection.HTTPSConnection object>, 'Connection to {host} timed out. (connect timeout=5)')"
        )
    node = instance.opensearch(surroundings.cloud, found.id)
    if node is None:
        raise Unavailable(_refused(where))
    user = environment.get("OPENSEARCH_ADMIN_USERNAME", "admin")
    login = f"{user}:{environment.get('OPENSEARCH_ADMIN_PASSWORD', '')}"
    return SearchClient(node.port, base64.b64encode(login.encode()).decode(), where)


def _refused(where: str) -> str:
    return (
        "opensearchpy.exceptions.ConnectionError: ConnectionError(<urllib3.connection.HTTPSConnection object>: Failed "
        f"to establish a new connection to OpenSearch at {where}: [Errno 111] Connection refused)"
    )
