"""A bucket and an index that were emptied are named before anything is started again; a new stack's are not."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from functools import partial

import pytest

from tests.e2e.stage import Stage
from tests.waiting import until

pytestmark = pytest.mark.cloud

STEP, ONE = "stored-data", "customer-a"
KEY = "onyx-files/customer-a/report.pdf"
TABLES = ("CREATE TABLE document (id text PRIMARY KEY)", "CREATE TABLE file_record (file_id text PRIMARY KEY)")
ROWS = ("INSERT INTO document VALUES ('one'), ('two')", "INSERT INTO file_record VALUES ('report.pdf')")


def look(stage: Stage) -> list[str]:
    ended = stage.direct("--only", STEP).succeeded()
    return [one["code"] for one in ended.of("finding-reported", STEP)]


def in_vespa(stage: Stage, method: str) -> None:
    """A document comes or goes."""
    ssm, instance = stage.aws.client("ssm"), stage.contract["vespa"][ONE]["instance_id"]
    body = shlex.quote(json.dumps({"fields": {"content": "what they know"}}))
    given = f"-H 'Content-Type: application/json' -d {body} " if method == "POST" else ""
    url = "http://localhost:8081/document/v1/default/danswer_chunk/docid/one"
    script = f"curl -sf -o /dev/null -X {method} {given}{url}"
    sent = ssm.send_command(
        InstanceIds=[instance], DocumentName="AWS-RunShellScript", Parameters={"commands": [script]}
    )["Command"]["CommandId"]

    def done() -> bool:
        listed = ssm.list_command_invocations(CommandId=sent)["CommandInvocations"]
        return [one["Status"] for one in listed] == ["Success"]

    until(f"{method} in Vespa", done)


def empty(stage: Stage) -> None:
    stage.aws.client("s3").delete_object(Bucket=stage.contract["bucket"], Key=KEY)
    in_vespa(stage, "DELETE")


@pytest.fixture
def restarting(alive: Stage) -> Iterator[Stage]:
    """Its services are up no more: new tasks are to be started, and are not there yet."""
    alive.fault("stuck-pending")
    for tenant in alive.contract["tenants"].values():
        alive.aws.client("ecs").update_service(
            cluster=alive.contract["cluster"], service=tenant["service"], forceNewDeployment=True
        )
    yield alive
    alive.clear_faults()


def test_what_was_emptied_is_said_before_tasks_are_started(restarting: Stage) -> None:
    assert look(restarting) == [], "nobody has uploaded anything yet"
    put = partial(restarting.aws.client("s3").put_object, Bucket=restarting.contract["bucket"], Key=KEY, Body=b"%PDF")
    put()
    in_vespa(restarting, "POST")
    with restarting.tenant_login(ONE) as session:
        for statement in (*TABLES, *ROWS):
            session.execute(statement.encode())
    try:
        assert look(restarting) == [], "all is where it should be"
        empty(restarting)
        ended = restarting.direct("--only", STEP).succeeded()
        found = ended.of("finding-reported", STEP)
        assert [one["code"] for one in found] == ["files-gone", "index-gone"]
        assert "names 1 files" in found[0]["detail"]
        assert "names 2 documents" in found[1]["detail"]
        assert all("there is no backup" in one["detail"] for one in found)
    finally:
        with restarting.tenant_login(ONE) as session:
            session.execute("DROP TABLE document, file_record")
    assert look(restarting) == [], "nobody knows of anything any more"
