"""Which server a stack's database is: an instance, a cluster, what is behind a proxy, or none of RDS's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.errors import Invalid
from orchestrator.stack.inference import Inferred
from orchestrator.stack.inference.answers import answered, merged
from orchestrator.stack.inference.servers import in_rds
from tests.unit.stack.inference.test_states import DATABASE, resource, understood, with_these

INSTANCE = "aws_db_instance.main"
WRITER, READER = (f"books.{kind}-c1.eu-west-1.rds.amazonaws.com" for kind in ("cluster", "cluster-ro"))
SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!cluster-1-AbCdEf"
AURORA: dict[str, Any] = {
    "engine": "aurora-postgresql",
    "cluster_identifier": "books",
    "endpoint": WRITER,
    "reader_endpoint": READER,
    "port": 5433,
    "master_username": "librarian",
    "master_user_secret": [{"secret_arn": SECRET, "secret_status": "active"}],
}
MEMBER = {"cluster_identifier": "books", "endpoint": "books-1.c1.eu-west-1.rds.amazonaws.com", "writer": True}
OWN_DOOR = "own.endpoint.proxy-c1.eu-west-1.rds.amazonaws.com"
CUSTOM = "any.cluster-custom-c1.eu-west-1.rds.amazonaws.com"
PROXY = {"name": "door", "endpoint": "door.proxy-c1.eu-west-1.rds.amazonaws.com"}


def of(*resources: Mapping[str, Any], host: str, without: str = INSTANCE, **variables: str) -> Inferred:
    told = {**DATABASE, "POSTGRES_HOST": host, **variables}
    return understood(with_these(*resources, variables=told, without=without), {})


def server(seen: Inferred) -> dict[str, Any]:
    return {key[1]: one.value for key, one in seen.found.items() if key[0] == "database"}


@pytest.mark.parametrize("engine", ["aurora-postgresql", "postgres"])
@pytest.mark.parametrize("host", [WRITER, WRITER.upper(), f"{WRITER}."])
def test_a_cluster_is_known_by_its_writer_endpoint(engine: str, host: str) -> None:
    cluster = resource("module.db.aws_rds_cluster.this", **AURORA | {"engine": engine})
    member = resource("module.db.aws_rds_cluster_instance.one[0]", **MEMBER)
    seen = of(cluster, member, host=host)
    stack = seen.require()
    assert (stack.database.cluster, stack.database.instance) == ("books", None)
    assert (stack.database.host, stack.database.port, stack.database.admin_user) == (WRITER, 5433, "librarian")
    assert stack.database.admin_secret_arn == SECRET
    assert stack.database.aliases is None
    assert seen.found["database", "cluster"].source == "module.db.aws_rds_cluster.this: cluster_identifier"


def test_the_only_cluster_there_is_is_the_server_where_no_task_names_another() -> None:
    seen = of(resource("aws_rds_cluster.this", **AURORA), host="")
    assert seen.require().database.cluster == "books"


def test_beside_an_instance_the_cluster_is_chosen_by_the_host_that_the_task_is_told() -> None:
    seen = of(resource("aws_rds_cluster.this", **AURORA), host=WRITER, without="")
    assert seen.require().database.cluster == "books"


def test_a_cluster_of_another_engine_and_a_follower_are_no_servers() -> None:
    mysql = resource("aws_rds_cluster.mysql", **AURORA | {"engine": "aurora-mysql", "cluster_identifier": "m"})
    follower = resource("aws_rds_cluster.copy", **AURORA | {"replication_source_identifier": "arn:aws:rds:…"})
    (asked,) = (one for one in of(mysql, follower, host="").questions if one.key == ("database",))
    assert asked.asks.startswith("the state has no PostgreSQL server")


@pytest.mark.parametrize(
    ("other", "source"),
    [
        (resource("aws_rds_cluster_instance.one", **MEMBER), "aws_rds_cluster_instance.one: endpoint"),
        (
            resource("aws_rds_cluster_endpoint.any", cluster_identifier="books", endpoint=CUSTOM),
            "aws_rds_cluster_endpoint.any: endpoint",
        ),
        (resource("aws_route53_record.db", fqdn="db.internal", records=[WRITER]), "aws_route53_record.db: fqdn"),
    ],
    ids=["member", "custom endpoint", "record"],
)
def test_other_names_of_the_cluster_are_its_aliases(other: Mapping[str, Any], source: str) -> None:
    values = other["values"]
    host = values.get("endpoint") or values["fqdn"]
    seen = of(resource("aws_rds_cluster.this", **AURORA), other, host=host)
    assert (seen.found["database", "host"].value, seen.found["database", "cluster"].value) == (WRITER, "books")
    assert (seen.found["database", "aliases"].value, seen.found["database", "aliases"].source) == ([host], source)


def test_a_task_that_is_told_the_readers_is_said() -> None:
    seen = of(resource("aws_rds_cluster.this", **AURORA), host=READER)
    assert any("a reader endpoint" in remark for remark in seen.remarks)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"db_cluster_identifier": "books"}, {"cluster": "books", "instance": None, "host": WRITER}),
        (
            {"db_instance_identifier": "shop-db"},
            {"instance": "shop-db", "host": "shop-db.abc.eu-west-1.rds.amazonaws.com"},
        ),
    ],
)
@pytest.mark.parametrize("extra", [False, True])
def test_behind_a_proxy_the_server_is_administered(
    target: Mapping[str, Any], expected: Mapping[str, Any], extra: bool
) -> None:
    host = OWN_DOOR if extra else PROXY["endpoint"]
    seen = of(
        resource("aws_rds_cluster.this", **AURORA),
        resource("aws_db_proxy.door", **PROXY),
        resource("aws_db_proxy_target.it", db_proxy_name="door", **target),
        resource(
            "aws_db_proxy_endpoint.own",
            db_proxy_name="door",
            endpoint=OWN_DOOR,
        ),
        host=host,
        without="",
    )
    assert expected.items() <= server(seen).items()
    assert (seen.found["database", "aliases"].value, seen.found["database", "aliases"].source) == (
        [host],
        "aws_db_proxy_endpoint.own: endpoint" if extra else "aws_db_proxy.door: endpoint",
    )


@pytest.mark.parametrize("name", ["private_ip", "private_dns"])
def test_postgresql_on_an_instance_of_ec2_is_no_server_of_rds(name: str) -> None:
    host = {"private_ip": "10.0.0.7", "private_dns": "ip-10-0-0-7.ec2.internal"}[name]
    machine = resource("aws_instance.db", id="i-0123456789abcdef0", **{name: host})
    seen = of(machine, host=host, without="")
    assert server(seen) == {"instance": None, "host": host}
    assert seen.found["database", "host"].source == f"aws_instance.db: {name}"
    assert {one.key for one in seen.questions} >= {("database", "admin_user"), ("database", "admin_secret_arn")}


@pytest.mark.parametrize("host", ["10.0.0.7", "postgres", "db.example.net", "fd00::7"])
def test_a_server_outside_is_known_by_its_host_and_the_rest_is_asked(host: str) -> None:
    seen = of(host=host)
    assert server(seen) == {"instance": None, "host": host}
    assert seen.found["database", "host"].source == "aws_ecs_task_definition.web: POSTGRES_HOST"
    table = {"database": {"admin_user": "shop"}}
    told = {**DATABASE, "POSTGRES_HOST": host}
    stack = understood(with_these(variables=told, without=INSTANCE), table).require()
    assert (stack.database.host, stack.database.kind) == (host, "elsewhere")
    assert stack.database.server == host


def test_an_endpoint_of_rds_that_the_state_does_not_hold_is_asked_about() -> None:
    seen = of(host=WRITER)
    assert "database" not in {key[0] for key in seen.found}
    assert [one.key for one in seen.questions if one.key[0] == "database"] == [("database",)]


def test_a_host_is_an_answer_to_which_server_it_is() -> None:
    told = with_these(variables={**DATABASE, "POSTGRES_HOST": "db.example.net"})
    (question,) = (one for one in understood(told, {}).questions if one.key == ("database",))
    table = merged({}, {question.key: answered(question, "db.example.net")})
    assert table == {"database": {"host": "db.example.net"}}
    again = understood(told, table)
    assert {one.key for one in again.questions} == {("database", "admin_user"), ("database", "admin_secret_arn")}
    table = merged(table, {("database", "admin_user"): "shop"})
    assert understood(told, table).require().database.kind == "elsewhere"


def test_a_host_of_rds_needs_the_name_that_rds_knows_it_by() -> None:
    told = with_these(variables={**DATABASE, "POSTGRES_HOST": WRITER})
    table = {"database": {"host": WRITER, "admin_user": "shop"}}
    (question,) = understood(told, table).questions
    assert (question.key, [one.answer for one in question.options]) == (("database", "cluster"), ["books"])
    table = merged(table, {question.key: "books"})
    assert understood(told, table).require().database.cluster == "books"


def test_rds_never_gets_an_instance_and_a_cluster() -> None:
    told = with_these(variables=DATABASE)
    with pytest.raises(Invalid, match="named by its cluster alone"):
        understood(told, {"database": {"cluster": "books"}}).require()


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        (WRITER, "cluster"),
        (READER, "cluster"),
        (PROXY["endpoint"], "proxy"),
        ("shop-db.abc.eu-west-1.rds.amazonaws.com", "instance"),
        ("shop-db.abc.rds.cn-north-1.amazonaws.com.cn", "instance"),
        ("db.example.net", ""),
        ("10.0.0.7", ""),
    ],
)
def test_what_an_endpoint_tells_of_itself(host: str, kind: str) -> None:
    assert in_rds(host) == kind
