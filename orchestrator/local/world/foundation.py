"""What all tenants of a stack share: network, database server, Redis, load balancer, roles, bucket."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from orchestrator.local.core.waiting import eventually
from orchestrator.local.world.parts import PlacedBalancer, WorldClients, WorldNetwork

ADMIN = "onyx_root"
MOST_NAMES = 10
"""Names of a certificate, unless the account's quota was raised (ACM user guide, "Quotas")."""
TOGETHER = 90
"""Tenants of a load balancer, as in terraform/: AWS ends at 100 target groups for each."""
REDIS_DATABASES = 16
"""Of a Redis with a default parameter group."""
_ADDRESS_SECONDS = 300.0


def hosted_zone(route53: Any, zone: str) -> str:
    """The id of the zone, made if it is missing (no stack owns it)."""
    for found in route53.list_hosted_zones_by_name(DNSName=f"{zone}.")["HostedZones"]:
        if found["Name"] == f"{zone}.":
            return str(found["Id"])
    return str(route53.create_hosted_zone(Name=zone, CallerReference=secrets.token_hex(8))["HostedZone"]["Id"])


def tags(stack: str, name: str = "") -> list[dict[str, str]]:
    """As Terraform's provider gives them to everything, in AWS's form; some have a name of their own besides."""
    return [{"Key": "Stack", "Value": stack}, *([{"Key": "Name", "Value": name}] if name else ())]


def network(aws: WorldClients, name: str, region: str) -> WorldNetwork:
    """A VPC with two public and two private subnets of 4,091 addresses; each part is reached only by who needs it."""
    vpc = aws.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    aws.ec2.create_tags(Resources=[vpc], Tags=tags(name, f"{name}-vpc"))
    gateway = aws.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    aws.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)

    def subnet(number: int, availability: str) -> str:
        made = aws.ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{16 * number}.0/20", AvailabilityZone=f"{region}{availability}"
        )
        return str(made["Subnet"]["SubnetId"])

    public, private = [subnet(0, "a"), subnet(1, "b")], [subnet(8, "a"), subnet(9, "b")]
    _ways_out(aws, vpc, gateway, public, private)
    groups = {
        "alb": _group(aws, name, "alb", vpc, [(80, "0.0.0.0/0"), (443, "0.0.0.0/0")]),
        "tasks": _group(aws, name, "tasks", vpc, []),
    }
    groups["postgres"] = _group(aws, name, "postgres", vpc, [(5432, "10.0.0.0/16")])
    groups["vespa"] = _group(aws, name, "vespa", vpc, [(8081, groups["tasks"]), (19071, groups["tasks"])])
    groups["opensearch"] = _group(aws, name, "opensearch", vpc, [(9200, groups["tasks"])])
    clients = [groups[one] for one in ("tasks", "vespa", "opensearch")]
    groups["redis"] = _group(aws, name, "redis", vpc, [(6379, one) for one in clients])
    _allow(aws, groups["tasks"], 80, groups["alb"])
    return WorldNetwork(vpc, public, private, groups)


def _ways_out(aws: WorldClients, vpc: str, gateway: str, public: Sequence[str], private: Sequence[str]) -> None:
    """The public subnets' default route leads to the internet gateway, the private ones' to a NAT gateway."""
    address = aws.ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = aws.ec2.create_nat_gateway(SubnetId=public[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    for subnets, way in ((public, {"GatewayId": gateway}), (private, {"NatGatewayId": nat})):
        table = aws.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        aws.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **way)
        for subnet in subnets:
            aws.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)


def _group(aws: WorldClients, name: str, part: str, vpc: str, ingress: Sequence[tuple[int, str]]) -> str:
    made = aws.ec2.create_security_group(GroupName=f"{name}-{part}", Description=f"{name} {part}", VpcId=vpc)
    for port, source in ingress:
        _allow(aws, made["GroupId"], port, source)
    return str(made["GroupId"])


def _allow(aws: WorldClients, group: str, port: int, source: str) -> None:
    origin: dict[str, Any] = (
        {"UserIdGroupPairs": [{"GroupId": source}]} if source.startswith("sg-") else {"IpRanges": [{"CidrIp": source}]}
    )
    permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **origin}
    aws.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])


def secret(aws: WorldClients, stack: str, part: str, value: str) -> str:
    """A secret with a name of its own; its ARN. For a while AWS gives no name away again."""
    name = f"{stack}/{part}-{secrets.token_hex(3)}"
    return str(aws.secretsmanager.create_secret(Name=name, SecretString=value, Tags=tags(stack))["ARN"])


