"""A server's data as RDS keeps it in a snapshot: a physical copy, taken while the server works, and started from later.

PostgreSQL's own low-level backup: between `pg_backup_start` and `pg_backup_stop` the folder is copied, then the log
that was written meanwhile; whoever starts from it replays that log, as after a crash. Left out: RDS's increments (each
snapshot is a whole copy) and the slow first reads of a fresh restore.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from orchestrator.local.rds.postgres_server import PostgresServer

OF_A_RUNNING_SERVER = ("postmaster.pid", "postmaster.opts", "pgsql_tmp", "server.key", "server.crt")
"""What a copy must not have: it belongs to the process, or to the name the server had."""
LOG = "pg_wal"


@dataclass(frozen=True, slots=True)
class SnapshotData:
    """A snapshot's data. `password` is the superuser's, which the data hold in hashed form."""

    folder: Path
    password: str

    @property
    def data(self) -> Path:
        """PGDATA, as it was."""
        return self.folder / "data"


def keep(server: PostgresServer, folder: Path) -> SnapshotData:
    """Copy the data of a server that runs to `folder` (empty): as of the end of this call. Sessions go on."""
    kept = SnapshotData(folder, server.password)
    with server.session() as session:
        session.execute("SELECT pg_backup_start('snapshot', fast => true)")
        copy(server.data, kept.data)
        row = session.execute("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)").fetchone()
        copy(server.data / LOG, kept.data / LOG)
    (kept.data / "backup_label").write_text(str(row[0]) if row else "")
    _as_owner_of(server.data, kept.data / "backup_label")
    return kept


def copy(source: Path, target: Path) -> None:
    """A folder with its owners. Files that vanish meanwhile were temporary."""
    shutil.copytree(
        source,
        target,
        symlinks=True,
        dirs_exist_ok=True,
        copy_function=_copy_file,
        ignore=shutil.ignore_patterns(*OF_A_RUNNING_SERVER),
    )
    for found, _, _ in os.walk(target):
        _as_owner_of(source, Path(found))


def _copy_file(source: str, target: str) -> None:
    try:
        shutil.copy2(source, target)
    except FileNotFoundError:
        return
    _as_owner_of(Path(source).parent, Path(target))


def _as_owner_of(model: Path, path: Path) -> None:
    if os.geteuid() == 0:
        owner = model.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
