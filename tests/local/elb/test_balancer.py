"""The load balancer over real TLS: certificates by SNI, rules, healthy targets, names that come and go with moto's."""

import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme
import urllib3
from moto import mock_aws
from moto.elbv2.models import elbv2_backends

from orchestrator.local.core.cloud import ACCOUNT, Address, BalancerTarget, Cloud
from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.elb import balancer
from orchestrator.local.elb.routing import Forward, Respond, RoutingRule, WebRequest, decide, holds
from tests.waiting import until

HOST = "demo.vigilon.app"
EXPECTED_IN_LOG = ("RuntimeError('the application crashed')", "shares 127.0.0.1")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    log: list[str] = []
    with mock_aws():
        made = Cloud(tmp_path, Pace(1000), trustme.CA(key_type=trustme.KeyType.ECDSA), Faults(), log.append)
        made.ca.cert_pem.write_to_path(made.ca_file)
        stop = balancer.start(made)
        yield made
        stop()
        assert made.addresses.all() == {}
    assert [line for line in log if not any(words in line for words in EXPECTED_IN_LOG)] == []


def client(service: Any) -> Any:
    return boto3.client(service, "us-west-2")


class Stack:
    """A load balancer with an HTTPS listener for HOST, made through the API."""

    def __init__(self, cloud: Cloud, name: str = "onyx-prod-alb", domain: str = HOST) -> None:
        self.cloud, self.domain = cloud, domain
        self.elb = client("elbv2")
        ec2 = client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        zones = ("us-west-2a", "us-west-2b")
        subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for n, zone in enumerate(zones)
        ]
        made = self.elb.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]
        self.arn, self.dns_name = made["LoadBalancerArn"], made["DNSName"]
        self.group = self.target_group(f"{name}-tg")
        self.listener: str = self.elb.create_listener(
            LoadBalancerArn=self.arn,
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": certificate(domain)}],
            DefaultActions=[fixed(404, "no such tenant")],
        )["Listeners"][0]["ListenerArn"]
        self.rule(10, [{"Field": "host-header", "Values": [domain]}], forward(self.group))

    def target_group(self, name: str) -> str:
        made = self.elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=self.vpc, TargetType="ip")
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def rule(self, priority: int, conditions: list[dict[str, Any]], action: dict[str, Any]) -> None:
        self.elb.create_rule(ListenerArn=self.listener, Priority=priority, Conditions=conditions, Actions=[action])

    def activate(self) -> Address:
        """It has been provisioned; the balancer then publishes it."""
        elbv2_backends[ACCOUNT]["us-west-2"].load_balancers[self.arn].state = "active"
        return until("its name resolves", lambda: self.cloud.addresses.find(self.dns_name))


def certificate(*names: str) -> str:
    acm = client("acm")
    made = acm.request_certificate(DomainName=names[0], SubjectAlternativeNames=list(names), ValidationMethod="DNS")
    return str(made["CertificateArn"])


def fixed(status: int, body: str) -> dict[str, Any]:
    config = {"StatusCode": str(status), "MessageBody": body, "ContentType": "text/plain"}
    return {"Type": "fixed-response", "FixedResponseConfig": config}


def forward(group: str) -> dict[str, Any]:
    return {"Type": "forward", "TargetGroupArn": group}


def get(cloud: Cloud, address: Address, host: str = HOST, path: str = "/", **more: Any) -> urllib3.BaseHTTPResponse:
    with urllib3.HTTPSConnectionPool(
        address.ip,
        address.port,
        server_hostname=host,
        assert_hostname=host,
        ca_certs=str(cloud.ca_file),
        cert_reqs="CERT_REQUIRED",
        timeout=10,
        retries=False,
    ) as pool:
        return pool.request(more.pop("method", "GET"), path, headers={"Host": host}, redirect=False, **more)


def healthy(host: str, path: str) -> tuple[int, str]:
    return 200, f'{{"host": "{host}", "path": "{path}"}}'


def serve(cloud: Cloud, *targets: BalancerTarget) -> None:
    cloud.targets = lambda _arn: list(targets)