def login(aws: WorldClients, stack: str, part: str, username: str) -> tuple[str, str]:
    """A secret with a fresh password; returns its ARN and the password."""
    password = secrets.token_urlsafe(24)
    return secret(aws, stack, part, json.dumps({"username": username, "password": password})), password


def before_a_server(aws: WorldClients, name: str, network: WorldNetwork) -> tuple[str, str]:
    """What a database server of either kind leans on: its subnets, and its admin's login (the ARN and the password)."""
    aws.rds.create_db_subnet_group(
        DBSubnetGroupName=f"{name}-postgres", DBSubnetGroupDescription=name, SubnetIds=network.private
    )
    return login(aws, name, "postgres-admin", ADMIN)


def database(aws: WorldClients, name: str, network: WorldNetwork, snapshot: str = "") -> tuple[str, str]:
    """The ARN of the admin's secret, and the server's address (known once RDS has given one)."""
    arn, password = before_a_server(aws, name, network)
    instance = f"{name}-postgres"
    common = {
        "DBInstanceIdentifier": instance,
        "DBInstanceClass": "db.t4g.small",
        "DBSubnetGroupName": f"{name}-postgres",
        "VpcSecurityGroupIds": [network.groups["postgres"]],
        "PubliclyAccessible": False,
        "Tags": tags(name),
    }
    if snapshot:
        _restored(aws, common, snapshot, password)
    else:
        _new(aws, common, password)
    return arn, _address(aws, instance)


def _new(aws: WorldClients, common: dict[str, Any], password: str) -> None:
    aws.rds.create_db_instance(
        Engine="postgres",
        EngineVersion="16.8",
        AllocatedStorage=20,
        StorageType="gp3",
        StorageEncrypted=True,
        MasterUsername=ADMIN,
        MasterUserPassword=password,
        BackupRetentionPeriod=7,
        **common,
    )


def _restored(aws: WorldClients, common: dict[str, Any], snapshot: str, password: str) -> None:
    """Its admin password is the snapshot's at first: the new secret's is set as soon as RDS takes it."""
    aws.rds.restore_db_instance_from_db_snapshot(DBSnapshotIdentifier=snapshot, **common)
    instance = common["DBInstanceIdentifier"]
    eventually(lambda: _described(aws, instance)["DBInstanceStatus"] == "available", _ADDRESS_SECONDS)
    aws.rds.modify_db_instance(DBInstanceIdentifier=instance, MasterUserPassword=password, ApplyImmediately=True)


def _address(aws: WorldClients, instance: str) -> str:
    address: str = eventually(
        lambda: _described(aws, instance).get("Endpoint", {}).get("Address", ""), _ADDRESS_SECONDS
    )
    if not address:
        raise TimeoutError(f"{instance} has no address after {_ADDRESS_SECONDS:.0f} s")
    return address


def _described(aws: WorldClients, instance: str) -> dict[str, Any]:
    found: dict[str, Any] = aws.rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    return found


def redis(aws: WorldClients, name: str, network: WorldNetwork, tenants: int) -> tuple[str, str]:
    """Made with TLS only, as Terraform does: the `redis-auth` step sets the token from its secret."""
    token = secret(aws, name, "redis-auth", secrets.token_hex(32))
    aws.elasticache.create_cache_subnet_group(
        CacheSubnetGroupName=f"{name}-redis", CacheSubnetGroupDescription=name, SubnetIds=network.private
    )
    made = aws.elasticache.create_replication_group(
        ReplicationGroupId=f"{name}-redis",
        ReplicationGroupDescription=name,
        Engine="redis",
        EngineVersion="7.1",
        CacheNodeType="cache.t4g.micro",
        NumCacheClusters=1,
        CacheSubnetGroupName=f"{name}-redis",
        SecurityGroupIds=[network.groups["redis"]],
        TransitEncryptionEnabled=True,
        AtRestEncryptionEnabled=True,
        **_room(aws, name, 3 * tenants),
        Tags=tags(name),
    )["ReplicationGroup"]
    nodes = made.get("NodeGroups") or [{}]
    host = nodes[0].get("PrimaryEndpoint", {}).get("Address") or f"master.{name}-redis.local.usw2.cache.amazonaws.com"
    return token, str(host)


def _room(aws: WorldClients, name: str, databases: int) -> dict[str, str]:
    """A parameter group with so many databases, where the default one has too few."""
    if databases <= REDIS_DATABASES:
        return {}
    group = f"{name}-redis"
    aws.elasticache.create_cache_parameter_group(
        CacheParameterGroupName=group, CacheParameterGroupFamily="redis7", Description=f"{databases} databases"
    )
    wanted = {"ParameterName": "databases", "ParameterValue": str(databases)}
    aws.elasticache.modify_cache_parameter_group(CacheParameterGroupName=group, ParameterNameValues=[wanted])
    return {"CacheParameterGroupName": group}


