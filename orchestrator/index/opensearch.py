"""OpenSearch, as Onyx 3 uses it beside Vespa and Onyx 4 alone.

The api makes its indexes itself, so a fresh node is healthy before any is there; on one node yellow is as good as
green, for a replica has no other node to be on. The image has a certificate of its own, which nobody can
verify. The password is the one the tasks use: the instance fetches it with its own role, and gives it to curl on
standard input. The node keeps the first password it was given on its data volume, whatever its secret says later.
"""

from __future__ import annotations

import shlex
from typing import Any

from orchestrator.index.provider import IndexProvider, TaskSetting, Trouble
from orchestrator.stack.indexes import OPENSEARCH, OpenSearch

INDEXES = "*,-.*,-top_queries-*,-security-auditlog-*"
"""All but OpenSearch's own."""
_LOGIN = """import json, sys
said = sys.stdin.read().strip() or sys.exit(1)
key, user = sys.argv[1:]
word = json.loads(said)[key] if key else said
print("user = " + json.dumps(user + ":" + word, ensure_ascii=False))"""
"""A line of curl's configuration, which no list of processes shows."""
_DISK = """import json, sys
print(max(int(one["disk.percent"]) for one in json.load(sys.stdin) if one.get("disk.percent")))"""
_PROBE = f"""
signed_in() {{
  login=$(aws secretsmanager get-secret-value --region "$4" --secret-id "$5" --query SecretString --output text \\
    | python3 -c {shlex.quote(_LOGIN)} "$6" "$3")
}}
base="https://localhost:$1" indexes=$2
ask() {{ printf '%s' "$login" | curl -sk -m 10 -K - "$@" 2>/dev/null; }}
case "$seen" in
  *'"state": "running"'*)
    if signed_in "$@"; then
      health=$(ask -w '\\n%{{http_code}}' "$base/_cluster/health" || true)
      case "$health" in
        *$'\\n'401|*$'\\n'403) trouble=login-refused ;;
        *'"green"'*|*'"yellow"'*) healthy=true ;;
        *'"red"'*) trouble=damaged ;;
      esac
    else
      trouble=secret-unreadable
    fi ;;
esac
if [ "$healthy" = true ]; then
  counted=$(ask -f "$base/$indexes/_count" || true)
  disks="$base/_cat/allocation?format=json&h=disk.percent"
  disk=$(ask -f "$disks" | python3 -c {shlex.quote(_DISK)} 2>/dev/null || true)
fi"""
TROUBLES = {
    "login-refused": Trouble(
        "it rejects the password in its secret: on its data volume it keeps the one from its first start",
        "put that password back into the secret (aws secretsmanager put-secret-value), then: orchestrate redeploy "
        "{tenant}",
    ),
    "secret-unreadable": Trouble(
        "its own instance can't read the secret with its password, so it can't be asked",
        "allow the instance's role secretsmanager:GetSecretValue on it (terraform/modules/index shows how)",
    ),
    "damaged": Trouble(
        "a shard of an index is damaged or missing (its health is red)",
        "bring back the last backup (orchestrate restore), or delete the index that its log names (orchestrate logs "
        "opensearch --tenant {tenant}) and have Onyx index the documents again",
    ),
}


def _documents(counted: Any) -> int | None:
    number = counted.get("count") if isinstance(counted, dict) else None
    return number if isinstance(number, int) else None


def _settings(index: OpenSearch) -> dict[str, TaskSetting]:
    return {
        "OPENSEARCH_HOST": TaskSetting(index.host, "localhost"),
        "OPENSEARCH_REST_API_PORT": TaskSetting(str(index.port), "9200"),
        "OPENSEARCH_USE_SSL": TaskSetting("true", "true"),
    }


def _words(index: OpenSearch) -> tuple[str, ...]:
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
    probe=_PROBE,
    documents=_documents,
    counter="count_opensearch.py",
    words=_words,
    ports=lambda index: (index.port,),
    settings=_settings,
    troubles=TROUBLES,
)
