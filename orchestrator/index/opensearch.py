"""OpenSearch, as Onyx 3 uses it beside Vespa and Onyx 4 alone.

The api makes its indexes itself, so a fresh node is healthy before any is there; on one node yellow is as good as
green, for a replica has no other node to be on. The image has a certificate of its own, which nobody can
verify. The password is the one the tasks use: the instance fetches it with its own role, and gives it to curl on
standard input.
"""

from __future__ import annotations

import shlex
from typing import Any

from orchestrator.index.provider import IndexProvider, TaskSetting
from orchestrator.stack.indexes import OPENSEARCH, OpenSearch

INDEXES = "*,-.*,-top_queries-*,-security-auditlog-*"
"""All but OpenSearch's own."""


def _probe(index: OpenSearch) -> str:
    place, base = shlex.quote(index.secret_arn), f"https://localhost:{index.port}"
    key, user = shlex.quote(index.secret_key), shlex.quote(index.admin_user)
    as_curl = "import json, sys; said = sys.stdin.read().strip(); key, user = sys.argv[1:]; "
    as_curl += 'word = json.loads(said)[key] if key else said; print("user = " + json.dumps(user + ":" + word, '
    as_curl += "ensure_ascii=False))"
    return f"""
login=$(aws secretsmanager get-secret-value --region {shlex.quote(index.region)} --secret-id {place} \\
  --query SecretString --output text | python3 -c {shlex.quote(as_curl)} {key} {user})
ask() {{ printf '%s' "$login" | curl -sfk -m 10 -K - "$1"; }}
health=$(ask {base}/_cluster/health 2>/dev/null || true)
case "$health" in *'"green"'*|*'"yellow"'*) healthy=true ;; *) healthy=false ;; esac
counted=$(ask '{base}/{INDEXES}/_count' 2>/dev/null || true)"""


def _documents(counted: Any) -> int | None:
    number = counted.get("count") if isinstance(counted, dict) else None
    return number if isinstance(number, int) else None


def _settings(index: OpenSearch) -> dict[str, TaskSetting]:
    return {
        "OPENSEARCH_HOST": TaskSetting(index.host, "localhost"),
        "OPENSEARCH_REST_API_PORT": TaskSetting(str(index.port), "9200"),
        "OPENSEARCH_USE_SSL": TaskSetting("true", "true"),
    }


def _counted(index: OpenSearch) -> tuple[str, ...]:
    return (str(index.port), INDEXES, index.admin_user, index.region, index.secret_arn, index.secret_key)


PROVIDER: IndexProvider[OpenSearch] = IndexProvider(
    name=OPENSEARCH,
    title="OpenSearch",
    image="opensearchproject/opensearch",
    data="/usr/share/opensearch/data",
    mounted="/opt/opensearch",
    answerer="its REST API",
    host_variable="OPENSEARCH_HOST",
    port_variable="OPENSEARCH_REST_API_PORT",
    guide_section="",
    probe=_probe,
    documents=_documents,
    counter="count_opensearch.py",
    counted=_counted,
    ports=lambda index: (index.port,),
    settings=_settings,
)
