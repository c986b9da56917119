"""What Onyx says of its search index, without a host."""

from __future__ import annotations

from orchestrator.rollout.addressees import AddresseeKind
from orchestrator.rollout.causes import RepairedBy
from orchestrator.rollout.log_rules.rule import LogRule

RULES = (
    LogRule(
        r"opensearchpy\.exceptions\.(AuthenticationException|AuthorizationException)",
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
