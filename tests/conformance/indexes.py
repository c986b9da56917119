"""Search indexes on instances of a local cloud, as user_data leaves them, with the way in over SSM."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.aws.ssm import Ssm
from orchestrator.errors import Transient
from orchestrator.index import opensearch, vespa
from orchestrator.index.provider import IndexProvider
from orchestrator.index.report import Contents, IndexReport
from orchestrator.stack.indexes import IndexServer, OpenSearch, Vespa
from tests.local.ssm.conftest import World
from tests.waiting import until

PASSWORD = "Str0ng-enough-ü"
_VESPA = """#!/bin/bash
docker run --detach --name vespa --restart unless-stopped --publish 8081:8081 --publish 19071:19071 \\
  --volume /opt/vespa/var:/opt/vespa/var vespaengine/vespa:8.609.39
"""
_OPENSEARCH = """#!/bin/bash
aws secretsmanager get-secret-value --secret-id {secret} --query SecretString --output text > /etc/opensearch.env
docker run --detach --name opensearch --restart unless-stopped --publish 9200:9200 --env discovery.type=single-node \\
  --env-file /etc/opensearch.env --volume /opt/opensearch/data:/usr/share/opensearch/data \\
  opensearchproject/opensearch:3.6.0
"""

Write = Callable[[str, Mapping[str, Any]], str]
"""A script that writes a document of this id as Onyx would, from the instance itself."""


@dataclass
class PlacedOnInstance:
    """An index, and all that a test does to it."""

    shell: Ssm
    kind: IndexProvider[Any]
    server: IndexServer
    user_data: str
    write: Write

    def seen(self) -> IndexReport:
        """What is told of it; it must be told."""
        report = self.kind.look(self.shell, {"a": self.server}, who="test").results["a"]
        assert report is not None
        return report

    def run(self, script: str) -> str:
        """On its instance, to its end."""
        return str(self.shell.run(self.server.instance_id, script, comment="test", timeout=300).stdout)

    def put(self, key: str, **fields: Any) -> None:
        """One document."""
        self.run(self.write(key, fields))

    def contents(self) -> Contents:
        """What it holds, once it answers."""
        found: list[Contents] = []

        def answers() -> bool:
            try:
                found.append(self.kind.contents(self.shell, self.server))
            except Transient:
                return False
            return True

        until("the index answers", answers)
        return found[-1]


def a_vespa(world: World) -> PlacedOnInstance:
    """As Onyx 2 has it."""

    def write(key: str, fields: Mapping[str, Any]) -> str:
        body = json.dumps({"fields": fields})
        return f"curl -sf -X POST -d '{body}' http://localhost:8081/document/v1/onyx/chunk/docid/{key}"

    server = Vespa(instance_id=_launched(world, _VESPA), host="10.0.0.1")
    return PlacedOnInstance(_shell(world), vespa.PROVIDER, server, _VESPA, write)


def an_opensearch(world: World) -> PlacedOnInstance:
    """As Onyx 4 has it."""
    name = f"opensearch-{time.monotonic_ns()}"
    value = json.dumps({"username": "admin", "password": PASSWORD})
    secret = world.client("secretsmanager").create_secret(Name=name, SecretString=value)["ARN"]
    user_data = _OPENSEARCH.format(secret=secret)

    def write(key: str, fields: Mapping[str, Any]) -> str:
        body = json.dumps(fields)
        login = f"""printf 'user = "admin:{PASSWORD}"'"""
        url = f"https://localhost:9200/chunks/_doc/{key}?refresh=true"
        return f"{login} | curl -sfk -K - -X PUT -H 'Content-Type: application/json' -d '{body}' '{url}'"

    server = OpenSearch(instance_id=_launched(world, user_data), host="10.0.0.2", secret_arn=secret)
    return PlacedOnInstance(_shell(world), opensearch.PROVIDER, server, user_data, write)


KINDS: Mapping[str, Callable[[World], PlacedOnInstance]] = {"vespa": a_vespa, "opensearch": an_opensearch}


def _shell(world: World) -> Ssm:
    return Ssm(world.ssm, sleep=time.sleep, monotonic=time.monotonic)


def _launched(world: World, user_data: str) -> str:
    return world.online(world.launch(world.profile(f"index-{time.monotonic_ns()}"), user_data=user_data))
