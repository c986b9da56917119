"""Route 53: moto answers INSYNC at once, always with the same change id, and judges batches by a journal, not the zone.

Corrected: a change has its own id, is PENDING for 30 s of AWS's time, and the world sees it only then; CREATE of what
exists, DELETE of what is not there or differs in anything, a CNAME beside other records or at the apex, a value that is
none of its type, a name outside of the zone, record sets of one name and type with and without a routing policy or with
different ones, an alias to a load balancer in another zone than its own are refused in AWS's words, the whole batch at
once, with a message for each refused change; a record deleted before can be created again; a new zone's SOA is text,
not moto's dictionary. Left out: AWS's own text for each kind of bad value; routing by network and by proximity, and
traffic policies (moto drops their fields).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.route53.exceptions import Route53ClientError
from moto.route53.models import ChangeList, FakeZone, Route53Backend
from moto.route53.responses import Route53

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.dns.authority import is_valid
from orchestrator.local.dns.changes import ChangeBatch, ChangeBatches
from orchestrator.local.dns.route53 import values
from orchestrator.local.dns.zone import plain
from orchestrator.local.elb.moto import HOSTED_ZONE

_moto_change = Route53.change_resource_record_sets
_moto_get_change = Route53.get_change
_moto_create_zone = Route53Backend.create_hosted_zone
_lock = threading.Lock()

BALANCERS = ".elb.amazonaws.com"
Key = tuple[str, str, str]
"""Name, type and set identifier of a record set."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """What DELETE must repeat exactly."""

    ttl: int
    values: tuple[str, ...]
    alias: str = ""
    others: tuple[tuple[str, str], ...] = ()
    """Routing policy, health check, `EvaluateTargetHealth`."""


class _NoJournal(ChangeList):
    """moto asks its journal whether a change is allowed; `refusals` has already judged it by the zone itself."""

    def __contains__(self, item: Any) -> bool:
        return False

    def has_insert_or_update(self, new_rr_set: dict[str, Any]) -> bool:  # noqa: ARG002 - moto's signature
        return True


def install(cloud: Cloud) -> None:
    """Change batches of this process follow the cloud's pace from now on."""

    def change_resource_record_sets(self: Route53) -> ActionResult:
        zone = self.backend.get_hosted_zone(self._get_param("HostedZoneId"))
        with _lock:
            before = tuple(zone.rrsets)
            messages = refusals(zone.name, held(before), self._get_param("ChangeBatch.Changes"))
            if messages:
                raise Route53ClientError("InvalidChangeBatch", f"[{', '.join(messages)}]")
            zone.rr_changes = _NoJournal()
            _moto_change(self)
            change = cloud.shared(ChangeBatches, cloud.pace).submit(zone.resource_id, before)
        return ActionResult({"ChangeInfo": _info(cloud, change)})

    def get_change(self: Route53) -> ActionResult:
        change = cloud.shared(ChangeBatches, cloud.pace).find(self._get_param("Id"))
        if change is None:  # a hosted zone's own creation or deletion, which moto finishes at once
            return _moto_get_change(self)
        return ActionResult({"ChangeInfo": _info(cloud, change)})

    def create_hosted_zone(self: Route53Backend, *arguments: Any, **named: Any) -> FakeZone:
        zone = _moto_create_zone(self, *arguments, **named)
        for record_set in zone.rrsets:
            record_set.records = values(record_set)
        return zone

    replace(Route53Backend, create_hosted_zone=create_hosted_zone)
    replace(Route53, change_resource_record_sets=change_resource_record_sets, get_change=get_change)


def _info(cloud: Cloud, change: ChangeBatch) -> dict[str, Any]:
    status = cloud.shared(ChangeBatches, cloud.pace).status(change)
    return {"Id": f"/change/{change.id}", "Status": status, "SubmittedAt": change.submitted}


OTHERS = {
    "Weight": "weight",
    "Region": "region",
    "Failover": "failover",
    "GeoLocation": "geo_location",
    "MultiValueAnswer": "multi_value_answer",
    "HealthCheckId": "health_check_id",
}
"""Fields of a record set → moto's attributes."""


def held(record_sets: Iterable[Any]) -> dict[Key, StoredRecord]:
    """Record sets of moto by their key."""
    return {
        (plain(one.name), one.type, one.set_identifier or ""): StoredRecord(
            int(one.ttl or 0),
            tuple(sorted(values(one))),
            plain((one.alias_target or {}).get("DNSName", "")),
            _others({field: getattr(one, attribute) for field, attribute in OTHERS.items()}, one.alias_target),
        )
        for one in record_sets
    }


