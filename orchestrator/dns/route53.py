"""Amazon Route 53: one list per zone, one atomic batch per plan.

A replacement is DELETE (of exactly what was seen) + CREATE in one batch, never UPSERT: Route 53 then refuses the batch
as a whole when somebody changed the record in between, and a change of type is the same thing as a change of value. It
refuses it as a whole for any other defect of one change too: then the batch is sent in halves, down to that change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws import batches
from orchestrator.aws.errors import code_of, problem_of
from orchestrator.aws.pages import items, pages
from orchestrator.dns.model import Change, Connection, DnsProvider, Record, ZonePlan, extras
from orchestrator.dns.names import normal
from orchestrator.dns.route53_accounts import InSeveralAccounts
from orchestrator.dns.sending import receipt
from orchestrator.engine.subjects import together
from orchestrator.errors import Invalid, OrchestratorError, PartlyFailed, Problem, Transient

T = TypeVar("T")

REFUSED = frozenset({"InvalidChangeBatch", "InvalidInput", "NoSuchHealthCheck"})
"""Of ChangeResourceRecordSets: something is wrong with one change at least, and none was made."""
ZONE_CHANGED = (
    "but it already exists",
    "but it was not found",
    "but the values provided do not match the current values",
    "conflicts with other records with the same DNS name",
)
"""In Route 53's words: the zone is not what it was when it was looked at."""


UNDERSTOOD = frozenset({"Name", "Type", "TTL", "ResourceRecords", "AliasTarget"})
UNDERSTOOD_OF_ALIAS = frozenset({"DNSName", "HostedZoneId"})
"""Fields of a record set that `Record` has places for. All others come back as they were."""
POLICIES = {
    "Weight": "weighted",
    "Region": "by latency",
    "Failover": "failover",
    "GeoLocation": "by location",
    "GeoProximityLocation": "by proximity",
    "CidrRoutingConfig": "by network",
    "MultiValueAnswer": "multivalue",
}
"""Route 53's fields → what people call the routing policy."""


class _RefusedChange(OrchestratorError):
    """Route 53 made none of the changes it was sent, for one of them at least is wrong."""


def connect(connection: Connection) -> DnsProvider:
    """The provider, with the AWS credentials of the run, and for zones of other accounts those of their roles."""
    own = Route53(_asking(lambda: connection.client("route53")))
    if not connection.roles:
        return own
    entered = {role: Route53(connection.assumed("route53", role)) for role in sorted({*connection.roles.values()})}
    return InSeveralAccounts(own, {zone: entered[role] for zone, role in sorted(connection.roles.items())})


