"""Real packets: the local cloud's name server, and servers that stay silent, refuse or break."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trustme

from orchestrator.dns import resolve, visibility
from orchestrator.dns.resolve import AskServers, AskZones, DnsAnswer, DnsServer
from orchestrator.errors import Invalid
from orchestrator.local.core.cloud import Address, Cloud
from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.dns import nameserver
from orchestrator.local.dns.zone import ALIAS, Zone, ZoneBook, ZoneEntry

OLD = "onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com"
NEW = "onyx-prod-alb-419508292.us-west-2.elb.amazonaws.com"
MANY = tuple(ZoneEntry("many.example.org", "A", 60, f"192.0.2.{number}") for number in range(1, 201))

EXAMPLE = Zone(
    "example.org",
    (
        ZoneEntry("example.org", "NS", 60, "ns1.servers.example"),
        ZoneEntry("example.org", ALIAS, 60, NEW),
        ZoneEntry("demo.example.org", "CNAME", 120, NEW),
        ZoneEntry("both.example.org", "A", 60, "192.0.2.7"),
        ZoneEntry("both.example.org", "AAAA", 60, "2001:db8::7"),
        ZoneEntry("six.example.org", "AAAA", 60, "2001:db8::6"),
        ZoneEntry("old.example.org", "CNAME", 600, OLD),
        ZoneEntry("far.example.org", "CNAME", 60, "www.elsewhere.test"),
        ZoneEntry("two.example.org", "CNAME", 30, "demo.example.org"),
        ZoneEntry("loop.example.org", "CNAME", 60, "loop2.example.org"),
        ZoneEntry("loop2.example.org", "CNAME", 60, "loop.example.org"),
        ZoneEntry("text.example.org", "TXT", 60, '"no address"'),
        *MANY,
    ),
)
SERVERS = Zone("servers.example", (ZoneEntry("ns1.servers.example", "A", 60, "127.0.0.1"),))


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(directory=tmp_path, pace=Pace(100), ca=trustme.CA(), faults=Faults(), log=lambda _line: None)
    cloud.shared(ZoneBook).add(lambda: [EXAMPLE, SERVERS])
    cloud.addresses.publish(NEW, Address("127.0.0.9", 443))
    stop = nameserver.start(cloud)
    yield cloud
    stop()


@pytest.fixture
def ask(cloud: Cloud) -> AskServers:
    return AskServers((DnsServer.parse(cloud.resolver),))


def test_a_name_leads_through_its_cname_to_addresses(ask: AskServers) -> None:
    answer = ask.resolve("Demo.Example.org.")
    assert (answer.name, answer.chain, answer.addresses) == ("demo.example.org", (NEW,), ("127.0.0.9",))
    assert (answer.ttl, answer.rcode) == (120, "NOERROR")
    assert answer.leads_to(ask.resolve(NEW))


def test_a_chain_of_two(ask: AskServers) -> None:
    answer = ask.resolve("two.example.org")
    assert (answer.chain, answer.ttl) == (("demo.example.org", NEW), 30)


def test_an_alias_shows_only_addresses_and_still_leads_there(ask: AskServers) -> None:
    answer = ask.resolve("example.org")
    assert (answer.chain, answer.addresses) == ((), ("127.0.0.9",))
    assert answer.leads_to(ask.resolve(NEW))


def test_an_old_load_balancer_is_a_dangling_chain(ask: AskServers) -> None:
    answer = ask.resolve("old.example.org")
    assert (answer.chain, answer.addresses, answer.rcode) == ((OLD,), (), "NXDOMAIN")
    assert not answer.leads_to(ask.resolve(NEW))


@pytest.mark.parametrize(
    ("name", "rcode"),
    [
        ("none.example.org", "NXDOMAIN"),
        ("text.example.org", "NOERROR"),
        ("loop.example.org", "SERVFAIL"),
        ("www.unknown.test", "REFUSED"),
    ],
)
def test_what_has_no_address_says_why(ask: AskServers, name: str, rcode: str) -> None:
    answer = ask.resolve(name)
    assert (answer.rcode, answer.addresses) == (rcode, ())


def test_an_answer_too_large_for_a_datagram_comes_by_tcp(ask: AskServers) -> None:
    assert len(ask.resolve("many.example.org").addresses) == len(MANY)


def test_a_silent_server_is_a_timeout() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        server = DnsServer("127.0.0.1", silent.getsockname()[1])
        assert AskServers((server,), timeout=0.05).resolve("demo.example.org").rcode == "TIMEOUT"


def test_the_next_server_is_asked_when_the_first_is_silent(cloud: Cloud) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        servers = (DnsServer("127.0.0.1", silent.getsockname()[1]), DnsServer.parse(cloud.resolver))
        answer = AskServers(servers, timeout=2.0).resolve("demo.example.org")
    assert (answer.addresses, answer.server) == (("127.0.0.9",), cloud.resolver)


def test_without_servers_there_is_no_answer() -> None:
    assert AskServers(()).resolve("demo.example.org") == DnsAnswer("demo.example.org", rcode="NO-SERVER")


def test_a_port_nobody_listens_on_is_no_answer() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as gone:
        gone.bind(("127.0.0.1", 0))
        server = DnsServer("127.0.0.1", gone.getsockname()[1])
    assert AskServers((server,), timeout=0.2).resolve("demo.example.org").rcode in {"NO-SERVER", "TIMEOUT"}


def test_the_zones_own_servers_are_asked_for_its_names(cloud: Cloud, ask: AskServers) -> None:
    """The system's resolver remembers the old answer; the zone's own server has the new one."""
    authoritative = DnsServer.parse(cloud.resolver)
    zone = AskZones(["example.org"], ask, port=authoritative.port)
    answer = zone.resolve("demo.example.org")
    assert (answer.chain, answer.addresses, answer.server) == ((NEW,), ("127.0.0.9",), str(authoritative))
    assert zone.resolve(NEW).addresses == ("127.0.0.9",)
    assert zone.resolve("far.example.org").chain == ("www.elsewhere.test",)


def test_the_system_is_asked_when_the_zones_servers_cant_be(ask: AskServers) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        system = AskServers(ask.servers, timeout=2.0)
        answer = AskZones(["example.org"], system, port=silent.getsockname()[1]).resolve("demo.example.org")
    assert (answer.chain, answer.server) == ((NEW,), str(ask.servers[0]))


def test_ipv6_addresses_are_asked_for_too(cloud: Cloud, ask: AskServers) -> None:
    both = ask.resolve("both.example.org")
    assert (both.addresses, both.addresses6) == (("192.0.2.7",), ("2001:db8::7",))
    six = ask.resolve("six.example.org")
    assert (six.rcode, six.every) == ("NOERROR", ("2001:db8::6",))
    port = int(cloud.resolver.rpartition(":")[2])
    assert AskZones(["example.org"], ask, port).resolve("both.example.org") == both


def test_ipv4_and_ipv6_lead_each_for_itself() -> None:
    target = DnsAnswer(NEW, addresses=("192.0.2.1",), addresses6=("2001:db8::1",))
    assert DnsAnswer("a", addresses=("192.0.2.1",), addresses6=("2001:db8::1",)).leads_to(target)
    assert not DnsAnswer("a", addresses=("192.0.2.1",), addresses6=("2001:db8::99",)).leads_to(target)
    assert DnsAnswer("a", chain=(NEW,), addresses6=("2001:db8::99",)).leads_to(target)


class Counting(AskServers):
    """The system's resolver, with every zone's name servers on a machine that answers nobody."""

    def name_servers(self, zone: str) -> tuple[str, ...]:
        return ("ns1.servers.example",)


def test_a_zone_whose_servers_are_silent_costs_one_time_out(cloud: Cloud) -> None:
    """Outbound port 53 is closed: the first name waits, the others are the system's resolver's to answer at once."""
    system = Counting((DnsServer.parse(cloud.resolver),), timeout=2.0)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        zones = AskZones(["example.org"], system, silent.getsockname()[1])
        assert zones.resolve("demo.example.org").addresses == ("127.0.0.9",)
        assert zones.unheard == {"example.org"}
        silent.setblocking(False)
        assert len(received(silent)) == 1
        for name in ("demo.example.org", "two.example.org", "both.example.org"):
            assert zones.resolve(name).addresses
        assert received(silent) == []


def received(silent: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(silent.recv(4096))
        except BlockingIOError:
            return found


def test_a_public_resolver_that_is_silent_is_asked_once(cloud: Cloud, ask: AskServers) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.setblocking(False)
        deaf = AskServers((DnsServer("127.0.0.1", silent.getsockname()[1]),), timeout=0.5)
        names = {"a": "demo.example.org", "b": "two.example.org", "c": "example.org"}
        seen = visibility.look(names, dict.fromkeys(names, NEW), {"": ask, "deaf": deaf})
        assert len(received(silent)) == 1
    assert {one.tenant for one in seen if one.is_right and not one.server} == {"a", "b", "c"}
    assert [(one.tenant, one.answer.name) for one in seen if not one.is_heard] == list(names.items())


def test_the_setting_wins_over_the_zone() -> None:
    assert resolve.connect("127.0.0.1:5353", ["example.org"]) == AskServers((DnsServer("127.0.0.1", 5353),))
    assert isinstance(resolve.connect(None, ["example.org"]), AskZones)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("127.0.0.1:5353", DnsServer("127.0.0.1", 5353)),
        ("[::1]:5353", DnsServer("::1", 5353)),
        ("::1:5353", DnsServer("::1", 5353)),
    ],
)
def test_servers_are_addresses(text: str, server: DnsServer) -> None:
    assert DnsServer.parse(text) == server


@pytest.mark.parametrize("text", ["localhost:53", "127.0.0.1:", "127.0.0.1:dns", "127.0.0.1:70000", "1.1.1.1", "nine"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        DnsServer.parse(text)
    assert [problem.code for problem in refusal.value.problems] == ["resolver-invalid"]
