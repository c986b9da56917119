"""Redis's own words."""

from __future__ import annotations

from orchestrator.rollout.addressees import AddresseeKind
from orchestrator.rollout.causes import RepairedBy
from orchestrator.rollout.log_rules.rule import LogRule

RULES = (
    LogRule(
        r"AUTH.*without any password|Client sent AUTH, but no password is set",
        "redis-token-not-set",
        "the task sends a password, and Redis has none",
        "the redis-auth step sets the token from its secret",
        RepairedBy.WORKFLOW,
        AddresseeKind.REDIS,
    ),
    LogRule(
        r"NOAUTH|redis.*: Authentication required",
        "redis-auth-failed",
        "Redis requires its token, and the task sent none",
        "set REDIS_PASSWORD in the container's secrets (valueFrom: the token's secret)",
        RepairedBy.TASK_DEFINITION,
        AddresseeKind.REDIS,
    ),
    LogRule(
        r"WRONGPASS|invalid username-password pair|ERR invalid password",
        "redis-auth-failed",
        "Redis did not accept the task's password",
        "its token is not its secret's: either put the token that Redis accepts into the secret, or let `orchestrate "
        "run --only redis-auth --rotate-redis-token GROUP` rotate Redis to the secret's (it says which GROUP)",
        RepairedBy.OUTSIDE,
        AddresseeKind.REDIS,
    ),
    LogRule(
        r"NOPERM|this user has no permissions to |NoPermissionError: .*has no permissions to ",
        "redis-permission-denied",
        "the Redis user may not run a command that the task needs",
        "extend the user's access string (aws elasticache describe-users; modify-user --access-string)",
        RepairedBy.OUTSIDE,
        AddresseeKind.REDIS,
    ),
    LogRule(
        r"OOM command not allowed|command not allowed when used memory",
        "redis-memory-full",
        "Redis is out of memory and accepts no more data",
        "use a larger cache_node_type, or maxmemory-policy = volatile-lru in its parameter group (queue keys must "
        "not be evicted); the task's own memory is not the cause",
        RepairedBy.OUTSIDE,
        AddresseeKind.REDIS,
    ),
    LogRule(
        r"READONLY You can't write|ReadOnlyError",
        "redis-read-only",
        "the task writes to a replica of Redis",
        "REDIS_HOST must be the primary endpoint of the replication group (master.…), not the reader's (replica.…)",
        RepairedBy.TASK_DEFINITION,
        AddresseeKind.REDIS,
    ),
    LogRule(
        r"\bMOVED \d+ |CROSSSLOT|ClusterCrossSlotError|cluster support disabled",
        "redis-cluster-mode",
        "Redis is in cluster mode and the client is not, or vice versa",
        "use a replication group with cluster mode disabled (num_node_groups = 1, automatic failover), as Celery "
        "needs, or a cluster client",
        RepairedBy.OUTSIDE,
        AddresseeKind.REDIS,
    ),
    LogRule(
        r"LOADING Redis is loading|BusyLoadingError",
        "redis-loading",
        "Redis was still loading its data",
        "none needed: the next task finds it ready",
        RepairedBy.TIME,
        AddresseeKind.REDIS,
    ),
    LogRule(
        r"max number of clients reached",
        "redis-clients-exhausted",
        "Redis has no connections left",
        "use fewer or smaller pools, a timeout in its parameter group (for idle clients), or more nodes",
        RepairedBy.OUTSIDE,
        AddresseeKind.REDIS,
    ),
    LogRule(
        r"redis\.exceptions\.(Max)?Connection(s)?Error: (Too many connections|No connection available)",
        "connection-pool-exhausted",
        "the application's own pool of Redis connections was exhausted",
        "use a larger pool (Onyx: REDIS_POOL_MAX_CONNECTIONS; redis-py: max_connections) or fewer workers; Redis "
        "itself refused nothing",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"DB index is out of range",
        "redis-database-missing",
        "Redis has fewer databases than the number the task asks for",
        "lower REDIS_DB_NUMBER…, or create a replication group with more `databases` in its parameter group (usually "
        "16)",
        RepairedBy.TASK_DEFINITION,
        AddresseeKind.REDIS,
    ),
    LogRule(
        r"rediss:// URL must have parameter ssl_cert_reqs",
        "redis-url-incomplete",
        "Celery wants the check of Redis's certificate in the URL",
        "add ?ssl_cert_reqs=CERT_REQUIRED (or required) to the rediss:// URL of broker and result backend",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"MISCONF |CLUSTERDOWN |NOREPLICAS |MASTERDOWN ",
        "redis-unwell",
        "Redis takes no writes now: its disk, its replicas or its cluster are not well",
        "look at the server itself (INFO persistence, INFO replication, CLUSTER INFO; events of the replication group)",
        RepairedBy.OUTSIDE,
        AddresseeKind.REDIS,
    ),
)