class Route53:
    """Public hosted zones only: a visitor never sees the private ones."""

    name = "route53"
    apex = "A"
    minimum_ttl = 1

    def __init__(self, client: Any) -> None:
        self._client = client
        self._zone_ids: dict[str, str] = {}
        self._refused: set[Change] = set()
        """Refused because the zone had changed, as it seemed."""

    def zones(self) -> frozenset[str]:
        """Every public hosted zone (100 a page)."""
        found = _asking(lambda: list(items(self._client, "list_hosted_zones", "HostedZones")))
        return frozenset(_unescaped(normal(zone["Name"])) for zone in found if not _is_private(zone))

    def check(self, zone: str) -> None:
        """Raises `Invalid` unless the credentials find the public zone."""
        self._zone_id(zone)

    def records(self, zone: str) -> frozenset[Record]:
        """Every record set of the zone (300 a page)."""
        zone_id = self._zone_id(zone)
        wanted: dict[str, Any] = {"HostedZoneId": zone_id}
        found = _asking(lambda: list(items(self._client, "list_resource_record_sets", "ResourceRecordSets", **wanted)))
        return frozenset(map(_record, found))

    def submit(self, zone: str, plan: ZonePlan) -> str:
        """As few batches as Route 53 takes. The ticket holds the ids of its changes."""
        plan.raise_if_unsafe()
        zone_id = self._zone_id(zone)
        tickets: list[str] = []
        failures: dict[str, OrchestratorError] = {}
        for batch in _batches(plan.changes):
            changes = {change.name: change for change in batch}

            def send(names: Sequence[str], changes: Mapping[str, Change] = changes) -> None:
                tickets.append(self._send(zone_id, plan, [changes[name] for name in names]))

            try:
                together(list(changes), send)
            except PartlyFailed as some:
                failures |= {name: self._about(changes[name], error) for name, error in some.failures.items()}
        return receipt(plan, failures, " ".join(tickets))

    def _about(self, change: Change, error: OrchestratorError) -> OrchestratorError:
        """What the refusal of this one change means.

        Route 53 has one code for all that it refuses a change for. That the zone isn't what it was is said by its words
        alone; it is believed once: where the next look finds the zone as it was, the same refusal is about the change.
        """
        if not isinstance(error, _RefusedChange):
            return error
        problem = error.problems[0]
        if change not in self._refused and any(words in problem.message for words in ZONE_CHANGED):
            self._refused.add(change)
            text, fix = (
                f"{problem.message} (somebody else changed a record)",
                "review the plan again: orchestrate dns plan",
            )
            return Transient(Problem("dns-records-changed", text, change.name, fix))
        fix = f"correct what Route 53 names; or set it yourself: {change}"
        return OrchestratorError(Problem("dns-record-refused", problem.message, change.name, fix))

    def settled(self, ticket: str) -> bool:
        """Whether every name server of the zone has it (INSYNC)."""
        changes = [_asking(partial(self._client.get_change, Id=change)) for change in ticket.split()]
        return all(change["ChangeInfo"]["Status"] == "INSYNC" for change in changes)

    def _send(self, zone_id: str, plan: ZonePlan, changes: Sequence[Change]) -> str:
        actions = [action for change in changes for action in _actions(change)]
        batch = {"Comment": f"orchestrate {plan.checksum[:12]}", "Changes": actions}
        with batches.batched():
            answer = _asking(lambda: self._client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch))
        return str(answer["ChangeInfo"]["Id"])

    def _zone_id(self, zone: str) -> str:
        """The public zone that holds `zone`: the longest match among it and its parents."""
        wanted = normal(zone)
        if wanted not in self._zone_ids:
            self._zone_ids[wanted] = self._find(wanted)
        return self._zone_ids[wanted]

    def _find(self, zone: str) -> str:
        private: list[str] = []
        for name in _candidates(zone):
            matching = _asking(partial(self._named, name))
            public = [found["Id"] for found in matching if not _is_private(found)]
            if len(public) == 1:
                return str(public[0])
            if public:
                raise Invalid(_ambiguous(name, public))
            private += [found["Id"] for found in matching]
        seen = f" (only a private one, which visitors can't see: {', '.join(private)})" if private else ""
        raise Invalid(
            Problem(
                code="dns-zone-not-found",
                message=f"these AWS credentials see no public Route 53 zone for {zone}{seen}",
                context="contract: dns.zone",
                fix="create the hosted zone outside of this stack, use the account that has it, or correct dns.zone",
            )
        )

    def _named(self, name: str) -> list[Any]:
        """The zones of exactly this name. The list begins with them, and goes on with all that come after."""
        matching: list[Any] = []
        for page in pages(self._client, "list_hosted_zones_by_name", DNSName=name):
            found = [zone for zone in page["HostedZones"] if normal(zone["Name"]) == name]
            matching += found
            if not found:
                break
        return matching


def _is_private(zone: dict[str, Any]) -> bool:
    return bool(zone.get("Config", {}).get("PrivateZone"))


def _ambiguous(zone: str, ids: Sequence[str]) -> Problem:
    return Problem(
        code="dns-zone-ambiguous",
        message=f"there are {len(ids)} public Route 53 zones named {zone}: {', '.join(ids)}",
        context="contract: dns.zone",
        fix="delete those that the registrar's name servers don't serve",
    )


def _candidates(zone: str) -> Iterator[str]:
    """The zone, then its parents, down to two labels."""
    labels = zone.split(".")
    return (".".join(labels[first:]) for first in range(max(len(labels) - 1, 1)))


def _record(found: dict[str, Any]) -> Record:
    alias = found.get("AliasTarget")
    values = [alias["DNSName"]] if alias else [value["Value"] for value in found.get("ResourceRecords", ())]
    others = _others(found)
    return Record(
        name=_unescaped(found["Name"]),
        type=found["Type"],
        values=tuple(values),
        ttl=found.get("TTL"),
        alias_zone=alias["HostedZoneId"] if alias else "",
        policy=_policy(found),
        kept=(json.dumps(others, sort_keys=True),) if others else (),
        origin=(json.dumps(found),),
    )


