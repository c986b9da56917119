"""The round trip's own witness of documents: what it writes on an index's instance it reads there again, by id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.errors import OrchestratorError
from orchestrator.local.stories.documents import TenantDocuments, documents_of
from orchestrator.stack.indexes import OpenSearch
from tests.conformance.indexes import KINDS, PASSWORD, PlacedOnInstance
from tests.local.ssm.conftest import World, world
from tests.waiting import until

__all__ = ["world"]


@pytest.fixture(scope="module", params=sorted(KINDS))
def placed(request: pytest.FixtureRequest, world: World) -> PlacedOnInstance:
    made = KINDS[request.param](world)
    until("it is healthy", lambda: made.seen().healthy)
    return made


@pytest.fixture
def documents(placed: PlacedOnInstance) -> TenantDocuments:
    server, tenant = placed.server, {}
    if isinstance(server, OpenSearch):
        tenant = {"index": {"opensearch": {"instance_id": server.instance_id, "secret_arn": server.secret_arn}}}
    contract = {
        "region": "us-west-2",
        "vespa": {} if tenant else {"a": {"instance_id": server.instance_id}},
        "tenants": {"a": tenant},
    }
    return documents_of(contract, "a")


def _all(placed: PlacedOnInstance, documents: TenantDocuments) -> list[Any]:
    return [json.loads(one) for one in documents.found(placed.run(documents.read()))]


def test_what_it_writes_it_reads_by_id(placed: PlacedOnInstance, documents: TenantDocuments) -> None:
    assert documents.instance == placed.server.instance_id
    placed.run(documents.write(range(3)))
    first = _all(placed, documents)
    assert sorted(one["id"].rpartition("-")[2] for one in first) == ["0", "1", "2"]
    assert sorted(one["fields"]["content"] for one in first) == [f"a knows {number}" for number in range(3)]
    assert placed.contents().documents == 3, "the product counts the same"
    placed.run(documents.write(range(2, 4)))
    assert len(_all(placed, documents)) == 4
    assert PASSWORD not in documents.write([1]) + documents.read()


def test_an_index_that_does_not_answer_is_not_an_empty_one(
    placed: PlacedOnInstance, documents: TenantDocuments
) -> None:
    placed.kind.stop(placed.shell, placed.server)
    until("it has stopped", lambda: not placed.kind.running(placed.shell, placed.server))
    for script in (documents.read(), documents.write([9])):
        with pytest.raises(OrchestratorError):
            placed.run(script)
