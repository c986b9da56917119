"""The vocabulary: which actions on which of a stack's resources, under which condition.

Which actions take an ARN, and which only `*`: AWS's Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.aws.partitions import partition_in
from orchestrator.aws.value_from import parse, resource
from orchestrator.database.lending import path_of
from orchestrator.dns.names import normal
from orchestrator.dns.places import wanted
from orchestrator.stack.contract import Stack, passwords_of

ANY = "*"
Condition = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Operator → condition key → values."""


@dataclass(frozen=True, slots=True)
class PolicyScope:
    """What the policy is for. `zone_ids` are the hosted zones that are known.

    `lock` and `contract` are bucket and key, if they are in S3; `role` is the ARN of the role that is assumed.
    `backups` is the backups' bucket. `keys` are the ARNs of the KMS keys under which parts of the stack may be.
    """

    stack: Stack
    direct: bool = False
    zone_ids: tuple[str, ...] = ()
    lock: tuple[str, str] | None = None
    contract: tuple[str, str] | None = None
    role: str = ""
    backups: str = ""
    keys: tuple[str, ...] = ()

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov`."""
        return partition_in(self.stack.load_balancer.arn)

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """An ARN of the stack's account and region."""
        where = self.stack.region if region else ""
        whose = self.stack.account_id if account else ""
        return f"arn:{self.partition}:{service}:{where}:{whose}:{resource}"

    @property
    def hostnames(self) -> tuple[str, ...]:
        """Those whose records are made in Route 53."""
        names = (tenant for tenant in self.stack.tenants if _in_route53(self.stack, tenant))
        return tuple(sorted(normal(self.stack.tenants[tenant].hostname) for tenant in names))

    @property
    def zones(self) -> tuple[str, ...]:
        """Route 53's, by name."""
        asked = (wanted(self.stack, tenant) for tenant in self.stack.tenants if _in_route53(self.stack, tenant))
        return tuple(sorted({normal(one.zone) for one in asked if one}))


def _in_route53(stack: Stack, tenant: str) -> bool:
    asked = wanted(stack, tenant)
    return asked is not None and asked.provider == "route53"


Where = Callable[[PolicyScope], Sequence[str]]


def anywhere(_scope: PolicyScope) -> Sequence[str]:
    """For actions that know no resources."""
    return (ANY,)


def always(_scope: PolicyScope) -> Condition:
    """No condition."""
    return {}


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions on the resources that `on` names; nothing where it names none."""

    actions: tuple[str, ...]
    on: Where = anywhere
    under: Callable[[PolicyScope], Condition] = field(default=always)


# The stack's parts.


def database(scope: PolicyScope) -> Sequence[str]:
    """The DB instance, if the server is one."""
    name = scope.stack.database.instance
    return (scope.arn("rds", f"db:{name}"),) if name else ()


def database_cluster(scope: PolicyScope) -> Sequence[str]:
    """The DB cluster, if the server is one."""
    name = scope.stack.database.cluster
    return (scope.arn("rds", f"cluster:{name}"),) if name else ()


def cluster_members(scope: PolicyScope) -> Sequence[str]:
    """Its instances: which they are, the contract doesn't say."""
    return (scope.arn("rds", "db:*"),) if scope.stack.database.cluster else ()


def redis(scope: PolicyScope) -> Sequence[str]:
    """The replication group, if the stack has one."""
    part = scope.stack.redis
    return (scope.arn("elasticache", f"replicationgroup:{part.replication_group}"),) if part else ()


def redis_with_token(scope: PolicyScope) -> Sequence[str]:
    """The same, if it is to ask for a token."""
    return redis(scope) if _token(scope) else ()


def redis_members(scope: PolicyScope) -> Sequence[str]:
    """Its members: they are called after it."""
    part = scope.stack.redis
    return (scope.arn("elasticache", f"cluster:{part.replication_group}-*"),) if part else ()


def redis_token(scope: PolicyScope) -> Sequence[str]:
    """The secret with Redis's token."""
    return _secrets(scope, _token(scope))


def redis_parameter(scope: PolicyScope) -> Sequence[str]:
    """The same, if it is a parameter of SSM."""
    return _parameters(scope, _token(scope))


def tenant_secrets(scope: PolicyScope) -> Sequence[str]:
    """Each tenant's secret."""
    return _secrets(scope, _of_tenants(scope))


def tenant_parameters(scope: PolicyScope) -> Sequence[str]:
    """The same, of those that are parameters of SSM."""
    return _parameters(scope, _of_tenants(scope))


def logins(scope: PolicyScope) -> Sequence[str]:
    """The secrets that a direct connection to the database reads; through the runner it reads none itself."""
    return _secrets(scope, _logins(scope)) if scope.direct else ()


def login_parameters(scope: PolicyScope) -> Sequence[str]:
    """The same, of those that are parameters of SSM."""
    return _parameters(scope, _logins(scope)) if scope.direct else ()


def admin_login(scope: PolicyScope) -> Sequence[str]:
    """Of these, the admin's secret."""
    return _secrets(scope, _admin(scope)) if scope.direct else ()


def admin_parameter(scope: PolicyScope) -> Sequence[str]:
    """The same, if it is a parameter of SSM."""
    return _parameters(scope, _admin(scope)) if scope.direct else ()


def hidden_secrets(scope: PolicyScope) -> Sequence[str]:
    """What is read so that it can be hidden wherever it turns up."""
    return _secrets(scope, [*_logins(scope), *_token(scope)])


def _logins(scope: PolicyScope) -> list[str]:
    """Where the admin's and the tenants' passwords are."""
    return [*_admin(scope), *_of_tenants(scope)]


def _admin(scope: PolicyScope) -> list[str]:
    admin = scope.stack.database.admin_secret_arn
    return [admin] if admin else []


def _of_tenants(scope: PolicyScope) -> list[str]:
    return [tenant.secret_arn for tenant in scope.stack.tenants.values() if tenant.secret_arn]


def _token(scope: PolicyScope) -> list[str]:
    part = scope.stack.redis
    return [part.auth_secret_arn] if part and part.auth_secret_arn else []


def _secrets(scope: PolicyScope, places: Iterable[str]) -> list[str]:
    return [_resource(scope, place) for place in places if parse(place).is_secret]


def _parameters(scope: PolicyScope, places: Iterable[str]) -> list[str]:
    return [_resource(scope, place) for place in places if not parse(place).is_secret]


def _resource(scope: PolicyScope, place: str) -> str:
    stack = scope.stack
    return resource(place, partition=scope.partition, region=stack.region, account=stack.account_id)


def lent(scope: PolicyScope) -> Sequence[str]:
    """Parameters that carry to the runner the passwords that no secret holds; none when all are in secrets."""
    return [f"{path}/*" for path in lent_path(scope)]


def lent_of_admin(scope: PolicyScope) -> Sequence[str]:
    """The same, for whoever signs in as the admin alone: none when the admin's password is in a secret."""
    return () if _admin(scope) else lent(scope)


def lent_path(scope: PolicyScope) -> Sequence[str]:
    """Where they are looked for: what a run that died has left."""
    if scope.direct or not any(passwords_of(scope.stack)):
        return ()
    return (scope.arn("ssm", f"parameter{path_of(scope.stack.stack)}"),)


def services(scope: PolicyScope) -> Sequence[str]:
    """Each tenant's service."""
    stack = scope.stack
    return [
        _of_cluster(scope, "service", stack.cluster_of(name), _last(one.service))
        for name, one in stack.services.items()
    ]


def service_deployments(scope: PolicyScope) -> Sequence[str]:
    """ECS's records of the deployments of each tenant's service: it gives them their names."""
    stack = scope.stack
    return [
        _of_cluster(scope, "service-deployment", stack.cluster_of(name), f"{_last(one.service)}/{ANY}")
        for name, one in stack.services.items()
    ]


def tasks(scope: PolicyScope) -> Sequence[str]:
    """The tasks of the stack's clusters: ECS gives them their names."""
    return [_of_cluster(scope, "task", cluster, ANY) for cluster in scope.stack.clusters]


def in_cluster(scope: PolicyScope) -> Condition:
    """ListTasks knows no service and no cluster as its resource, but this condition."""
    clusters = tuple(scope.arn("ecs", f"cluster/{_last(cluster)}") for cluster in scope.stack.clusters)
    return {"ArnEquals": {"ecs:cluster": clusters}}


def scripts_on_runner(scope: PolicyScope) -> Sequence[str]:
    """Shell scripts, on the runner; none when the database is reached directly."""
    return () if scope.direct else scripts_whatever_the_transport(scope)


def scripts_whatever_the_transport(scope: PolicyScope) -> Sequence[str]:
    """Shell scripts, on the runner: dumps are made there in any case."""
    return _scripts_on(scope, runner(scope))


def scripts_on_indexes(scope: PolicyScope) -> Sequence[str]:
    """Shell scripts, on every index's instance."""
    return _scripts_on(scope, indexes(scope))


def answers_of_scripts(scope: PolicyScope) -> Sequence[str]:
    """GetCommandInvocation, ListCommands and the agent's state know no resources."""
    return () if scope.direct else (ANY,)


def _scripts_on(scope: PolicyScope, where: Sequence[str]) -> Sequence[str]:
    return [scope.arn("ssm", "document/AWS-RunShellScript", account=False), *where] if where else ()


def answers_of_indexes(scope: PolicyScope) -> Sequence[str]:
    """The same of the indexes' instances, which nobody reaches directly."""
    return (ANY,) if scope.stack.indexes else ()


def indexes(scope: PolicyScope) -> Sequence[str]:
    """The indexes' instances."""
    return _instances(scope, (one.server.instance_id for one in scope.stack.indexes))


def runner(scope: PolicyScope) -> Sequence[str]:
    """The runner, if the stack has one."""
    return _instances(scope, [scope.stack.runner.instance_id] if scope.stack.runner else ())


def instances(scope: PolicyScope) -> Sequence[str]:
    """All of the stack."""
    return sorted({*indexes(scope), *runner(scope)})


def session_document(scope: PolicyScope) -> Sequence[str]:
    """What an account's sessions are like; it is asked for though no call names it."""
    return (scope.arn("ssm", "document/SSM-SessionManagerRunShell"),) if instances(scope) else ()


def own_sessions(scope: PolicyScope) -> Sequence[str]:
    """Those of whoever asks: their ids begin with the user's."""
    return (scope.arn("ssm", "session/${aws:userid}-*"),) if instances(scope) else ()


def _instances(scope: PolicyScope, ids: Iterable[str]) -> Sequence[str]:
    return [scope.arn("ec2", f"instance/{one}") for one in ids]


def log_streams(scope: PolicyScope) -> Sequence[str]:
    """What the tenants' containers write."""
    groups = list(dict.fromkeys(one.log_group for one in scope.stack.services.values() if one.log_group))
    return [scope.arn("logs", f"log-group:{group}:*") for group in groups]


def log_groups(scope: PolicyScope) -> Sequence[str]:
    """DescribeLogGroups is asked for on all of them, whatever its prefix."""
    return (scope.arn("logs", "log-group:*"),)


def certificate(scope: PolicyScope) -> Sequence[str]:
    """The certificates, if the stack has any."""
    return scope.stack.certificates


def certificates(scope: PolicyScope) -> Sequence[str]:
    """All of the region, if the stack has one: the listener may show others beside it."""
    return (scope.arn("acm", "certificate/*"),) if scope.stack.certificates else ()


def bucket(scope: PolicyScope) -> Sequence[str]:
    """The bucket, if the stack has one."""
    return (scope.arn("s3", scope.stack.bucket, region=False, account=False),) if scope.stack.bucket else ()


def roles(scope: PolicyScope) -> Sequence[str]:
    """The tasks' roles stand in the task definitions only: any role, which the simulator just reads."""
    return (scope.arn("iam", "role/*", region=False),)


def profiles(scope: PolicyScope) -> Sequence[str]:
    """An instance's profile stands in EC2's answer only: any, which is just read."""
    return (scope.arn("iam", "instance-profile/*", region=False),)


def route53(scope: PolicyScope) -> Sequence[str]:
    """Listing zones knows no resources."""
    return (ANY,) if scope.hostnames else ()


def hosted_zones(scope: PolicyScope) -> Sequence[str]:
    """The zones that are named by id; else any: the contract knows their names only."""
    named = scope.zone_ids or (ANY,)
    found = [scope.arn("route53", f"hostedzone/{one}", region=False, account=False) for one in named]
    return found if scope.hostnames else ()


def dns_roles(scope: PolicyScope) -> Sequence[str]:
    """The roles of zones that are in another account."""
    asked = (wanted(scope.stack, tenant) for tenant in scope.stack.tenants if _in_route53(scope.stack, tenant))
    return sorted({one.role_arn for one in asked if one is not None and one.role_arn})


def dns_changes(scope: PolicyScope) -> Sequence[str]:
    """Changes that spread: Route 53 gives them their ids."""
    return (scope.arn("route53", "change/*", region=False, account=False),) if scope.hostnames else ()


def of_hostnames(scope: PolicyScope) -> Condition:
    """Only these records may be changed."""
    return _of_names(scope.hostnames)


def of_validations(scope: PolicyScope) -> Condition:
    """ACM's validation records begin with `_` and stand anywhere in the zones."""
    return _of_names(tuple(f"_*.{zone}" for zone in scope.zones))


def _of_names(names: tuple[str, ...]) -> Condition:
    return {"ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": names}}


def _of_cluster(scope: PolicyScope, kind: str, cluster: str, name: str) -> str:
    return scope.arn("ecs", f"{kind}/{_last(cluster)}/{name}")


def _last(name_or_arn: str) -> str:
    return name_or_arn.rsplit("/", 1)[-1]