def _others(found: dict[str, Any]) -> dict[str, Any]:
    """What a record set carries beside name, type, TTL and values: `EvaluateTargetHealth`, a health check."""
    others = {key: value for key, value in found.items() if key not in UNDERSTOOD}
    alias = {key: value for key, value in found.get("AliasTarget", {}).items() if key not in UNDERSTOOD_OF_ALIAS}
    return {**others, **({"AliasTarget": alias} if any(alias.values()) else {})}


def _policy(found: dict[str, Any]) -> str:
    """What makes it one of several: a routing policy with its set identifier, or a traffic policy that wrote it."""
    if "TrafficPolicyInstanceId" in found:
        return f"traffic policy instance {found['TrafficPolicyInstanceId']}"
    if "SetIdentifier" not in found:
        return ""
    kind = next((words for key, words in POLICIES.items() if key in found), "routed")
    return f"{kind} {found['SetIdentifier']!r}"


def _unescaped(name: str) -> str:
    r"""Route 53 writes `*` and other characters as `\052`."""
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), name)


def _batches(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """As few batches as possible; one change is never torn apart."""
    operation = "change_resource_record_sets"
    most = (batches.most(operation, "ResourceRecords"), batches.most(operation, "Value"))
    batch: list[Change] = []
    elements = characters = 0
    for change in changes:
        more, longer = _size(change)
        if batch and (elements + more > most[0] or characters + longer > most[1]):
            yield batch
            batch, elements, characters = [], 0, 0
        batch.append(change)
        elements, characters = elements + more, characters + longer
    if batch:
        yield batch


def _actions(change: Change) -> list[dict[str, Any]]:
    gone = [_action("DELETE", json.loads(old.origin[0])) for old in change.before]
    return [*gone, *map(_creation, change.after)]


def _size(change: Change) -> tuple[int, int]:
    """Elements and characters as Route 53 counts them: every value of every action (UPSERT's twice: none is sent)."""
    records = [one["ResourceRecordSet"].get("ResourceRecords", ()) for one in _actions(change)]
    return sum(max(len(some), 1) for some in records), sum(len(one["Value"]) for some in records for one in some)


def _creation(record: Record) -> dict[str, Any]:
    if record.origin:  # seen before: it comes back with all it had
        return _action("CREATE", json.loads(record.origin[0]))
    others = extras(record.kept[0]) if record.kept else {}
    alias = others.pop("AliasTarget", {})
    wanted: dict[str, Any] = {"Name": record.name, "Type": record.type, **others}
    if record.alias_zone:
        target = {"EvaluateTargetHealth": False, **alias}
        wanted["AliasTarget"] = target | {"HostedZoneId": record.alias_zone, "DNSName": record.values[0]}
        return _action("CREATE", wanted)
    values = [{"Value": value} for value in record.values]
    return _action("CREATE", wanted | {"TTL": record.ttl, "ResourceRecords": values})


def _action(action: str, record_set: dict[str, Any]) -> dict[str, Any]:
    return {"Action": action, "ResourceRecordSet": record_set}


def _asking(call: Callable[[], T], doing: str = "route53") -> T:
    """Call AWS; its errors become ours. botocore has already retried what is worth retrying."""
    try:
        return call()
    except (ClientError, BotoCoreError) as error:
        raise _refusal(error, doing) from None


def _refusal(error: Exception, doing: str) -> OrchestratorError:
    if not isinstance(error, ClientError):
        return problem_of(error, doing)
    said = error.response["Error"].get("Message", "")
    message = f"Route 53 {error.operation_name}: {code_of(error)}: {said}"
    if code_of(error) in REFUSED and error.operation_name == "ChangeResourceRecordSets":
        return _RefusedChange(Problem("dns-record-refused", message, fix="see Route 53's message"))
    if code_of(error) == "NoSuchHostedZone":
        fix = "create the hosted zone outside of this stack, or correct dns.zone"
        return Invalid(Problem("dns-zone-not-found", message, "contract: dns.zone", fix))
    service = "sts" if error.operation_name == "AssumeRole" else "route53"
    return problem_of(error, f"{service}:{error.operation_name}")
