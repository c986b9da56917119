"""A tenant of Onyx 2 goes to Onyx 4 with all that it holds; the command is killed twice, and Vespa is given up.

IAM is enforced: the command may do what `orchestrate policy upgrade` prints for the contract as it is at each station.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.local.onyx.copying import FAILING
from orchestrator.local.stories.customers import Customers
from orchestrator.local.stories.upgrade import Journey, Person, contents
from tests.e2e.principal import Principal, principal, printed
from tests.e2e.stage import Stage, stage

pytestmark = pytest.mark.cloud

TENANT = "customer-a"
KILLED_AT = ("migrated-rollout/1", "documents-copied/2")
WRITTEN = 12


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("upgrade")
    with stage(folder, tenants=(TENANT,), enforce_iam=True) as made:
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
    environ = two.environment(PGHOSTADDR=ip, PGPORT=port, ORCHESTRATE_POLL="0.5")
    file = two.folder / "contract.json"
    file.write_text(json.dumps(two.contract))
    who = principal(two, "the-way-up", "upgrade")
    person = Person(environ, file, then=lambda: allow_more(two, who))
    Customers(environ, two.contract).write(TENANT, 0, WRITTEN)
    before = contents(Customers(environ, two.contract))

    def hold(tenant: str, held: bool) -> None:
        two.cloud.ask("faults", "POST" if held else "DELETE", name=FAILING, tenant=tenant)

    journey = Journey(two.work, environ | who.keys, person, hold, frozenset(KILLED_AT))
    journey.go()
    two.contract = person.contract
    assert journey.killed == [f"{TENANT} {station}" for station in KILLED_AT]
    assert images(two) == {"onyxdotapp/onyx-backend:v4.6.1"}
    assert contents(Customers(environ, two.contract)) == before

    again = who.calls("upgrade").succeeded()
    assert [one["detail"] for one in again.of("finding-reported", "upgrade")] == ["it runs the wanted version"]
    back = who.calls("upgrade", "--back").succeeded()
    assert any("orchestrate restore s3://" in one["detail"] for one in back.of("finding-reported", "upgrade"))

    journey.go("--finish")
    two.contract = person.contract
    assert two.contract["vespa"] == {}
    assert contents(Customers(environ, two.contract)) == before
    assert "ecs:RunTask" in {action for action, _ in who.asked()}


def allow_more(made: Stage, who: Principal) -> None:
    """The policy for the contract as it is now, beside the one that it has."""
    said, iam = printed("policy", "upgrade", "--contract", str(made.folder / "contract.json")), made.aws.client("iam")
    name = f"more-{len(iam.list_policies(Scope='Local')['Policies'])}"
    arn = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(said))["Policy"]["Arn"]
    iam.attach_user_policy(UserName=who.arn.rpartition("/")[2], PolicyArn=arn)
