"""What migrations say: alembic, Django, Rails, Prisma, Flyway, Liquibase, golang-migrate, Knex."""

from __future__ import annotations

from orchestrator.rollout.addressees import AddresseeKind
from orchestrator.rollout.causes import RepairedBy
from orchestrator.rollout.log_rules.rule import LogRule

_HOLDERS = (
    "SELECT pid, usename, state, query FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(<its pid>)) shows who "
    "holds it: let that end, or pg_terminate_backend(pid)"
)

RULES = (
    LogRule(
        r"Can't locate revision identified by|InconsistentMigrationHistory"
        r"|Detected (applied|resolved) migration not (resolved|applied)",
        "schema-newer",
        "the schema was migrated by a newer version than the one that runs",
        "run an image at least as new as the schema; migrations can't be reverted",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"Online migration expected to match one row|DuplicateTable|DuplicateColumn|alembic_version_pkc"
        r"|unique constraint \"pg_(type|class|namespace)_\w+_index\"",
        "migrations-collided",
        "another task migrated the same schema at the same time",
        "start one task first (desired count 1), and the rest once it runs",
        RepairedBy.TIME,
    ),
    LogRule(
        r"due to lock timeout|LockNotAvailable|could not obtain lock on|ConcurrentMigrationError"
        r"|acquire a postgres advisory lock|[Cc]ould not acquire change log lock|Waiting for changelog lock"
        r"|MigrationLocked|Migration table is already locked|can't acquire (database )?lock",
        "migrations-locked",
        "a migration waits for a lock that another session holds",
        f"{_HOLDERS}; a lock in a table of the migration tool stays after a crash: release it with that tool",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"Dirty database version|found failed migrations in the target database|contains a failed migration"
        r"|Detected failed migration to version",
        "migrations-half-done",
        "an earlier migration failed halfway, and the tool refuses to continue",
        "find out how much of it was done, then mark it with the tool (migrate force, prisma migrate resolve, flyway "
        "repair), or restore a backup",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"[Cc]hecksum mismatch for migration|was modified after it was applied|change ?sets? check sum",
        "migrations-edited",
        "a migration in the image is not the one that was applied to this database",
        "use an image with the migration that was applied; accept the new one (flyway repair, liquibase "
        "clear-checksums) only when the difference is understood",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"P3005\b|database schema is not empty|Found non-empty schema\(s\)",
        "migrations-without-history",
        "the database has tables, and the migration tool has recorded no migrations in it",
        "first check that it is the right database; if it is, say from where to begin (prisma migrate resolve "
        "--applied, flyway baseline, manage.py migrate --fake-initial)",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"Multiple head revisions are present|multiple leaf nodes in the migration graph|NodeNotFoundError: Migration"
        r"|DuplicateMigration(Name|Version)Error|CircularDependencyError",
        "migrations-contradict",
        "the migrations in the image do not fit together",
        "merge them (alembic merge heads, manage.py makemigrations --merge) and build the image again",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"PendingMigrationError|Migrations are pending|UndefinedTable|UndefinedColumn"
        r"|unapplied migration\(s\)|The table `[\w.]+` does not exist"
        r"|relation \"[\w.]+\" does not exist|column \"?[\w.]+\"?( of relation \"\w+\")? does not exist|P202[12]\b",
        "schema-incomplete",
        "a table or column that the program needs is not in its database",
        "run the application's migrations on it; if they have run: is it the right database and schema (search_path)?",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"deadlock detected|DeadlockDetected",
        "migrations-collided",
        "deadlock: two sessions waited for each other, and PostgreSQL ended one",
        "start one task first (desired count 1), and the rest once it runs",
        RepairedBy.TIME,
    ),
    LogRule(
        r"due to statement timeout|QueryCanceled",
        "database-statement-timeout",
        "a statement took longer than statement_timeout allows, and was ended",
        "ALTER ROLE <the tenant's> SET statement_timeout = 0 while it migrates (or in the parameter group); if the "
        "statement waits for a lock: pg_blocking_pids",
        RepairedBy.OUTSIDE,
        AddresseeKind.DATABASE,
    ),
)
