"""Who reads what for the doctor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.aws.acm import Acm
from orchestrator.aws.autoscaling import Autoscaling
from orchestrator.aws.cloudwatch import CloudWatch
from orchestrator.aws.db_servers import DbServers
from orchestrator.aws.ecs import Ecs
from orchestrator.aws.elasticache import ElastiCache
from orchestrator.aws.elbv2 import Elbv2
from orchestrator.aws.iam import Iam
from orchestrator.aws.listeners import Listeners, Routing
from orchestrator.aws.logs import Logs
from orchestrator.aws.network import Network
from orchestrator.aws.s3 import S3
from orchestrator.aws.service_counts import ServiceCounts
from orchestrator.aws.service_settings import ClusterServices
from orchestrator.aws.ssm import Ssm
from orchestrator.aws.values import SecretValues
from orchestrator.database.server import Server
from orchestrator.dns.resolve import Resolver
from orchestrator.engine.close_looks import CloseLooks
from orchestrator.engine.step import Subject, Verdicts
from orchestrator.site.visits import Visits


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads what."""

    ecs: Ecs
    services: ClusterServices
    autoscaling: Autoscaling
    targets: Elbv2
    listeners: Listeners
    logs: Logs
    rds: DbServers
    elasticache: ElastiCache
    network: Network
    ssm: Ssm
    secrets: SecretValues
    iam: Iam
    acm: Acm
    s3: S3
    cloudwatch: CloudWatch
    counts: ServiceCounts
    database: Server
    resolver: Resolver
    records: Callable[[], Verdicts]
    """The look and the decision of the step `dns-records`."""
    direct: bool = field(default=False, kw_only=True)
    """Whether the database is reached without the runner."""
    visit: Callable[[Mapping[Subject, Sequence[str]], Mapping[Subject, Routing]], Visits]
    """`visits.look`: what visitors meet at these addresses of the tenants' names."""
    close_looks: CloseLooks = field(default=CloseLooks(), kw_only=True)
