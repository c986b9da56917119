"""TLS to the database through `run`, over both ways: only a server that proves its name is given a password."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from tests.e2e.stage import Ended, Stage, stage

pytestmark = pytest.mark.cloud

ONLY = ("--only", "tenant-databases")
DIRECT = ("--database-transport", "direct")
by_both_ways = pytest.mark.parametrize("way", [(), DIRECT], ids=["runner", "direct"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("tls"), tenants=("customer-a",)) as made:
        yield made


@pytest.fixture
def without_tls() -> Iterator[int]:
    """A server that answers each request for TLS with `N`; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    with listening.accept()[0] as session:
                        session.recv(8)
                        session.sendall(b"N")
                        session.recv(1)

        threading.Thread(target=answer, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def hopeless(ended: Ended, code: str) -> None:
    """Said at once, with its own cause and a fix; nothing was waited for, and nothing made."""
    assert (ended.status, ended.codes) == (1, {code})
    assert ended.of("step-failed")[0]["fix"]
    assert ended.of("step-waiting", "tenant-databases") == []
    assert ended.last["changed"] == 0


@by_both_ways
def test_a_bundle_that_is_older_than_the_servers_authority_is_named(
    served: Stage, way: Sequence[str], tmp_path: Path
) -> None:
    stale = tmp_path / "last-years.pem"
    trustme.CA().cert_pem.write_to_path(str(stale))
    ended = served.run(*ONLY, *way, ORCHESTRATE_DATABASE_CA_FILE=str(stale))
    hopeless(ended, "database-authority-unknown")


def test_a_server_without_tls_is_given_no_password(served: Stage, without_tls: int) -> None:
    """Directly: from an instance of the local cloud only its own servers are reached by their names."""
    address = f"127.0.0.1:{without_tls}"
    hopeless(served.direct(*ONLY, ORCHESTRATE_DATABASE_ADDRESS=address), "database-without-tls")


def test_a_certificate_of_another_name_is_not_taken(served: Stage) -> None:
    """An alias of the server's, say: verify-full asks for the name that was dialled."""
    contract = served.changed(database__host="db.internal.example.com")
    hopeless(served.direct(*ONLY, contract=contract), "database-certificate-mismatch")


@by_both_ways
def test_a_server_of_the_known_authority_is_worked_with(served: Stage, way: Sequence[str]) -> None:
    """Over the one way the database is made, over the other it is found: both have shown that they verify."""
    served.run(*ONLY, *way).succeeded()
    assert "onyx_customer_a" in served.databases()
