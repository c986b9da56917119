"""One DNS provider with a zone of its own, and a way past it: what the conformance suite runs on."""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import boto3
import pytest
import urllib3
from lexicon._private.providers.porkbun import Provider as LexiconsPorkbun
from werkzeug.serving import WSGIRequestHandler, make_server

from orchestrator.dns import model, undo
from orchestrator.dns.history import HistoryEntry
from orchestrator.dns.model import Connection, DnsProvider, Record, ZonePlan
from orchestrator.local.core.cloud import Cloud

ZONE = "vigilon.app"
OLD = "onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com"
NEW = "onyx-prod-alb-419508292.us-west-2.elb.amazonaws.com"
LB_ZONE = "Z1H1FL5HABSF5"
SPEED = 200.0
"""Server sides live this much faster: a second of pacing is 5 ms, and so is the double's second."""


class Impossible(Exception):
    """The host would not have such a record."""


class Seen(NamedTuple):
    """One value at its host. `others`: all else that the host says of it, but for ids and times."""

    name: str
    type: str
    value: str
    ttl: int | None
    others: str


@dataclass
class World:
    """One provider, a way to write records past it, and what was asked of it."""

    provider: DnsProvider
    connection: Connection
    write: Callable[[Record], None]
    erase: Callable[[str], None]
    raw: Callable[[], Any]
    """The zone as its host shows it, without the host's own counting."""
    writes: Callable[[], int]
    """How many changing requests the provider has sent."""
    add: Callable[[Record], None]
    """Write a record beside what is there."""
    zone: Callable[[], list[Seen]]
    """Each value in the zone, and all that its host keeps with it."""
    carries: str = ""
    """What a record that leads on may carry at this host, as `Record.kept` has it."""

    def plan(self, *hostnames: str, target: str = NEW, adopt: bool = False) -> ZonePlan:
        pointers = [
            model.pointer(
                name,
                target,
                zone=ZONE,
                ttl=700,
                apex=self.provider.apex,
                minimum_ttl=self.provider.minimum_ttl,
                target_zone=LB_ZONE,
            )
            for name in hostnames
        ]
        held = self.provider.records(ZONE)
        return model.plan(ZONE, held, pointers, model.former_names(target), adopt=adopt, alias_zone=LB_ZONE)

    def bring(self, *hostnames: str, target: str = NEW) -> None:
        ticket = self.provider.submit(ZONE, self.plan(*hostnames, target=target))
        while not self.provider.settled(ticket):
            self.connection.sleep(1)

    def adopt(self, *hostnames: str) -> ZonePlan:
        """What a run with `--adopt` does; gives the plan."""
        plan = self.plan(*hostnames, adopt=True)
        self.provider.submit(ZONE, plan)
        return plan

    def undo(self, plan: ZonePlan) -> None:
        entries = [HistoryEntry("1", "then", "onyx-prod", self.provider.name, ZONE, change) for change in plan.changes]
        back = [undo.restoration(entry, self.provider.records(ZONE)) for entry in entries]
        assert not any(one.problem for one in back)
        changes = tuple(one.change for one in back if one.change)
        self.provider.submit(ZONE, ZonePlan(ZONE, changes))

    def clear(self) -> None:
        """Nothing is left but what the host itself needs at the apex."""
        for name in {one.name for one in self.zone() if one.type not in {"NS", "SOA"} or one.name != ZONE}:
            self.erase(name)

    def try_to_add(self, record: Record) -> None:
        """Write it, if the host lets it be there."""
        with suppress(Impossible):
            self.add(record)

    def at(self, name: str) -> list[Record]:
        return sorted((record for record in self.provider.records(ZONE) if record.name == name), key=str)

    def pointer_at(self, name: str) -> Record:
        [record] = [found for found in self.at(name) if found.type in model.ADDRESS_TYPES]
        return record


@functools.cache
def session() -> Any:
    """One for all tests: making one reads hundreds of service descriptions."""
    return boto3.Session("testing", "testing", region_name="us-west-2")