def test_a_healthy_target_answers_through_tls(cloud: Cloud) -> None:
    stack = Stack(cloud)
    assert cloud.addresses.find(stack.dns_name) is None
    asked: list[str] = []

    def targets(arn: str) -> list[BalancerTarget]:
        asked.append(arn)
        return [BalancerTarget("10.0.0.5", 80, "healthy", healthy)]

    cloud.targets = targets
    address = stack.activate()
    answer = get(cloud, address, path="/api/health?deep=1")
    assert (answer.status, answer.json()) == (200, {"host": HOST, "path": "/api/health?deep=1"})
    assert asked == [stack.group]
    assert address.port == cloud.site_port


@pytest.mark.parametrize("state", ["unhealthy", "initial", "draining", "unused"])
def test_without_a_healthy_target_it_is_503(cloud: Cloud, state: str) -> None:
    address = Stack(cloud).activate()
    for targets in ([], [BalancerTarget("10.0.0.5", 80, state, healthy)]):
        serve(cloud, *targets)
        answer = get(cloud, address)
        assert answer.status == 503
        assert b"<h1>503 Service Temporarily Unavailable</h1>" in answer.data


def test_a_target_that_breaks_is_502(cloud: Cloud) -> None:
    def broken(_host: str, _path: str) -> tuple[int, str]:
        raise RuntimeError("the application crashed")

    serve(cloud, BalancerTarget("10.0.0.5", 80, "healthy", broken))
    assert get(cloud, Stack(cloud).activate()).status == 502


def test_another_host_gets_the_default_action_and_a_certificate_that_does_not_fit(cloud: Cloud) -> None:
    address = Stack(cloud).activate()
    with pytest.raises(urllib3.exceptions.SSLError, match="match"):
        get(cloud, address, "other.vigilon.app")
    pool = urllib3.HTTPSConnectionPool(
        address.ip, address.port, server_hostname=HOST, assert_hostname=HOST, ca_certs=str(cloud.ca_file)
    )
    with pool:
        answer = pool.request("GET", "/", headers={"Host": "other.vigilon.app"}, retries=False)
    assert (answer.status, answer.data) == (404, b"no such tenant")


def test_a_stranger_does_not_trust_it(cloud: Cloud, tmp_path: Path) -> None:
    address = Stack(cloud).activate()
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    pool = urllib3.HTTPSConnectionPool(
        address.ip, address.port, server_hostname=HOST, ca_certs=str(stranger), retries=False
    )
    with pool, pytest.raises(urllib3.exceptions.SSLError, match="verify failed"):
        pool.request("GET", "/")


def test_a_second_certificate_is_chosen_by_sni(cloud: Cloud) -> None:
    stack = Stack(cloud)
    added = certificate("customer-b.vigilon.app", "*.b.vigilon.app")
    stack.elb.add_listener_certificates(ListenerArn=stack.listener, Certificates=[{"CertificateArn": added}])
    serve(cloud, BalancerTarget("10.0.0.5", 80, "healthy", healthy))
    address = stack.activate()
    assert get(cloud, address, HOST).status == 200
    assert get(cloud, address, "customer-b.vigilon.app").data == b"no such tenant"
    assert get(cloud, address, "x.b.vigilon.app").data == b"no such tenant"


def test_rules_are_asked_by_priority_as_they_are_now(cloud: Cloud) -> None:
    stack = Stack(cloud)
    address = stack.activate()
    serve(cloud, BalancerTarget("10.0.0.5", 80, "healthy", healthy))
    assert get(cloud, address, path="/maintenance").status == 200
    stack.rule(5, [{"Field": "path-pattern", "Values": ["/maint*"]}], fixed(503, "back soon"))
    assert get(cloud, address, path="/maintenance", method="POST", body=b"x" * 100_000).data == b"back soon"
    config = {"Protocol": "HTTPS", "Port": "443", "Path": "/new/#{path}", "StatusCode": "HTTP_301"}
    redirect = {"Type": "redirect", "RedirectConfig": config}
    stack.rule(6, [{"Field": "path-pattern", "Values": ["/old"]}], redirect)
    answer = get(cloud, address, path="/old?a=1")
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}/new/old?a=1")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one loopback address, open for all")
def test_a_deleted_load_balancer_is_gone(cloud: Cloud) -> None:
    stack = Stack(cloud)
    address = stack.activate()
    assert get(cloud, address).status == 503
    stack.elb.delete_load_balancer(LoadBalancerArn=stack.arn)
    until("its name is gone", lambda: cloud.addresses.find(stack.dns_name) is None)
    with socket.socket() as visitor:
        visitor.settimeout(5)
        with pytest.raises(ConnectionRefusedError):
            visitor.connect((address.ip, address.port))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one loopback address")
