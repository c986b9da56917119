"""What Terraform's state tells of a stack's parts comes with the contract, whichever way that is had."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.app.understanding import looker, owned
from orchestrator.lifecycle.manifest import begun, parse
from orchestrator.stack.contract import Stack
from orchestrator.stack.ownership import Part, PartKind
from orchestrator.terraform import OutputValue
from tests import corpus
from tests.unit.lifecycle.foreign_state import PARTS, document, stack_of


@dataclass
class Terraform:
    """Answers as the real one did; counts how often its state is read."""

    document: dict[str, Any]
    directory: Path = Path()
    environment: dict[str, str] = field(default_factory=dict)
    reads: int = 0

    def outputs(self) -> dict[str, OutputValue]:
        said = self.document.get("values", {}).get("outputs", {})
        return {name: OutputValue(one["value"], bool(one.get("sensitive")), None) for name, one in said.items()}

    def state(self) -> dict[str, Any]:
        self.reads += 1
        return self.document


def understood(name: str) -> tuple[Stack, Terraform]:
    terraform: Any = Terraform(corpus.document(name, "state"))
    inferred = looker(terraform)({})
    assert inferred is not None
    return inferred.require(), terraform


def parts(stack: Stack) -> dict[str, Part]:
    redis = stack.redis.replication_group if stack.redis else ""
    return {
        "database": (PartKind.DATABASE, stack.database.server),
        "balancer": (PartKind.BALANCER, stack.load_balancer.arn),
        "redis": (PartKind.REDIS, redis),
        "bucket": (PartKind.BUCKET, stack.bucket or ""),
        "service": (PartKind.SERVICE, f"{stack.cluster}/{next(iter(stack.tenants.values())).service}"),
    }


def test_our_own_output_is_read_without_the_state_until_somebody_asks_whose_a_part_is() -> None:
    stack, terraform = understood("ours")
    assert terraform.reads == 0
    known = stack.ownership
    assert {name: known.objection(*part, stack.stack) for name, part in parts(stack).items()} == dict.fromkeys(
        parts(stack), ""
    )
    assert known.told
    assert stack.ownership is known
    assert terraform.reads == 1


@pytest.mark.parametrize("name", ["flat-outputs", "nested", "registry-module"])
def test_an_inferred_stack_owns_what_its_state_manages(name: str) -> None:
    stack, _ = understood(name)
    assert stack.ownership.manages(PartKind.DATABASE, stack.database.server)
    assert stack.ownership.manages(PartKind.BALANCER, stack.load_balancer.arn)


def test_a_bucket_of_the_environment_and_a_server_that_is_looked_up_are_foreign() -> None:
    """As a container's variable and a data source name them."""
    state = corpus.document("flat-outputs", "state")
    for one in state["values"]["root_module"]["resources"]:
        if one["type"] == "aws_db_instance":
            one["mode"], one["address"] = "data", f"data.{one['address']}"
            one["values"]["db_instance_identifier"] = one["values"].pop("identifier")
    resources = state["values"]["root_module"]["resources"]
    resources[:] = [one for one in resources if one["type"] != "aws_s3_bucket"]
    terraform: Any = Terraform(state)
    inferred = looker(terraform)({})
    assert inferred is not None
    stack = inferred.stack
    assert stack is not None, [str(one) for one in inferred.questions]
    assert "data." in stack.ownership.objection(PartKind.DATABASE, stack.database.server, stack.stack)
    assert stack.ownership.loss(PartKind.BUCKET, stack.bucket or "files", stack.stack, {"Stack": stack.stack})


def test_what_was_foreign_stays_so_when_terraform_has_taken_the_rest_away() -> None:
    """A destroy that was cut short has the contract from its backup, and nothing of the state."""
    words = dict.fromkeys(PARTS, "managed")
    stack = stack_of(words)
    manifest = begun(
        stack,
        {"a": 1},
        purpose="destroy",
        quiet=True,
        bucket="b",
        now=datetime(2026, 11, 20, tzinfo=UTC),
        foreign=["database-server:postgres"],
    )
    again = parse(manifest.text(), "manifest").stack_of()
    empty: Any = Terraform({})
    known = owned(again, empty).ownership
    assert "backup" in known.objection(PartKind.DATABASE, "postgres", stack.stack)
    assert not known.objection(PartKind.REDIS, "redis", stack.stack)
    there: Any = Terraform(document(words))
    assert not owned(again, there).ownership.objection(PartKind.DATABASE, "postgres", stack.stack), (
        "the state tells it now"
    )


def without_services(name: str) -> Any:
    """Terraform of a stack whose services another state manages: here they are only looked up."""
    state = corpus.document(name, "state")
    for one in _resources(state["values"]["root_module"]):
        if one["type"] == "aws_ecs_service" and one["mode"] == "managed":
            one["mode"], one["address"] = "data", f"data.{one['address']}"
    return Terraform(state)


def _resources(module: dict[str, Any]) -> list[dict[str, Any]]:
    below = [one for child in module.get("child_modules", ()) for one in _resources(child)]
    return [*module.get("resources", ()), *below]


def test_services_of_another_state_are_redeployed_where_the_contract_was_written_to_name_them() -> None:
    """By whoever wrote the output: his word counts until a tag says otherwise, and no state is read for it."""
    terraform = without_services("ours")
    inferred = looker(terraform)({})
    assert inferred is not None
    stack = inferred.require()
    service = parts(stack)["service"]
    assert stack.objection_to_redeploy(service, stack.stack, {}) == ""
    assert stack.naming(["bucket:x"]).objection_to_redeploy(service, stack.stack, {}) == ""
    assert "theirs" in stack.objection_to_redeploy(service, stack.stack, {"Stack": "theirs"})
    assert terraform.reads == 0
    assert "looks it up" in stack.ownership.objection(*service, stack.stack), "it may still not be paused, say"
    other = (PartKind.SERVICE, f"{stack.cluster}/somebody-elses")
    assert "not in this stack's" in stack.objection_to_redeploy(other, stack.stack, {})


def test_a_service_of_another_state_is_redeployed_where_orchestrate_toml_names_it() -> None:
    document = understood("flat-outputs")[0].model_dump(mode="json", by_alias=True, exclude_none=True)
    inferred = looker(without_services("flat-outputs"))({key: it for key, it in document.items() if key != "schema"})
    assert inferred is not None
    stack = inferred.require()
    service = parts(stack)["service"]
    assert "looks it up" in stack.ownership.objection(*service, stack.stack)
    assert stack.objection_to_redeploy(service, stack.stack, {}) == ""