def _others(fields: Mapping[str, Any], alias: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    said = {field: str(fields[field]).lower() for field in OTHERS if fields.get(field) is not None}
    if alias:
        said["EvaluateTargetHealth"] = str(alias.get("EvaluateTargetHealth", False)).lower()
    return tuple(sorted(said.items()))


def refusals(zone: str, existing: Mapping[Key, StoredRecord], changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Why AWS would refuse the batch, in AWS's words; nothing: it would not. Changes are judged in their order."""
    now = dict(existing)
    messages = []
    for change in changes:
        record_set = change["ResourceRecordSet"]
        key = (plain(record_set["Name"]), record_set["Type"], record_set.get("SetIdentifier") or "")
        wanted = _wanted(record_set)
        message = _refusal(zone, now, change["Action"], key, wanted) or _misplaced(zone, change["Action"], record_set)
        if message:
            messages.append(message)
        elif change["Action"] == "DELETE":
            del now[key]
        else:
            now[key] = wanted
    return messages


def _mixed(now: Mapping[Key, StoredRecord], key: Key, wanted: StoredRecord) -> str:
    """What keeps a record set from standing beside those of its name and type: each has the same routing policy."""
    name, kind, identifier = key
    beside = {their[2]: one for their, one in now.items() if their[:2] == (name, kind) and their[2] != identifier}
    if not identifier:
        return " cannot be created as other RRSets exist with the same name and type." if beside else ""
    who, policy = f", SetIdentifier {identifier} cannot be created", _policy(wanted)
    if "" in beside:
        return f"{who} because a non {_WORDS[policy]} rrset exists with the same name and type."
    if any(_policy(one) != policy for one in beside.values()):
        return f"{who} as a non-{_WORDS[policy]} set exists with the same name and type"
    if policy == "Weight" and any(one.ttl != wanted.ttl for one in beside.values()):
        return f"{who} as weighted sets must contain the same TTL."
    return ""


def _policy(record_set: StoredRecord) -> str:
    return next((field for field, _said in record_set.others if field in _WORDS), "")


_WORDS = {
    "": "multivalue answer",
    "Weight": "weighted",
    "Region": "latency",
    "Failover": "failover",
    "GeoLocation": "geolocation",
    "MultiValueAnswer": "multivalue answer",
}


def _misplaced(zone: str, action: str, record_set: Mapping[str, Any]) -> str:
    """A name of another zone, or an alias whose target is not in the zone that it names."""
    name, target = plain(record_set["Name"]), record_set.get("AliasTarget") or {}
    if name != plain(zone) and not name.endswith(f".{plain(zone)}"):
        return f"RRSet with DNS name {name}. is not permitted in zone {zone}"
    named, place = plain(target.get("DNSName", "")), target.get("HostedZoneId", "")
    if action != "DELETE" and named.endswith(BALANCERS) and place != HOSTED_ZONE:
        return (
            f"Tried to create an alias that targets {named}., type {record_set['Type']} in zone {place}, but the alias "
            "target name does not lie within the target zone"
        )
    return ""


def _wanted(record_set: Mapping[str, Any]) -> StoredRecord:
    given = tuple(sorted(one["Value"] for one in record_set.get("ResourceRecords") or ()))
    alias = plain((record_set.get("AliasTarget") or {}).get("DNSName", ""))
    return StoredRecord(
        int(record_set.get("TTL") or 0), given, alias, _others(record_set, record_set.get("AliasTarget"))
    )


def _refusal(zone: str, now: Mapping[Key, StoredRecord], action: str, key: Key, wanted: StoredRecord) -> str:
    name, kind, _identifier = key
    what = f"resource record set [name='{name}.', type='{kind}']"
    if action == "DELETE":
        if key not in now:
            return f"Tried to delete {what} but it was not found"
        return (
            ""
            if now[key] == wanted
            else f"Tried to delete {what} but the values provided do not match the current values"
        )
    if action == "CREATE" and key in now:
        return f"Tried to create {what} but it already exists"
    mixed = _mixed(now, key, wanted)
    if mixed:
        return f"RRSet with DNS name {name}., type {kind}{mixed}"
    for value in wanted.values:
        if not is_valid(kind, value):
            return f"Invalid Resource Record: FATAL problem: invalid {kind} value encountered with '{value}'"
    if kind == "CNAME" and name == plain(zone):
        return f"RRSet of type CNAME with DNS name {name}. is not permitted at apex in zone {zone}"
    beside = {other_kind for other_name, other_kind, _ in now if other_name == name and other_kind != kind}
    if ("CNAME" in beside) or (kind == "CNAME" and beside):
        return (
            f"RRSet of type {kind} with DNS name {name}. is not permitted as it conflicts with other records "
            f"with the same DNS name in zone {zone}"
        )
    return ""
