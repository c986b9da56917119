"""Redis's token in two changes, and the tag in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.aws.elasticache import ROTATING, ElastiCache, RedisState
from orchestrator.errors import OrchestratorError, Transient

GROUP = RedisState(
    "onyx-redis", "available", tls=True, arn="arn:aws:elasticache:us-west-2:1:replicationgroup:onyx-redis"
)


@dataclass
class Client:
    """Remembers what was called, and refuses what it is told to (call → error code)."""

    refuses: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        def call(**given: Any) -> dict[str, Any]:
            said = name if name != "modify_replication_group" else given["AuthTokenUpdateStrategy"]
            self.calls.append(said)
            if said in self.refuses:
                raise ClientError({"Error": {"Code": self.refuses[said]}}, name)
            return {"TagList": [{"Key": ROTATING, "Value": "ROTATE"}]}

        return call


def test_the_tag_is_there_before_the_first_change_and_until_after_the_second() -> None:
    client = Client()
    ElastiCache(client).rotate(GROUP, "token")
    ElastiCache(client).settle(GROUP, "token")
    assert client.calls == ["add_tags_to_resource", "ROTATE", "SET", "remove_tags_from_resource"]
    assert ElastiCache(client).is_rotating(GROUP.arn)


def test_a_set_that_was_made_already_is_no_error() -> None:
    client = Client({"SET": "InvalidParameterCombination"})
    ElastiCache(client).settle(GROUP, "token")
    assert client.calls[-1] == "remove_tags_from_resource"


@pytest.mark.parametrize("call", ["SET", "remove_tags_from_resource"])
def test_a_group_that_is_being_changed_is_looked_at_again(call: str) -> None:
    with pytest.raises(Transient):
        ElastiCache(Client({call: "InvalidReplicationGroupState"})).settle(GROUP, "token")


def test_other_refusals_are_told() -> None:
    with pytest.raises(OrchestratorError) as caught:
        ElastiCache(Client({"ROTATE": "InvalidParameterCombination"})).rotate(GROUP, "token")
    assert not isinstance(caught.value, Transient)
