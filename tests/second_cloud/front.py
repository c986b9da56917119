"""Stands before ministack: what its RDS only says, happens to real PostgreSQL servers, with snapshots that hold data.

Each request goes on to ministack as it is. What it took is then done to a server of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import urllib3

from orchestrator.local.core import wire
from orchestrator.local.core.cloud import Address, Cloud
from orchestrator.local.ssm import instance
from tests import relay
from tests.second_cloud import shim

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


UNKNOWN: Mapping[str, Mapping[str, Any]] = {
    "rds.DescribeDBInstanceAutomatedBackups": {"DBInstanceAutomatedBackups": []},
}
"""Questions that ministack does not know at all, with the answer that there is nothing."""


@dataclass(frozen=True)
class Front:
    """`masters`: of each instance, the login that RDS was told."""

    machine: Cloud
    endpoint: str
    pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)
    masters: dict[str, str] = field(default_factory=dict)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        environ, body = relay.taken(environ)
        call = wire.read(environ)
        if call and call.name in UNKNOWN:
            return wire.answer_of(call, UNKNOWN[call.name], wire.HttpAnswer(200, {}, b""))(environ, start_response)
        answer = relay.asked(self.pool, self.endpoint, environ, body)
        if call and call.service == "rds" and answer.status == 200:
            self._follow(call.operation, call.parameters)
        return answer(environ, start_response)

    def _follow(self, operation: str, given: Mapping[str, Any]) -> None:
        servers, name = self.machine.databases, given.get("DBInstanceIdentifier", "")
        assert servers is not None
        host, snapshot = shim.address_of(name), given.get("DBSnapshotIdentifier", "")
        match operation:
            case "CreateDBInstance":
                self.masters[name] = given["MasterUsername"]
                password = given["MasterUserPassword"]
                made = servers.create(name, host, master=self.masters[name], password=password, database=None)
                self._publish(host, made)
            case "RestoreDBInstanceFromDBSnapshot":
                self._publish(host, servers.restore(name, host, snapshot))
            case "ModifyDBInstance" if "MasterUserPassword" in given:
                servers.set_password(name, self.masters[name], given["MasterUserPassword"])
            case "StopDBInstance":
                servers.stop(name)
            case "StartDBInstance":
                servers.start(name)
            case "DeleteDBInstance":
                servers.delete(name)
            case "CreateDBSnapshot":
                servers.snapshot(name, snapshot)
            case "DeleteDBSnapshot":
                servers.forget(snapshot)

    def _publish(self, host: str, address: Address) -> None:
        self.machine.addresses.publish(host, address)
        instance.publish_hosts(self.machine)
