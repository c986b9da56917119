"""The name server over real sockets: Route 53 through moto, the Porkbun account, AWS's own names."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest
import trustme
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.route53.models import Route53Backend
from moto.route53.responses import Route53

from orchestrator.local.core.cloud import Address, Cloud
from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.dns import moto_route53, nameserver
from orchestrator.local.dns.authority import answer
from orchestrator.local.dns.registrar import RecordDraft, Registrar
from orchestrator.local.dns.zone import ALIAS, Zone, ZoneEntry
from tests.waiting import until

OLD = "onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com"
CORRECTED: list[tuple[type, str]] = [
    (Route53, "change_resource_record_sets"),
    (Route53, "get_change"),
    (Route53Backend, "create_hosted_zone"),
]
NEW = "onyx-prod-alb-419508292.us-west-2.elb.amazonaws.com"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    log: list[str] = []
    for owner, name in CORRECTED:
        monkeypatch.setattr(owner, name, getattr(owner, name))  # undone after the test
    with mock_aws():
        made = Cloud(tmp_path, Pace(1000), trustme.CA(key_type=trustme.KeyType.ECDSA), Faults(), log.append)
        moto_route53.install(made)
        stop = nameserver.start(made)
        yield made
        stop()
    assert log == []


@pytest.fixture
def aws(cloud: Cloud) -> Any:
    return boto3.client("route53", "us-west-2")


def ask(cloud: Cloud, name: str, kind: str = "A", *, tcp: bool = False) -> dns.message.Message:
    host, _, port = cloud.resolver.partition(":")
    query = dns.message.make_query(name, kind)
    return (dns.query.tcp if tcp else dns.query.udp)(query, host, port=int(port), timeout=5)


def resolver(cloud: Cloud) -> dns.resolver.Resolver:
    host, _, port = cloud.resolver.partition(":")
    made = dns.resolver.Resolver(configure=False)
    made.nameservers, made.port, made.lifetime = [host], int(port), 5
    return made


def change(aws: Any, zone: str, action: str, name: str, kind: str, *values: str, ttl: int = 60) -> str:
    record = {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}
    return submit(aws, zone, {"Action": action, "ResourceRecordSet": record})


def submit(aws: Any, zone: str, *changes: dict[str, Any]) -> str:
    """Wait until it is INSYNC, too."""
    info = aws.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": list(changes)})["ChangeInfo"]
    until("the change is in", lambda: aws.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC")
    return str(info["Id"])


def hosted(aws: Any, name: str) -> str:
    return str(aws.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"])


def texts(message: dns.message.Message) -> list[str]:
    return [f"{found.name} {rdata}".lower() for found in message.answer for rdata in found]


@pytest.mark.parametrize("tcp", [False, True])
def test_a_cname_to_a_load_balancer_is_followed_like_a_resolver_does(cloud: Cloud, aws: Any, tcp: bool) -> None:
    cloud.addresses.publish(NEW, Address("127.77.1.2", 8443))
    change(aws, hosted(aws, "vigilon.app"), "CREATE", "demo.vigilon.app", "CNAME", NEW)
    message = ask(cloud, "demo.vigilon.app", tcp=tcp)
    assert message.rcode() == dns.rcode.NOERROR
    assert message.flags & dns.flags.AA
    assert texts(message) == [f"demo.vigilon.app. {NEW}.", f"{NEW}. 127.77.1.2"]


def test_a_cname_to_a_load_balancer_that_is_gone_is_nxdomain(cloud: Cloud, aws: Any) -> None:
    cloud.addresses.publish(OLD, Address("127.77.1.2", 8443))
    change(aws, hosted(aws, "vigilon.app"), "CREATE", "demo.vigilon.app", "CNAME", OLD)
    assert [str(one) for one in resolver(cloud).resolve("demo.vigilon.app")] == ["127.77.1.2"]
    cloud.addresses.withdraw(OLD)
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver(cloud).resolve("demo.vigilon.app")
    assert texts(ask(cloud, "demo.vigilon.app")) == [f"demo.vigilon.app. {OLD}."]


def test_an_alias_is_answered_with_the_load_balancers_address(cloud: Cloud, aws: Any) -> None:
    cloud.addresses.publish(NEW, Address("127.77.1.2", 8443))
    zone = hosted(aws, "vigilon.app")
    target = {"HostedZoneId": "Z1H1FL5HABSF5", "DNSName": f"dualstack.{NEW}.", "EvaluateTargetHealth": False}
    record = {"Name": "vigilon.app", "Type": "A", "AliasTarget": target}
    submit(aws, zone, {"Action": "CREATE", "ResourceRecordSet": record})
    assert texts(ask(cloud, "VIGILON.app")) == ["vigilon.app. 127.77.1.2"]
    nothing = ask(cloud, "vigilon.app", "AAAA")
    assert (nothing.rcode(), nothing.answer) == (dns.rcode.NOERROR, [])
    cloud.addresses.withdraw(NEW)
    assert texts(ask(cloud, "vigilon.app")) == []


def test_a_change_is_seen_only_when_it_is_insync(cloud: Cloud, aws: Any) -> None:
    zone = hosted(aws, "vigilon.app")
    change(aws, zone, "CREATE", "demo.vigilon.app", "CNAME", OLD)
    cloud.pace.speed = 0.1  # from here on a change spreads for minutes
    record = {"Name": "demo.vigilon.app", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": NEW}]}
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    info = aws.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)["ChangeInfo"]
    assert info["Status"] == "PENDING"
    assert aws.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "PENDING"
    listed = aws.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert NEW in str(listed)
    assert "{" not in str([one["ResourceRecords"][0]["Value"] for one in listed])
    assert texts(ask(cloud, "demo.vigilon.app")) == [f"demo.vigilon.app. {OLD}."]


def test_after_insync_the_new_value_is_seen(cloud: Cloud, aws: Any) -> None:
    zone = hosted(aws, "vigilon.app")
    first = change(aws, zone, "CREATE", "demo.vigilon.app", "CNAME", OLD)
    second = change(aws, zone, "UPSERT", "demo.vigilon.app", "CNAME", NEW)
    assert first != second
    assert texts(ask(cloud, "demo.vigilon.app")) == [f"demo.vigilon.app. {NEW}."]


def test_nxdomain_nodata_and_refused_each_say_so(cloud: Cloud, aws: Any) -> None:
    change(aws, hosted(aws, "vigilon.app"), "CREATE", "a.b.vigilon.app", "A", "192.0.2.1")
    missing, nodata = ask(cloud, "x.vigilon.app"), ask(cloud, "b.vigilon.app")
    assert (missing.rcode(), nodata.rcode()) == (dns.rcode.NXDOMAIN, dns.rcode.NOERROR)
    for message in (missing, nodata):
        assert message.flags & dns.flags.AA
        assert [str(found.name) for found in message.authority] == ["vigilon.app."]
    foreign = ask(cloud, "example.com")
    assert foreign.rcode() == dns.rcode.REFUSED
    assert not foreign.flags & dns.flags.AA
    assert ask(cloud, NEW).rcode() == dns.rcode.NXDOMAIN
    assert "SOA" in ask(cloud, "vigilon.app", "SOA").answer[0].to_text()
    assert len(ask(cloud, "vigilon.app", "NS").answer[0]) == 4


def test_a_long_answer_is_truncated_by_udp_and_whole_by_tcp(cloud: Cloud, aws: Any) -> None:
    values = [f'"{number:03d}{"x" * 200}"' for number in range(20)]
    change(aws, hosted(aws, "vigilon.app"), "CREATE", "long.vigilon.app", "TXT", *values)
    short = ask(cloud, "long.vigilon.app", "TXT")
    assert short.flags & dns.flags.TC
    assert len(short.to_wire()) <= 512
    host, _, port = cloud.resolver.partition(":")
    query = dns.message.make_query("long.vigilon.app", "TXT", use_edns=0, payload=4096)
    message, by_tcp = dns.query.udp_with_fallback(query, host, port=int(port), timeout=5)
    assert by_tcp
    assert len(message.answer[0]) == 20
    assert len(resolver(cloud).resolve("long.vigilon.app", "TXT")) == 20


def test_route53_wins_over_porkbun_only_where_it_hosts_the_zone(cloud: Cloud, aws: Any) -> None:
    cloud.shared(Registrar).create("vigilon.app", RecordDraft("demo", "CNAME", "porkbuns.porkbun.example"))
    assert texts(ask(cloud, "demo.vigilon.app", "CNAME")) == ["demo.vigilon.app. porkbuns.porkbun.example."]
    zone = hosted(aws, "vigilon.app")
    assert ask(cloud, "demo.vigilon.app", "CNAME").rcode() == dns.rcode.NXDOMAIN
    aws.delete_hosted_zone(Id=zone)
    assert texts(ask(cloud, "demo.vigilon.app", "CNAME")) == ["demo.vigilon.app. porkbuns.porkbun.example."]


def test_a_wildcard_as_route53_writes_it_is_served(cloud: Cloud, aws: Any) -> None:
    change(aws, hosted(aws, "vigilon.app"), "CREATE", "\\052.vigilon.app", "A", "192.0.2.1")
    assert texts(ask(cloud, "any.vigilon.app")) == ["any.vigilon.app. 192.0.2.1"]


def test_a_private_zone_is_not_served(cloud: Cloud, aws: Any) -> None:
    aws.create_hosted_zone(
        Name="inside.example",
        CallerReference="1",
        HostedZoneConfig={"PrivateZone": True},
        VPC={"VPCRegion": "us-west-2", "VPCId": "vpc-1"},
    )
    assert ask(cloud, "inside.example", "SOA").rcode() == dns.rcode.REFUSED


def test_porkbuns_apex_alias_and_wildcard_are_served(cloud: Cloud) -> None:
    assert texts(ask(cloud, "anything.porkbun.example")) == ["anything.porkbun.example. pixie.porkbun.com."]
    alias = next(one for one in cloud.shared(Registrar).records("porkbun.example") if one.type == "ALIAS")
    cloud.addresses.publish(NEW, Address("127.77.1.2", 8443))
    cloud.shared(Registrar).edit("porkbun.example", alias.id, RecordDraft("", "ALIAS", NEW))
    assert texts(ask(cloud, "porkbun.example")) == ["porkbun.example. 127.77.1.2"]


def test_nonsense_is_a_format_error_and_the_server_lives_on(cloud: Cloud) -> None:
    host, _, port = cloud.resolver.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"\x12\x34" + b"\x01\x00" + b"\xff" * 30, (host, int(port)))
        reply = client.recv(512)
    assert reply[:2] == b"\x12\x34"
    assert reply[3] & 0xF == dns.rcode.FORMERR
    assert ask(cloud, "vigilon.app", "SOA").rcode() == dns.rcode.NOERROR


@pytest.mark.skipif(shutil.which("dig") is None, reason="dig is not installed")
def test_dig_works(cloud: Cloud) -> None:
    cloud.addresses.publish(NEW, Address("127.77.1.2", 8443))
    host, _, port = cloud.resolver.partition(":")
    command = ["dig", f"@{host}", "-p", port, NEW, "+short"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "127.77.1.2\n"


REFUSALS = [
    ("CREATE", "demo.vigilon.app", "CNAME", [NEW], "already exists"),
    ("CREATE", "demo.vigilon.app", "A", ["192.0.2.1"], "conflicts with other records"),
    ("UPSERT", "vigilon.app", "CNAME", [NEW], "not permitted at apex"),
    ("DELETE", "demo.vigilon.app", "CNAME", [NEW], "do not match the current values"),
    ("DELETE", "other.vigilon.app", "CNAME", [NEW], "was not found"),
    ("CREATE", "other.vigilon.app", "A", [NEW], "Invalid Resource Record"),
    ("CREATE", "demo.vigilon.example", "A", ["192.0.2.1"], "is not permitted in zone vigilon.app"),
]


@pytest.mark.parametrize(("action", "name", "kind", "values", "words"), REFUSALS)
def test_route53_refuses_the_whole_batch(
    aws: Any, action: str, name: str, kind: str, values: list[str], words: str
) -> None:
    zone = hosted(aws, "vigilon.app")
    change(aws, zone, "CREATE", "demo.vigilon.app", "CNAME", OLD)
    before = aws.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    good = {"Name": "good.vigilon.app", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.9"}]}
    bad = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value} for value in values]}
    batch = [{"Action": "CREATE", "ResourceRecordSet": good}, {"Action": action, "ResourceRecordSet": bad}]
    with pytest.raises(ClientError, match=words) as refused:
        submit(aws, zone, *batch)
    assert refused.value.response["Error"]["Code"] == "InvalidChangeBatch"
    assert aws.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"] == before


def test_route53_says_of_each_change_what_is_wrong_with_it(aws: Any) -> None:
    zone = hosted(aws, "vigilon.app")
    alias = {"HostedZoneId": "ZWRONG", "DNSName": NEW, "EvaluateTargetHealth": False}
    address = {"Name": "bad.vigilon.app", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "no address"}]}
    sets = [{"Name": "vigilon.app", "Type": "A", "AliasTarget": alias}, address]
    with pytest.raises(ClientError) as refused:
        submit(aws, zone, *({"Action": "CREATE", "ResourceRecordSet": one} for one in sets))
    said = refused.value.response["Error"]["Message"]
    assert "the alias target name does not lie within the target zone" in said
    assert "Invalid Resource Record" in said
    right = {"Name": "vigilon.app", "Type": "A", "AliasTarget": alias | {"HostedZoneId": "Z1H1FL5HABSF5"}}
    submit(aws, zone, {"Action": "CREATE", "ResourceRecordSet": right})


def test_a_deleted_record_can_be_created_again_and_a_type_changed_in_one_batch(aws: Any) -> None:
    zone = hosted(aws, "vigilon.app")
    change(aws, zone, "CREATE", "z.vigilon.app", "A", "192.0.2.9")
    for action in ("CREATE", "DELETE", "CREATE"):
        change(aws, zone, action, "demo.vigilon.app", "CNAME", NEW)
    old = {"Name": "demo.vigilon.app", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": NEW}]}
    new = {"Name": "demo.vigilon.app", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.7"}]}
    submit(aws, zone, {"Action": "DELETE", "ResourceRecordSet": old}, {"Action": "CREATE", "ResourceRecordSet": new})
    listed = aws.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [one["Type"] for one in listed if one["Name"] == "demo.vigilon.app."] == ["A"]


def entry(name: str, kind: str, value: str) -> ZoneEntry:
    return ZoneEntry(name, kind, 60, value)


ZONE = Zone(
    "z.test",
    (
        entry("loop.z.test", "CNAME", "pool.z.test"),
        entry("pool.z.test", "CNAME", "loop.z.test"),
        entry("out.z.test", "CNAME", "elsewhere.test"),
        entry("a.z.test", "A", "192.0.2.1"),
        entry("*.z.test", "A", "192.0.2.2"),
        entry("deep.here.z.test", "A", "192.0.2.3"),
        entry("two.z.test", ALIAS, "hop.z.test"),
        entry("hop.z.test", "CNAME", "a.z.test"),
        entry("self.z.test", ALIAS, "self.z.test"),
    ),
)
ANSWERS = [
    ("loop.z.test", "A", dns.rcode.SERVFAIL, None),
    ("out.z.test", "A", dns.rcode.NOERROR, ["out.z.test. elsewhere.test."]),
    ("hop.z.test", "CNAME", dns.rcode.NOERROR, ["hop.z.test. a.z.test."]),
    ("two.z.test", "A", dns.rcode.NOERROR, ["two.z.test. 192.0.2.1"]),
    ("self.z.test", "A", dns.rcode.NOERROR, []),
    ("some.z.test", "A", dns.rcode.NOERROR, ["some.z.test. 192.0.2.2"]),
    ("some.z.test", "MX", dns.rcode.NOERROR, []),
    ("x.here.z.test", "A", dns.rcode.NXDOMAIN, []),
    ("here.z.test", "A", dns.rcode.NOERROR, []),
    ("z.test", "ANY", dns.rcode.NOERROR, []),
    ("notz.test", "A", dns.rcode.REFUSED, []),
]


@pytest.mark.parametrize(("name", "kind", "rcode", "expected"), ANSWERS)
def test_answers(name: str, kind: str, rcode: dns.rcode.Rcode, expected: list[str] | None) -> None:
    message = answer(dns.message.make_query(name, kind), {ZONE.name: ZONE})
    assert message.rcode() == rcode
    assert expected is None or texts(message) == expected