def test_each_load_balancer_has_an_address_of_its_own_on_one_port(cloud: Cloud) -> None:
    serve(cloud, BalancerTarget("10.0.0.5", 80, "healthy", healthy))
    one, two = Stack(cloud), Stack(cloud, "other-alb", "other.vigilon.app")
    two.elb.modify_listener(ListenerArn=two.listener, DefaultActions=[fixed(404, "the other one")])
    first, second = one.activate(), two.activate()
    assert first.ip != second.ip
    assert first.port == second.port == cloud.site_port
    assert get(cloud, first, HOST).status == 200
    assert get(cloud, second, "other.vigilon.app").status == 200
    shared = Address(balancer.SHARED, cloud.site_port)
    for host in (HOST, "other.vigilon.app"):
        assert get(cloud, shared, host).status == 200


def test_where_only_one_loopback_address_exists_the_host_decides(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balancer, "own_address", lambda _name: "192.0.2.1")  # none of this machine's
    serve(cloud, BalancerTarget("10.0.0.5", 80, "healthy", healthy))
    address = Stack(cloud).activate()
    assert address.ip == balancer.SHARED
    assert get(cloud, address).status == 200


def test_a_client_that_says_nothing_stops_nobody(cloud: Cloud) -> None:
    serve(cloud, BalancerTarget("10.0.0.5", 80, "healthy", healthy))
    address = Stack(cloud).activate()
    with socket.create_connection((address.ip, address.port), timeout=5):
        assert get(cloud, address).status == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(cloud: Cloud) -> None:
    address = Stack(cloud).activate()
    context = ssl.create_default_context(cafile=str(cloud.ca_file))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection((address.ip, address.port), timeout=5) as plain, pytest.raises(OSError, match="SSL"):
        context.wrap_socket(plain, server_hostname=HOST)


CONDITIONS: list[tuple[dict[str, Any], WebRequest, bool]] = [
    ({"Field": "host-header", "Values": ["*.vigilon.app"]}, WebRequest("DEMO.vigilon.app", "/"), True),
    ({"Field": "host-header", "Values": ["*.vigilon.app"]}, WebRequest("vigilon.app", "/"), False),
    ({"Field": "host-header", "HostHeaderConfig": {"Values": ["a.test", "b.test"]}}, WebRequest("b.test", "/"), True),
    ({"Field": "host-header", "Values": ["dem?.vigilon.app"]}, WebRequest(HOST, "/"), True),
    ({"Field": "host-header", "Values": ["demo[x].app"]}, WebRequest("demox.app", "/"), False),
    ({"Field": "path-pattern", "Values": ["/api/*"]}, WebRequest(HOST, "/api/health"), True),
    ({"Field": "path-pattern", "Values": ["/api/*"]}, WebRequest(HOST, "/API/health"), False),
    ({"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a", "/b"]}}, WebRequest(HOST, "/b"), True),
    ({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}}, WebRequest(HOST, "/"), False),
    ({"Field": "source-ip", "SourceIpConfig": {"Values": ["0.0.0.0/0"]}}, WebRequest(HOST, "/"), False),
]


@pytest.mark.parametrize(("condition", "asked", "expected"), CONDITIONS)
def test_conditions(condition: dict[str, Any], asked: WebRequest, expected: bool) -> None:
    assert holds(condition, asked) is expected


def test_all_conditions_of_a_rule_must_hold_and_weights_come_along() -> None:
    groups = {"TargetGroups": [{"TargetGroupArn": "a", "Weight": 3}, {"TargetGroupArn": "b", "Weight": 0}]}
    both = (
        {"Field": "host-header", "Values": [HOST]},
        {"Field": "path-pattern", "Values": ["/x"]},
    )
    rules = [
        RoutingRule(float("inf"), (), (fixed(404, "none"),)),
        RoutingRule(1, both, ({"Type": "forward", "ForwardConfig": groups},)),
    ]
    assert decide(rules, WebRequest(HOST, "/y")) == Respond(404, "none")
    assert decide(rules, WebRequest(HOST, "/x")) == Forward((("a", 3), ("b", 0)))
