"""A tenant of Onyx 2 goes to Onyx 4 with all that it holds; the command is killed twice, and Vespa is given up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.local.stories.customers import Customers
from orchestrator.local.stories.upgrade import Journey, Person, contents
from tests.e2e.stage import Stage, stage

pytestmark = pytest.mark.cloud

TENANT = "customer-a"
KILLED_AT = ("migrated-rollout/1", "documents-copied/2")
WRITTEN = 12


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("upgrade")
    with stage(folder, tenants=(TENANT,)) as made:
        made.direct().succeeded()
        yield made


def images(made: Stage) -> set[str]:
    """Of the backend, in the services' present task definitions."""
    ecs, own = made.aws.client("ecs"), made.contract["tenants"][TENANT]
    names = [own["service"], *(one["service"] for one in own.get("workers", {}).values())]
    services = ecs.describe_services(cluster=made.contract["cluster"], services=names)["services"]
    definitions = [
        ecs.describe_task_definition(taskDefinition=one["taskDefinition"])["taskDefinition"] for one in services
    ]
    every = [one["image"] for definition in definitions for one in definition["containerDefinitions"]]
    return {image for image in every if "onyx-backend" in image}


def test_everything_is_there_after_the_way_up_with_two_kills(two: Stage) -> None:
    ip, port = two.environment()["ORCHESTRATE_DATABASE_ADDRESS"].rsplit(":", 1)
    quick = {"ORCHESTRATE_POLL": "0.5", "ORCHESTRATE_DATABASE_TRANSPORT": "direct"}
    environ = two.environment(PGHOSTADDR=ip, PGPORT=port, **quick)
    file = two.folder / "kept.json"
    file.write_text(json.dumps(two.contract))
    person = Person(environ, file)
    Customers(environ, two.contract).write(TENANT, 0, WRITTEN)
    before = contents(Customers(environ, two.contract))

    journey = Journey(two.work, environ, person, frozenset(KILLED_AT))
    journey.go()
    two.contract = person.contract
    assert journey.killed == [f"{TENANT} {station}" for station in KILLED_AT]
    assert images(two) == {"onyxdotapp/onyx-backend:v4.6.1"}
    assert contents(Customers(environ, two.contract)) == before

    again = two.command("upgrade", "--json").succeeded()
    assert [one["detail"] for one in again.of("finding-reported", "upgrade")] == ["it runs the wanted version"]
    back = two.command("upgrade", "--back", "--json").succeeded()
    assert any("orchestrate restore s3://" in one["detail"] for one in back.of("finding-reported", "upgrade"))

    journey.go("--finish")
    two.contract = person.contract
    assert two.contract["vespa"] == {}
    assert contents(Customers(environ, two.contract)) == before
