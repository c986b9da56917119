"""What a person would look at to believe it, asked of the world itself and not of the orchestrator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.rdatatype
import dns.resolver
import psycopg
import urllib3

from orchestrator.local.core import api
from orchestrator.local.core.waiting import eventually

Contract = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Response:
    """What HTTPS gave: a status and the first line of the body, or the reason why there was no answer."""

    status: int
    text: str

    @property
    def good(self) -> bool:
        """A page, not an error."""
        return 200 <= self.status < 400


@dataclass(frozen=True, slots=True)
class OutsideView:
    """Looks through an environment as `orchestrate local env` prints it."""

    environ: Mapping[str, str]

    def _client(self, service: str) -> Any:
        return api.client(self.environ, service)

    def make_zone(self, zone: str) -> list[str]:
        """The DNS zone a company has before it has a stack. Returns its name servers."""
        made = self._client("route53").create_hosted_zone(Name=zone, CallerReference="demo")
        return list(made["DelegationSet"]["NameServers"])

    def databases(self, contract: Contract) -> dict[str, str]:
        """Database → owner, from the real server; templates and RDS's own left out."""
        query = (
            "SELECT datname, pg_get_userbyid(datdba) FROM pg_database"
            " WHERE NOT datistemplate AND datname NOT IN ('postgres', 'rdsadmin') ORDER BY datname"
        )
        with self.session(contract, contract["database"]["admin_secret_arn"], "postgres") as session:
            return dict(session.execute(query).fetchall())

    def session(self, contract: Contract, secret: str, database: str, role: str = "") -> psycopg.Connection[Any]:
        """In this database, each statement by itself, with the password of the secret; its user too without a role."""
        said = self._client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        login = json.loads(said)
        return psycopg.connect(
            host=contract["database"]["host"],
            hostaddr=self.environ["PGHOSTADDR"],
            port=int(self.environ["PGPORT"]),
            user=role or login["username"],
            password=login["password"],
            dbname=database,
            autocommit=True,
        )

    def services(self, contract: Contract) -> dict[str, tuple[int, int]]:
        """Service → running and desired tasks; of every service of every tenant."""
        names = service_names(contract)
        found = self._client("ecs").describe_services(cluster=contract["cluster"], services=names)["services"]
        return {each["serviceName"]: (each["runningCount"], each["desiredCount"]) for each in found}

    def instances(self, by_tenant: Mapping[str, str]) -> dict[str, str]:
        """Tenant → state of its instance."""
        answer = self._client("ec2").describe_instances(InstanceIds=list(by_tenant.values()))
        found = {
            one["InstanceId"]: one["State"]["Name"] for some in answer["Reservations"] for one in some["Instances"]
        }
        return {tenant: str(found[instance]) for tenant, instance in by_tenant.items()}

    def newest_error(self, contract: Contract, tenant: str, seconds: float = 20.0) -> str:
        """The newest error in the tenant's log, waited for while its first task boots; empty: there is none."""
        group = contract["tenants"][tenant]["log_group"]

        def errors() -> list[str]:
            found = self._client("logs").filter_log_events(logGroupName=group)["events"]
            return [str(event["message"]).strip() for event in found if "Error" in str(event["message"])]

        said = eventually(errors, seconds, often=0.5)
        return said[-1].splitlines()[0] if said else ""

    def resolve(self, hostname: str) -> tuple[str, list[str]]:
        """Ask the DNS server: the alias the name stands for (empty: none), and the addresses it leads to."""
        host, _, port = self.environ["ORCHESTRATE_RESOLVER"].rpartition(":")
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = [host], int(port), 5.0
        return _alias(resolver, hostname), _addresses(resolver, hostname)

    def site(self, hostname: str, address: str) -> Response:
        """GET the page by HTTPS, the certificate verified for the name."""
        pool = urllib3.HTTPSConnectionPool(
            address,
            port=int(self.environ["ORCHESTRATE_SITE_PORT"]),
            server_hostname=hostname,
            assert_hostname=hostname,
            ca_certs=self.environ["ORCHESTRATE_CA_FILE"],
            timeout=10,
            retries=False,
        )
        try:
            with pool:
                answer = pool.request("GET", "/api/health", headers={"Host": hostname})
        except urllib3.exceptions.HTTPError as error:
            return Response(0, str(error))
        return Response(answer.status, answer.data.decode(errors="replace").strip()[:100])


def service_names(contract: Contract) -> list[str]:
    """Each tenant's services: the one behind the load balancer, then its workers'."""
    tenants = contract["tenants"].values()
    return [str(service["service"]) for one in tenants for service in (one, *(one.get("workers") or {}).values())]


def index_instances(contract: Contract) -> dict[str, dict[str, str]]:
    """Index, as people call it → tenant → instance id; no entry for an index that no tenant has."""
    tenants = contract["tenants"].items()
    found = {
        "Vespa": contract.get("vespa") or {},
        "OpenSearch": {name: one["index"]["opensearch"] for name, one in tenants if one.get("index")},
    }
    return {kind: {name: str(one["instance_id"]) for name, one in some.items()} for kind, some in found.items() if some}


def _alias(resolver: dns.resolver.Resolver, hostname: str) -> str:
    try:
        return str(resolver.resolve(hostname, "CNAME")[0].target).rstrip(".")
    except dns.exception.DNSException:
        return ""


def _addresses(resolver: dns.resolver.Resolver, hostname: str) -> list[str]:
    try:
        return [str(record) for record in resolver.resolve(hostname, "A")]
    except dns.exception.DNSException:
        return []
