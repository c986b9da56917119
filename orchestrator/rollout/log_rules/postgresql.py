"""PostgreSQL's own words, and its client libraries'. That a client could not connect is no cause by itself."""

from __future__ import annotations

from orchestrator.database import refusals
from orchestrator.rollout.addressees import AddresseeKind
from orchestrator.rollout.causes import RepairedBy
from orchestrator.rollout.log_rules.rule import LogRule

_IN_THE_TASK = frozenset({"database-wants-tls", "database-password-missing", "database-client-too-old"})
_NAME = r'\\?"(?P<name>[\w.@$-]+)\\?"'

_LOGIN = tuple(
    LogRule(
        one.pattern,
        one.code,
        one.meaning,
        one.fix,
        RepairedBy.TASK_DEFINITION if one.code in _IN_THE_TASK else RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    )
    for one in refusals.LOGIN
)

RULES = (
    LogRule(
        r"no such database: |no such user: |server login has been failing|query_wait_timeout|bouncer config error"
        r"|FATAL:\s+SSL required|client_login_timeout|pgbouncer cannot connect to server",
        "pooler-refuses",
        "a connection pooler between the task and PostgreSQL refuses the task (PgBouncer's words)",
        "look at the pooler: its [databases] and auth_file must know the tenant's database and role, its own login at "
        "the server must work, and its pool must be large enough",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"RDS [Pp]roxy has no credentials for the role",
        "database-proxy-without-credentials",
        "RDS Proxy has no secret for the tenant's role",
        "add the tenant's secret to the proxy (an auth block in aws_db_proxy; aws rds modify-db-proxy --auth …), and "
        "let the proxy's role read it",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"\.s\.PGSQL\.\d+",
        "database-host-missing",
        "the task looks for PostgreSQL on a socket of its own: its environment doesn't say where PostgreSQL is",
        "set POSTGRES_HOST (PGHOST, DATABASE_URL) in the container's environment in the task definition",
        RepairedBy.TASK_DEFINITION,
    ),
    *_LOGIN,
    LogRule(
        rf"(?<!target )database {_NAME} does not exist|P1003\b.*[Dd]atabase `?(?P<prisma>[\w.-]+)`? does not exist"
        r"|ActiveRecord::NoDatabaseError",
        "database-missing",
        "the tenant's database did not exist when the task started",
        "the tenant-databases step creates it",
        RepairedBy.WORKFLOW,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        rf"password authentication failed for (user|role) {_NAME}|P1000\b.*Authentication failed"
        r"|issue connecting to your database with your username/password",
        "database-login-denied",
        "PostgreSQL did not accept the tenant's role or password",
        "the tenant-databases step sets the role's password from its secret",
        RepairedBy.WORKFLOW,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        rf"FATAL:.*role {_NAME} does not exist",
        "database-login-denied",
        "the tenant's role did not exist when the task started",
        "the tenant-databases step creates it, with the password in its secret",
        RepairedBy.WORKFLOW,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        rf"role {_NAME} does not exist",
        "database-role-wanted",
        "a statement of the application names a role that the server does not have",
        'CREATE ROLE "{name}" NOLOGIN (as the admin user), or remove the statement that names it from the migration',
        RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"permission denied to create role|must (be superuser|have CREATEROLE privilege)",
        "database-createrole-denied",
        "a migration creates a role, and the tenant's role may not do that",
        "create that role first, as the admin user (CREATE ROLE … NOLOGIN): the migration then skips it; or ALTER "
        "ROLE … CREATEROLE",
        RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"permission denied to create extension \"(?P<name>[\w-]+)\"",
        "database-extension-denied",
        "a migration needs the extension {name}, and the tenant's role may not create it",
        'in the tenant\'s database, as the admin user: CREATE EXTENSION "{name}" (on RDS: is it in rds.extensions?)',
        RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"extension \"(?P<name>[\w-]+)\" is not available|could not open extension control file"
        r"|type \"(?P<type>vector|halfvec)\" does not exist",
        "database-extension-missing",
        "the server lacks an extension that a migration needs",
        "use an engine version that has it (aws rds describe-db-engine-versions; extensions of RDS for PostgreSQL), "
        "then CREATE EXTENSION in the tenant's database",
        RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"permission denied for (table|sequence|view|function|relation) |must be owner of ",
        "database-objects-foreign",
        "objects in the tenant's database belong to another role",
        "in the tenant's database, as the admin user: REASSIGN OWNED BY <that role> TO <the tenant's>; first check "
        "whose they are (a restore without --no-owner, a migration by hand)",
        RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r'permission denied for (database|schema) "?(?P<name>[\w.-]+)',
        "database-permission-denied",
        "the tenant's role may not use its database",
        "the tenant-databases step makes the role its owner",
        RepairedBy.WORKFLOW,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"no schema has been selected to create in",
        "database-schema-none",
        "PostgreSQL finds no schema in which the task's role may create tables",
        "in the tenant's database, as the admin user: GRANT USAGE, CREATE ON SCHEMA public TO <the tenant's role>; or "
        "correct the role's search_path",
        RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"in a read-only transaction|READ_ONLY_SQL_TRANSACTION|ReadOnlySqlTransaction",
        "database-read-only",
        "the task writes to a read-only server",
        "POSTGRES_HOST must be the writer's endpoint (not a reader, -ro- or replica); if it is, look at the storage: "
        "RDS makes a server read-only when it is full (SHOW default_transaction_read_only)",
        RepairedBy.TASK_DEFINITION,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"database system is (starting up|shutting down|in recovery mode|not (yet )?accepting connections)"
        r"|terminating connection due to administrator command|AdminShutdown",
        "database-restarting",
        "PostgreSQL was starting or stopping at that moment",
        "none needed: the next task finds it; if it stays so, see the server's events (aws rds describe-events)",
        RepairedBy.TIME,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"SSL connection has been closed unexpectedly|server closed the connection unexpectedly"
        r"|SSL SYSCALL error: EOF detected|An I/O error occurred while sending to the backend"
        r"|ConnectionDoesNotExistError|Connection terminated unexpectedly|unexpected EOF on client connection",
        "database-connection-lost",
        "PostgreSQL closed the connection (a restart, a failover, or memory that ran out)",
        "aws rds describe-events --source-type db-instance: did the server restart? If not, read its log of that "
        "minute",
        RepairedBy.TIME,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"(does not|doesn't) match host name|server certificate for .* does not match|is not in the cert's altnames"
        r".*(postgres|rds)",
        "database-certificate-mismatch",
        "the database server's certificate is for another name than the task uses",
        "POSTGRES_HOST must be RDS's own endpoint, not an alias or an address (or sslmode=verify-ca, which checks no "
        "name)",
        RepairedBy.TASK_DEFINITION,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"root certificate file \"?(?P<name>[\w./~-]+)?.* does not exist|could not read root certificate file"
        r"|[Nn]o such file or directory.*(rds-|global-bundle|rds_)[\w.-]*\.(pem|crt)",
        "database-bundle-missing",
        "the file with the CAs that the task should trust is not in its image",
        "put AWS's bundle (global-bundle.pem) at that path in the image, or name its real path in PGSSLROOTCERT",
        RepairedBy.TASK_DEFINITION,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"server does not support SSL|SSL is not enabled on the server|server refused TLS connection"
        r"|rejected SSL upgrade|server does not support SSL connections",
        "database-without-tls",
        "the task demands TLS of a database server that has none",
        "turn TLS on in the server (ssl = on); for a server that will have none, PGSSLMODE=prefer",
        RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"(translate host name|on host|server at) \"(?P<name>[\w.-]+:\d+)\"|ENOTFOUND (?P<other>[\w.-]+rds[\w.-]+:\d+)",
        "database-host-has-port",
        "POSTGRES_HOST contains a port",
        "give the task the database's `address`, not its `endpoint`",
        RepairedBy.TASK_DEFINITION,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"could not resize shared memory segment",
        "database-shared-memory",
        "PostgreSQL has no shared memory left for a query (/dev/shm), which is not its storage",
        "on a server in a container: more --shm-size; else lower work_mem and max_parallel_workers_per_gather",
        RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"out of shared memory|max_locks_per_transaction",
        "database-locks-exhausted",
        "PostgreSQL has no room for more locks (one transaction touches very many tables)",
        "raise max_locks_per_transaction in the parameter group, and restart the server",
        RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"ERROR:\s+out of memory|FATAL:\s+out of memory|Failed on request of size \d+",
        "database-memory-exhausted",
        "PostgreSQL itself has run out of memory",
        "use a larger instance class, or lower work_mem and the number of connections; the task's own memory is not "
        "the cause",
        RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"DiskFull|53100|could not extend file|could not \w+ (to )?(file )?\"?(base|pg_wal|pg_tblspc|global)/.*"
        r"No space left on device",
        "database-storage-full",
        "PostgreSQL has run out of storage",
        "raise allocated_storage of the database server",
        RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    ),
    LogRule(
        r"QueuePool limit of size|HikariPool-\d+ - Connection is not available.*\(total=[1-9]"
        r"|[Tt]imeout exceeded when trying to connect|[Tt]imed out fetching a new connection"
        r"|could not obtain a connection from the pool|couldn't get a connection after [\d.]+ sec"
        r"|pool timed out while waiting for an open connection|connection not available and request was dropped",
        "connection-pool-exhausted",
        "the application's own connection pool was exhausted",
        "use a larger pool (POSTGRES_API_SERVER_POOL_SIZE), or shorter transactions; PostgreSQL itself refused nothing",
        RepairedBy.TASK_DEFINITION,
    ),
)
