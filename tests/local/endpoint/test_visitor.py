"""The edges together, in a real local cloud: name → address → certificate → answer, as a visitor would come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest
import urllib3

from tests.waiting import until

if TYPE_CHECKING:
    from tests.local.local_cloud import Aws, LocalCloud

pytestmark = pytest.mark.cloud
HOST = "demo.vigilon.app"


def load_balancer(aws: Aws) -> tuple[str, str]:
    ec2, elb, acm = aws.client("ec2"), aws.client("elbv2"), aws.client("acm")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    made = elb.create_load_balancer(Name="onyx-prod-alb", Subnets=[subnet])["LoadBalancers"][0]
    certificate = acm.request_certificate(DomainName="*.vigilon.app", ValidationMethod="DNS")["CertificateArn"]
    fixed = {"StatusCode": "200", "MessageBody": "here I am", "ContentType": "text/plain"}
    elb.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": fixed}],
    )
    return str(made["LoadBalancerArn"]), str(made["DNSName"])


def lookup(cloud: LocalCloud, name: str) -> tuple[dns.rcode.Rcode, list[str]]:
    host, _, port = cloud.env["ORCHESTRATE_RESOLVER"].partition(":")
    message = dns.query.udp(dns.message.make_query(name, "A"), host, port=int(port), timeout=5)
    return message.rcode(), [str(rdata) for found in message.answer for rdata in found]


def address(cloud: LocalCloud, name: str) -> str | None:
    rcode, answers = lookup(cloud, name)
    return answers[-1] if rcode == dns.rcode.NOERROR and answers and answers[-1][-1].isdigit() else None


def visit(cloud: LocalCloud, ip: str) -> bytes:
    with urllib3.HTTPSConnectionPool(
        ip,
        int(cloud.env["ORCHESTRATE_SITE_PORT"]),
        server_hostname=HOST,
        assert_hostname=HOST,
        ca_certs=cloud.env["ORCHESTRATE_CA_FILE"],
        retries=False,
        timeout=10,
    ) as pool:
        return pool.request("GET", "/", headers={"Host": HOST}).data


def porkbun(cloud: LocalCloud, path: str, **body: Any) -> dict[str, Any]:
    keys = {"apikey": cloud.env["PORKBUN_API_KEY"], "secretapikey": cloud.env["PORKBUN_SECRET_API_KEY"]}
    answer = urllib3.request("POST", cloud.env["ORCHESTRATE_PORKBUN_URL"] + path, json=keys | body, timeout=10)
    result: dict[str, Any] = answer.json()
    return result


def test_a_new_load_balancer_is_reached_once_the_record_follows_it(cloud: LocalCloud, aws: Aws) -> None:
    route53, elb = aws.client("route53"), aws.client("elbv2")
    zone = route53.create_hosted_zone(Name="vigilon.app", CallerReference="1")["HostedZone"]["Id"]

    def point_at(name: str) -> None:
        record = {"Name": HOST, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": name}]}
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        change = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)["ChangeInfo"]["Id"]
        until("the change is in", lambda: route53.get_change(Id=change)["ChangeInfo"]["Status"] == "INSYNC")

    arn, name = load_balancer(aws)
    point_at(name)
    ip = until("the name resolves", lambda: address(cloud, HOST))
    assert visit(cloud, ip) == b"here I am"

    elb.delete_load_balancer(LoadBalancerArn=arn)
    until("the name is gone", lambda: lookup(cloud, HOST)[0] == dns.rcode.NXDOMAIN)
    again, new_name = load_balancer(aws)
    assert new_name != name
    until("the new name resolves", lambda: address(cloud, new_name))
    assert lookup(cloud, HOST)[0] == dns.rcode.NXDOMAIN, "the record still names the old one"
    point_at(new_name)
    assert visit(cloud, until("it leads there", lambda: address(cloud, HOST))) == b"here I am"
    elb.delete_load_balancer(LoadBalancerArn=again)


def test_a_record_at_porkbun_is_seen_by_the_world(cloud: LocalCloud) -> None:
    made = porkbun(cloud, "/dns/create/porkbun.example", name="www", type="A", content="192.0.2.7")
    assert made["status"] == "SUCCESS"
    assert lookup(cloud, "www.porkbun.example") == (dns.rcode.NOERROR, ["192.0.2.7"])
    listed = porkbun(cloud, "/dns/retrieve/porkbun.example")["records"]
    assert made["id"] in [one["id"] for one in listed]
