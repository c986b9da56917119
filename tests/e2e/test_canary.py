"""No secret is anywhere that is recorded: searched for in all that a run leaves, and in every process's arguments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from psycopg import sql

from tests.e2e.canary import Eyes, Needles, files_below, leaks, secrets_of, ssm_commands, talkative, task_logs
from tests.e2e.stage import Ended, Stage
from tests.e2e.test_trust import Runs, line_with
from tests.waiting import until

pytestmark = pytest.mark.cloud

AWS_SECRET = "canary-of-the-callers-own-credentials"


@pytest.fixture(scope="module")
def server_log(cold: Stage) -> Iterator[Path]:
    with talkative(cold.cloud.folder / "postgres" / cold.contract["database"]["instance"]) as log:
        until(
            "PostgreSQL writes its statements down", lambda: cold.databases() == {} and "pg_database" in log.read_text()
        )
        yield log


@pytest.fixture(scope="module")
def secrets(cold: Stage) -> Mapping[str, str]:
    found = Needles(secrets_of(cold) | {"AWS_SECRET_ACCESS_KEY": AWS_SECRET})
    distinct = len({*found.values()})
    assert len(found) == distinct == 7, "admin, two tenants, Redis, Porkbun's two, the caller's own"
    shortest = min(map(len, found.values()))
    assert shortest >= 16
    return found


def _places(stage: Stage, ended: Ended, eyes: Eyes, log: Path) -> dict[str, str]:
    """All that a run leaves behind."""
    return {
        "standard output": ended.stdout,
        "standard error": ended.stderr,
        "the log of PostgreSQL": log.read_text(errors="replace"),
        "the log of the local cloud": (stage.cloud.folder / "cloud.log").read_text(errors="replace"),
        **{f"arguments {number}": arguments for number, arguments in enumerate(sorted(eyes.seen))},
        **ssm_commands(stage),
        **task_logs(stage),
        **files_below(stage.work),
    }


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "journal.json").write_text('{"password": "planted-secret-value"}')
    secrets = {"plain": "planted-secret-value", "other": "not-there-at-all-really"}
    assert leaks(secrets, files_below(tmp_path)) == [f"plain in {tmp_path / 'below' / 'journal.json'}"]
    assert leaks(secrets, {"base64": "cGxhbnRlZC1zZWNyZXQtdmFsdWU="}) == ["plain in base64"]


def test_the_eyes_see_arguments(cold: Stage) -> None:
    with Eyes() as eyes:
        cold.orchestrate("version", "--planted-argument")
    assert any("--planted-argument" in arguments for arguments in eyes.seen)


def test_no_secret_after_a_success_through_ssm(cold: Stage, secrets: Mapping[str, str], server_log: Path) -> None:
    with Eyes() as eyes:
        ended = cold.run(AWS_SECRET_ACCESS_KEY=AWS_SECRET).succeeded()
    places = _places(cold, ended, eyes, server_log)
    assert ended.last["changed"] > 0
    assert any("get-secret-value" in arguments for arguments in eyes.seen), "the runner fetches its secrets"
    assert any("psql -X -q -A -t -w -h " in arguments for arguments in eyes.seen), "and psql was seen at work"
    assert "SCRAM-SHA-256$4096:" in places["the log of PostgreSQL"], "passwords are set as verifiers"
    sent = {place.partition(" [")[0] for place in places}  # each has a mark of its own behind its name
    assert {
        "SSM command orchestrate: observe tenant databases",
        "SSM command orchestrate: ensure tenant databases",
    } < sent
    assert all(places[tenant["log_group"]] for tenant in cold.contract["tenants"].values())
    assert leaks(secrets, places) == []


def test_no_secret_after_a_success_with_a_connection_of_our_own(
    cold: Stage, secrets: Mapping[str, str], server_log: Path
) -> None:
    cold.fault("missing-database", "customer-a")
    with Eyes() as eyes:
        ended = cold.direct("--debug", AWS_SECRET_ACCESS_KEY=AWS_SECRET).succeeded()
    assert ended.last["changed"] > 0
    assert "secretsmanager GetSecretValue POST" in ended.stderr, "the log of the requests is searched as well"
    assert leaks(secrets, _places(cold, ended, eyes, server_log)) == []


def test_no_secret_with_porkbun(cold: Stage, secrets: Mapping[str, str], server_log: Path) -> None:
    contract = cold.changed(dns__provider="porkbun", dns__ttl=600)
    with Eyes() as eyes:
        ended = cold.direct(contract=contract, AWS_SECRET_ACCESS_KEY=AWS_SECRET).succeeded()
    assert leaks(secrets, _places(cold, ended, eyes, server_log)) == []


def test_no_secret_after_a_failure(cold: Stage, secrets: Mapping[str, str], server_log: Path) -> None:
    cold.fault("oom", "customer-b")
    until("oom is felt", lambda: cold.service("customer-b")["runningCount"] == 0)
    with Eyes() as eyes:
        ended = cold.direct(AWS_SECRET_ACCESS_KEY=AWS_SECRET)
    assert ended.status == 1
    assert leaks(secrets, _places(cold, ended, eyes, server_log)) == []


def test_no_secret_after_kill_9_in_the_middle_of_a_change(
    cold: Stage, secrets: Mapping[str, str], server_log: Path, tmp_path: Path
) -> None:
    """The script on the runner goes on alone; the next run goes on from what it made."""
    cold.clear_faults()
    cold.fault("missing-database", "customer-a")
    with Eyes() as eyes:
        process = Runs(cold, tmp_path).begin("--json", "--database-transport", "ssm", AWS_SECRET_ACCESS_KEY=AWS_SECRET)
        line_with(process.stdout, "step-waiting", "tenant-databases", "set up database")
        process.kill()
        out, err = process.communicate()
        ended = cold.direct("--only", "tenant-databases", AWS_SECRET_ACCESS_KEY=AWS_SECRET).succeeded()
    killed = {"output of the killed": out, "errors of the killed": err, **files_below(tmp_path)}
    assert any(name.endswith(".jsonl") for name in killed), "it left a record"
    assert leaks(secrets, killed | _places(cold, ended, eyes, server_log)) == []


@pytest.mark.parametrize("transport", ["ssm", "direct"])
def test_no_secret_when_the_database_refuses(
    cold: Stage, secrets: Mapping[str, str], server_log: Path, transport: str
) -> None:
    """PostgreSQL's words about a statement that failed come back to us: here of an admin who may make nothing."""
    user, password = f"powerless_{transport}", f"canary-of-the-powerless-{transport}"
    with cold.admin() as admin:
        verifier = admin.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256").decode()
        statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(user), sql.Literal(verifier))
        admin.execute(statement)
    value = json.dumps({"username": user, "password": password})
    arn = cold.aws.client("secretsmanager").create_secret(Name=user, SecretString=value)["ARN"]
    contract = cold.changed(database__admin_user=user, database__admin_secret_arn=arn)
    cold.fault("missing-database", "customer-a")
    with Eyes() as eyes:
        ended = cold.run("--only", "tenant-databases", "--database-transport", transport, contract=contract)
    assert ("tenant-databases", "customer-a", "admin-not-allowed") in ended.failures, ended
    assert {(step, code) for step, _, code in ended.failures} == {("tenant-databases", "admin-not-allowed")}, ended
    assert leaks(Needles(secrets, **{user: password}), _places(cold, ended, eyes, server_log)) == []
