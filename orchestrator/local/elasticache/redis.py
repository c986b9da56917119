"""Redis, as far as signing in goes: a real server for each replication group, over TLS where the group has it.

It speaks RESP 2: AUTH with the group's tokens (both while a token is rotated), PING, SELECT, ECHO, QUIT; who has not
signed in where that is asked for gets NOAUTH. The certificate is the cloud's own authority's, for the group's endpoint.
A group that is being made or has failed answers nobody. Left out: data (every other command is an error), users other
than `default`, replicas and shards of their own, security groups (who asks from an instance is not known here).
"""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
from collections.abc import Callable
from io import BufferedIOBase
from typing import Any

from moto.elasticache.models import elasticache_backends

from orchestrator.local.core.cloud import ACCOUNT, Address, Cloud

LOOK_SECONDS = 0.1
"""Real time between two looks at moto's replication groups."""
CLIENT_SECONDS = 30.0
SERVES = frozenset({"available", "modifying", "snapshotting"})
LONGEST = 512
"""Bytes of one word, and of one line."""
WITHOUT_PASSWORD = (
    "ERR AUTH <password> called without any password configured for the default user. "
    "Are you sure your configuration is correct?"
)
WRONG = "WRONGPASS invalid username-password pair or user is disabled."
NOT_SIGNED_IN = "NOAUTH Authentication required."


def start(cloud: Cloud) -> Callable[[], None]:
    """Serve every replication group for as long as it is there. Returns what stops it."""
    redis_servers = RedisServers(cloud)
    thread = threading.Thread(target=redis_servers.watch, daemon=True)
    thread.start()

    def stop() -> None:
        redis_servers.stopping.set()
        thread.join()
        redis_servers.close()

    return stop


class RedisServers:
    """The servers of all replication groups."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.stopping = threading.Event()
        self._servers: dict[str, tuple[str, _RedisServer]] = {}

    def watch(self) -> None:
        """Follow moto until told to stop."""
        while not self.stopping.wait(LOOK_SECONDS):
            try:
                self.follow()
            except Exception as error:  # noqa: BLE001 - moto changes its dictionaries while we read: look again
                self.cloud.log(f"redis: {error!r}")

    def follow(self) -> None:
        """Open what is new, close what is gone."""
        groups = {endpoint(one): one for region in list(elasticache_backends[ACCOUNT].values()) for one in _all(region)}
        for host in set(self._servers) - set(groups):
            self._forget(host)
        for host, group in groups.items():
            if host and host not in self._servers:
                server = _RedisServer(self.cloud, host, group)
                self._servers[host] = (group.replication_group_id, server)
                self.cloud.addresses.publish(host, Address("127.0.0.1", int(server.server_address[1])))

    def close(self) -> None:
        """Nothing listens, no name is published."""
        for host in list(self._servers):
            self._forget(host)

    def _forget(self, host: str) -> None:
        self.cloud.addresses.withdraw(host)
        self._servers.pop(host)[1].close()


def _all(backend: Any) -> list[Any]:
    return list(backend.replication_groups.values())


def endpoint(group: Any) -> str:
    """The name that clients connect to; empty: it has none yet."""
    configuration = getattr(group, "configuration_endpoint", None) or {}
    nodes = [node.get("primary_endpoint_address", "") for node in group.node_groups]
    return str(configuration.get("address") or next(filter(None, nodes), ""))


class _RedisServer(socketserver.ThreadingTCPServer):
    """One group's."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, cloud: Cloud, host: str, group: Any) -> None:
        self.cloud, self.group = cloud, group
        super().__init__(("127.0.0.1", 0), _RedisClient)
        if group.transit_encryption_enabled:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            cloud.ca.issue_cert(host).configure_cert(context)
            # The handshake happens at the first read, in the client's own thread: a silent client stops nobody.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def accepted(self) -> tuple[str | None, ...]:
        """The tokens that are taken now; None: who has none is let in too."""
        return self.cloud.redis_accepts.get(str(self.group.replication_group_id), (None,))

    def verify_request(self, *_request: Any) -> bool:
        """A group that isn't there yet, or has failed, answers nobody."""
        return bool(self.group.status in SERVES)

    def handle_error(self, *_request: Any) -> None:
        """A client that broke off or did not trust us knows why."""

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self._thread.join()
        self.server_close()


class _RedisClient(socketserver.StreamRequestHandler):
    """One connection."""

    server: _RedisServer
    timeout = CLIENT_SECONDS

    def handle(self) -> None:
        """Until the client goes."""
        signed_in = None in self.server.accepted
        with contextlib.suppress(OSError, ValueError):
            while words := read(self.rfile):
                name = words[0].upper()
                if name == "AUTH":
                    said, signed_in = self._auth(words[1:], signed_in=signed_in)
                elif name == "QUIT":
                    self._say("+OK")
                    return
                else:
                    said = answer(name, words[1:]) if signed_in else f"-{NOT_SIGNED_IN}"
                self._say(said)

    def _auth(self, given: list[str], *, signed_in: bool) -> tuple[str, bool]:
        accepted, (*user, token) = self.server.accepted, given or [""]
        if accepted == (None,):
            return f"-{WITHOUT_PASSWORD}", signed_in
        if user in ([], ["default"]) and token in accepted:
            return "+OK", True
        return f"-{WRONG}", False

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def answer(name: str, given: list[str]) -> str:
    """What a client that is signed in gets."""
    if name == "PING":
        return "+PONG"
    if name == "ECHO" and given:
        return f"+{given[0]}"
    if name == "SELECT":
        return "+OK"
    return f"-ERR unknown command '{name.lower()}'"


def read(stream: BufferedIOBase) -> list[str]:
    """The words of one command, as RESP's array or as a plain line; none: the client has gone. Raises ValueError."""
    line = stream.readline(LONGEST)
    if not line.startswith(b"*"):
        return line.decode("utf-8", "replace").split()
    words = []
    for _ in range(int(line[1:])):
        size = int(stream.readline(LONGEST)[1:])
        if not 0 <= size <= LONGEST:
            raise ValueError("too long")
        words.append(stream.read(size).decode("utf-8", "replace"))
        stream.readline(LONGEST)
    return words