def connection(environment: dict[str, str]) -> Connection:
    return Connection(
        environment=environment,
        client=session().client,
        sleep=lambda seconds: time.sleep(seconds / SPEED),
        clock=lambda: time.monotonic() * SPEED,
        region="us-west-2",
    )


def record_set(record: Record) -> dict[str, Any]:
    others = json.loads(record.kept[0]) if record.kept else {}
    if record.policy:
        others |= {"SetIdentifier": record.policy, "Weight": 10} | others
    base = {"Name": record.name, "Type": record.type}
    if record.alias_zone:
        target = {"EvaluateTargetHealth": True, **others.pop("AliasTarget", {})}
        target |= {"HostedZoneId": record.alias_zone, "DNSName": record.values[0]}
        return {**base, **others, "AliasTarget": target}
    values = [{"Value": value} for value in record.values]
    return {**base, **others, "TTL": record.ttl, "ResourceRecords": values}


def seen_of_route53(sets: Iterable[dict[str, Any]]) -> list[Seen]:
    """One for each value of each record set."""
    found = []
    for one in sets:
        alias = dict(one.get("AliasTarget", {}))
        values = [alias.pop("DNSName")] if alias else [each["Value"] for each in one["ResourceRecords"]]
        understood = {"Name", "Type", "TTL", "ResourceRecords", "AliasTarget"}
        others = {key: value for key, value in one.items() if key not in understood} | (
            {"alias": alias} if alias else {}
        )
        name = one["Name"].rstrip(".").replace("\\052", "*").lower()
        found += [
            Seen(name, one["Type"], value, one.get("TTL"), json.dumps(others, sort_keys=True)) for value in values
        ]
    return sorted(found)


def change(aws: Any, zone_id: str, action: str, sets: Iterable[dict[str, Any]]) -> None:
    changes = [{"Action": action, "ResourceRecordSet": one} for one in sets]
    aws.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})


@contextmanager
def served(application: Any) -> Iterator[str]:
    """Its address while it is served."""
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


@dataclass
class Porkbun:
    """The double, listening, and what it was asked: path and status."""

    cloud: Cloud
    application: Any
    url: str = ""
    requests: list[tuple[str, int]] = field(default_factory=list)

    def serve(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        def started(status: str, headers: Any, exc_info: Any = None) -> Any:
            self.requests.append((environ["PATH_INFO"], int(status.split(maxsplit=1)[0])))
            return start_response(status, headers, exc_info)

        answer: Iterable[bytes] = self.application(environ, started)
        return answer

    def drain(self) -> None:
        """Somebody else uses up the account's requests."""
        while urllib3.request("POST", f"{self.url}/_porkbun/api/json/v3/ping", retries=False).status != 503:
            pass

    def environment(self) -> dict[str, str]:
        return {
            "ORCHESTRATE_PORKBUN_URL": f"{self.url}/_porkbun/api/json/v3",
            "PORKBUN_API_KEY": self.cloud.porkbun_key,
            "PORKBUN_SECRET_API_KEY": self.cloud.porkbun_secret,
        }


def answering(listening: Porkbun, path: str, answer: Answer, times: int) -> list[int]:
    """From now on the first requests to the path get this answer; a list of what is left."""
    left, application = [1] * times, listening.application

    def before(environ: Any, start_response: Any) -> Any:
        if not left or path not in environ["PATH_INFO"]:
            return application(environ, start_response)
        left.pop()
        start_response(f"{answer[0]} says", list(answer[1].items()))
        return [answer[2]]

    listening.application = before
    return left


def ask_at(monkeypatch: pytest.MonkeyPatch, url: str, provider: Any = LexiconsPorkbun) -> None:
    """One of dns-lexicon's own providers, but for the address, which can't be configured."""
    make: Any = provider.__init__

    def made(self: Any, config: Any) -> None:
        make(self, config)
        self.api_endpoint = url

    monkeypatch.setattr(provider, "__init__", made)
