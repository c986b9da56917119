"""What Onyx says of its search index, without a host."""

from __future__ import annotations

from orchestrator.rollout.addressees import AddresseeKind
from orchestrator.rollout.causes import RepairedBy
from orchestrator.rollout.log_rules.rule import LogRule

OWN = (
    LogRule(
        r"flood-stage watermark|FORBIDDEN/12/index read-only|read-only-allow-delete block|cluster create-index blocked",
        "opensearch-disk-full",
        "OpenSearch's disk is nearly full, and it takes no more documents",
        "give its volume or domain more storage; when there is room it unlocks the indexes by itself (older versions: "
        'PUT */_settings {"index.blocks.read_only_allow_delete": null})',
        RepairedBy.OUTSIDE,
        AddresseeKind.OPENSEARCH,
    ),
    LogRule(
        r"circuit_breaking_exception|es_rejected_execution_exception|rejected_execution_exception",
        "opensearch-overloaded",
        "OpenSearch refuses requests: its memory or its queues are full",
        "use a larger instance or heap (OPENSEARCH_JAVA_OPTS), or send smaller and fewer requests at a time",
        RepairedBy.OUTSIDE,
        AddresseeKind.OPENSEARCH,
    ),
    LogRule(
        r"(cluster_manager|master)_not_discovered_exception",
        "opensearch-not-formed",
        "OpenSearch's nodes have not chosen a cluster manager, so it answers nobody",
        "one node alone: discovery.type = single-node; several: they must reach each other on 9300, and more than half "
        "of them must run",
        RepairedBy.OUTSIDE,
        AddresseeKind.OPENSEARCH,
    ),
    LogRule(
        r"vm\.max_map_count \[?\d+\]? is too low",
        "opensearch-host-limits",
        "OpenSearch does not start: its host allows too few memory maps",
        "on the instance: sysctl -w vm.max_map_count=262144 (and in /etc/sysctl.d); for one node alone: discovery.type "
        "= single-node",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"maximum (normal )?shards open",
        "opensearch-shards-exhausted",
        "OpenSearch may hold no more shards",
        "delete indexes that nobody needs, use fewer shards an index, or raise cluster.max_shards_per_node",
        RepairedBy.OUTSIDE,
        AddresseeKind.OPENSEARCH,
    ),
    LogRule(
        r"User: anonymous is not authorized to perform: es:",
        "opensearch-request-unsigned",
        "the OpenSearch domain accepts signed requests only, and the task's are not signed",
        "let the client sign them (AWS4Auth, service es) with the task role, or turn on fine-grained access control "
        "with a user and password",
        RepairedBy.TASK_DEFINITION,
        AddresseeKind.OPENSEARCH,
    ),
    LogRule(
        r"no permissions for \[(?P<name>[\w:/*]+)\]",
        "opensearch-permission-denied",
        "OpenSearch lets the task's user in, and not do {name}",
        "map that user or the task role to a role of OpenSearch that allows it (_plugins/_security/api/rolesmapping)",
        RepairedBy.OUTSIDE,
        AddresseeKind.OPENSEARCH,
    ),
    LogRule(
        r"UnsupportedProductError|client noticed that the server is not Elasticsearch",
        "opensearch-client-foreign",
        "the application's Elasticsearch client refuses a server that is not Elasticsearch",
        "use opensearch-py, or elasticsearch 7.13 or older",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"507 (Server Error|Insufficient Storage)|[Ff]eed is blocked|feed.*blocked due to resource exhaustion",
        "vespa-feed-blocked",
        "Vespa takes no more documents: its disk or memory is nearly full",
        "enlarge Vespa's volume (aws ec2 modify-volume, then grow the file system) or its instance",
        RepairedBy.OUTSIDE,
        AddresseeKind.VESPA,
    ),
    LogRule(
        r"INVALID_APPLICATION_PACKAGE|OUT_OF_CAPACITY",
        "vespa-package-refused",
        "Vespa refuses the application package of this version",
        "read Vespa's own answer in the line: a change that needs a validation override, or an older Vespa than the "
        "package is written for",
        RepairedBy.OUTSIDE,
        AddresseeKind.VESPA,
    ),
)
"""Its own words: before the connections, since the line names its host too."""
LAST = (
    LogRule(
        r"opensearchpy\.exceptions\.AuthenticationException|AuthenticationException\(401"
        r"|opensearch.*TransportError\(401",
        "opensearch-login-refused",
        "OpenSearch rejects the task's password",
        "it keeps the one from its first start: put that back into the secret of OPENSEARCH_ADMIN_PASSWORD",
        RepairedBy.OUTSIDE,
        AddresseeKind.OPENSEARCH,
    ),
    LogRule(
        r"\[?OpenSearch\]?.*(refused|unreachable|timed? ?out|did not succeed|not ready)"
        r"|opensearchpy\.exceptions\.ConnectionError",
        "opensearch-unreachable",
        "the task could not reach OpenSearch",
        "check OPENSEARCH_HOST and its port, OPENSEARCH_USE_SSL, and OpenSearch's security group",
        RepairedBy.OUTSIDE,
        AddresseeKind.OPENSEARCH,
    ),
    LogRule(
        r"[Vv]espa.*(refused|unreachable|timed? ?out|unhealthy|not ready)",
        "vespa-unreachable",
        "the task could not reach Vespa's config server",
        "check that the container runs on the Vespa instance and that 8081 and 19071 are open to the tasks",
        RepairedBy.OUTSIDE,
        AddresseeKind.VESPA,
    ),
    LogRule(
        r"Could not connect to a document index",
        "index-unreachable",
        "Onyx found no search index",
        "set VESPA_HOST (Onyx 2) or OPENSEARCH_HOST (Onyx 4; without it, the api asks itself) to the index that runs",
        RepairedBy.OUTSIDE,
    ),
)