def certificate(aws: WorldClients, name: str, zone: str, hostnames: Sequence[str]) -> str:
    """Requested for every hostname. Its validation records are, as after Terraform, in no zone yet."""
    first, *others = certified(zone, hostnames)
    asked = {"ValidationMethod": "DNS", "Tags": tags(name), **({"SubjectAlternativeNames": others} if others else {})}
    return str(aws.acm.request_certificate(DomainName=first, **asked)["CertificateArn"])


def certified(zone: str, hostnames: Sequence[str]) -> list[str]:
    """The names of the certificate: every hostname; where ACM takes no more, the zone's wildcard for its own."""
    if len(hostnames) <= MOST_NAMES:
        return sorted(hostnames)
    wildcard = f"*.{zone}"
    return sorted({wildcard if name.partition(".")[2] == zone else name for name in hostnames})


def load_balancers(
    aws: WorldClients, name: str, network: WorldNetwork, certificate_arn: str, tenants: int
) -> tuple[PlacedBalancer, ...]:
    """As many as so many tenants need."""
    names = [f"{name}-alb-{number}" if number else f"{name}-alb" for number in range(1 + (tenants - 1) // TOGETHER)]
    return tuple(_load_balancer(aws, one, network, certificate_arn, tags(name)) for one in names)


def _load_balancer(
    aws: WorldClients, name: str, network: WorldNetwork, certificate_arn: str, tagged: list[dict[str, str]]
) -> PlacedBalancer:
    """Its HTTPS listener answers with 404 for a host that no rule knows."""
    balancer = aws.elbv2.create_load_balancer(
        Name=name,
        Subnets=network.public,
        SecurityGroups=[network.groups["alb"]],
        Type="application",
        Tags=tagged,
    )["LoadBalancers"][0]
    arn = balancer["LoadBalancerArn"]
    redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    aws.elbv2.create_listener(
        LoadBalancerArn=arn,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "redirect", "RedirectConfig": redirect}],
    )
    nothing = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "no such site"}
    listener = aws.elbv2.create_listener(
        LoadBalancerArn=arn,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate_arn}],
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": nothing}],
    )["Listeners"][0]
    part = {"arn": arn, "dns_name": balancer["DNSName"], "zone_id": balancer["CanonicalHostedZoneId"]}
    return PlacedBalancer(part, str(listener["ListenerArn"]))


def file_store(aws: WorldClients, name: str, region: str) -> str:
    """The bucket, called after the account, as terraform/ does."""
    bucket = f"{name}-file-store-{aws.sts.get_caller_identity()['Account']}"
    # us-east-1 is S3's default and may not be named.
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    aws.s3.create_bucket(Bucket=bucket, **where)
    aws.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags(name)})
    aws.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def role(aws: WorldClients, name: str, service: str) -> str:
    """A role the service may assume; returns its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return str(aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])


def policy(aws: WorldClients, role_name: str, name: str, *statements: dict[str, Any]) -> None:
    """An inline policy; the statements say `Action`, `Resource` and, where one, `Condition`."""
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})
    aws.iam.put_role_policy(RoleName=role_name, PolicyName=name, PolicyDocument=document)


def _managed(beside: str, name: str) -> str:
    """The ARN of a policy of AWS's own, in the partition of another ARN."""
    return f"arn:{beside.split(':')[1]}:iam::aws:policy/{name}"


def execution_role(aws: WorldClients, name: str) -> str:
    """What ECS pulls images, reads secrets and writes logs with."""
    role_name = f"{name}-task-execution"
    arn = role(aws, role_name, "ecs-tasks.amazonaws.com")
    managed = _managed(arn, "service-role/AmazonECSTaskExecutionRolePolicy")
    aws.iam.attach_role_policy(RoleName=role_name, PolicyArn=managed)
    policy(aws, role_name, "secrets", {"Action": "secretsmanager:GetSecretValue", "Resource": "*"})
    return arn


def instance_profile(aws: WorldClients, name: str) -> str:
    """What the indexes' instances, the runner among them, talk to SSM and read secrets with."""
    profile = f"{name}-vespa"
    arn = role(aws, profile, "ec2.amazonaws.com")
    aws.iam.attach_role_policy(RoleName=profile, PolicyArn=_managed(arn, "AmazonSSMManagedInstanceCore"))
    reading = ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"]
    policy(aws, profile, "secrets", {"Action": reading, "Resource": "*"})
    aws.iam.create_instance_profile(InstanceProfileName=profile)
    aws.iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=profile)
    return profile
