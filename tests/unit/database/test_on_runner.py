"""The runner's program as the runner runs it: a process of its own, with the tools that are on its PATH."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.database import on_runner
from orchestrator.database.ssm import SsmServer, script
from orchestrator.errors import OrchestratorError, TimedOut, Transient

PROGRAM = Path(on_runner.__file__)
ADMIN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:admin"
REQUEST = {
    "mode": "observe",
    "host": "db.example.com",
    "port": 5432,
    "admin": "onyx_root",
    "admin_secret": ADMIN,
    "region": "us-west-2",
    "tenants": [],
    "observation": "SELECT 1",
    "look": "SELECT 2",
    "options": "",
    "known": [],
}
AWS = """#!/bin/sh
case "$2" in
  batch-get-secret-value) %s ;;
  get-secret-value) %s ;;
esac
"""


def tool(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(text)
    file.chmod(0o755)


def answer(folder: Path, **changes: Any) -> Any:
    packed = base64.b64encode(gzip.compress(json.dumps({**REQUEST, **changes}).encode())).decode()
    done = subprocess.run(
        [sys.executable, str(PROGRAM), packed],
        env={"PATH": f"{folder}:/bin:/usr/bin" if (folder / "aws").exists() else str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_tool_is_missing(tmp_path: Path) -> None:
    assert answer(tmp_path)["error"]["code"] == "tool-missing"


@pytest.mark.parametrize(("status", "code"), [("running", "runner-booting"), ("done", "tool-missing")])
def test_a_tool_is_missing_while_the_instance_boots(tmp_path: Path, status: str, code: str) -> None:
    tool(tmp_path, "cloud-init", f"#!/bin/sh\necho 'status: {status}'\n")
    assert answer(tmp_path)["error"]["code"] == code


VALUES = {"SecretValues": [{"ARN": ADMIN, "SecretString": '{"password": "from-the-batch"}'}], "Errors": []}
PSQL = '#!/bin/sh\necho "{\\"databases\\": {}, \\"roles\\": [], \\"seen\\": \\"$PGPASSWORD\\"}"\n'


@pytest.mark.parametrize(
    ("batch", "single", "password"),
    [
        (f"echo '{json.dumps(VALUES)}'", "exit 9", "from-the-batch"),
        ("echo AccessDenied >&2; exit 254", """echo '{"password": "by-itself"}'""", "by-itself"),
        ("""echo '{"SecretValues": [], "Errors": []}'""", """echo '{"password": "by-itself"}'""", "by-itself"),
    ],
)
def test_passwords_come_in_one_call_or_one_by_one(tmp_path: Path, batch: str, single: str, password: str) -> None:
    tool(tmp_path, "aws", AWS % (batch, single))
    tool(tmp_path, "psql", PSQL)
    assert answer(tmp_path)["seen"] == password


def test_why_a_secret_cannot_be_read_is_awss_own_word(tmp_path: Path) -> None:
    refused = "echo 'An error occurred (AccessDeniedException)' >&2; exit 254"
    tool(tmp_path, "aws", AWS % (refused, refused))
    error = answer(tmp_path)["error"]
    assert error["code"] == "secret-unreadable"
    assert "AccessDeniedException" in error["message"]


def test_without_a_way_to_aws_it_is_asked_once_and_not_for_each_secret(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    words = 'Connect timeout on endpoint URL: "https://secretsmanager.us-west-2.amazonaws.com/"'
    program = f"""echo "$AWS_MAX_ATTEMPTS $@" >> {asked}; echo '{words}' >&2; exit 255"""
    tool(tmp_path, "aws", AWS % (program, program))
    assert answer(tmp_path)["error"] == {"code": "secret-unreadable", "message": words}
    (line,) = asked.read_text().splitlines()
    assert line.startswith("3 secretsmanager batch-get-secret-value")
    assert "--cli-connect-timeout 10" in line


def test_a_parameter_of_ssm_is_read_by_its_name_or_its_arn(tmp_path: Path) -> None:
    values = {"Parameters": [{"Name": "/a", "ARN": "arn:aws:ssm:r:1:parameter/a", "Value": '{"0": "lent"}'}]}
    tool(tmp_path, "aws", f"#!/bin/sh\necho '{json.dumps(values)}'\n")
    tool(tmp_path, "psql", PSQL)
    for name in ("/a", "arn:aws:ssm:r:1:parameter/a"):
        assert answer(tmp_path, admin_secret=name, admin_key="0")["seen"] == "lent"
    assert answer(tmp_path, admin_secret="/gone", admin_key="")["error"]["code"] == "parameter-missing"


@pytest.mark.parametrize(
    ("name", "third", "seen", "asked"),
    [
        ("/orchestrate/s/run-1/0", "lent", "lent", 3),
        ("/orchestrate/s/run-1/0", "", "parameter-missing", 5),
        ("/ones-own", "", "parameter-missing", 1),
    ],
)
def test_a_password_that_was_lent_just_now_is_looked_for_again(
    tmp_path: Path, name: str, third: str, seen: str, asked: int
) -> None:
    """SSM may show it late; a parameter of one's own that is gone is gone."""
    values = {"Parameters": [{"Name": name, "ARN": "arn:aws:ssm:r:1:parameter/a", "Value": third}] if third else []}
    count = f"echo >> {tmp_path}/asked; [ $(wc -l < {tmp_path}/asked) -lt 3 ] && echo '{{\"Parameters\": []}}' && exit"
    tool(tmp_path, "aws", f"#!/bin/sh\n{count}\necho '{json.dumps(values)}'\n")
    tool(tmp_path, "psql", PSQL)
    said = answer(tmp_path, admin_secret=name, admin_key="")
    assert (said.get("seen") or said["error"]["code"], len((tmp_path / "asked").read_text())) == (seen, asked)


def test_one_parameter_that_is_refused_spoils_no_other(tmp_path: Path) -> None:
    """AWS refuses GetParameters as a whole for one name that isn't ours."""
    values = {"Parameters": [{"Name": "/a", "ARN": "arn:aws:ssm:r:1:parameter/a", "Value": "mine"}]}
    refuse = "case \"$*\" in */theirs*) echo 'AccessDeniedException' >&2; exit 254;; esac"
    tool(tmp_path, "aws", f"#!/bin/sh\n{refuse}\necho '{json.dumps(values)}'\n")
    tool(tmp_path, "psql", PSQL)
    theirs = {"name": "b", "database": "b", "role": "b", "secret": "/theirs", "key": ""}
    said = answer(tmp_path, admin_secret="/a", admin_key="", tenants=[theirs])
    assert said["seen"] == "mine"
    assert "AccessDenied" in said["secrets"]["b"]


BINARY = """case "$*" in
  *SecretString*) echo None;;
  *) printf %s '{"password": "in-bytes"}' | base64;;
esac"""


def test_a_binary_secret_is_read_as_text(tmp_path: Path) -> None:
    tool(tmp_path, "aws", AWS % ("exit 9", BINARY))
    tool(tmp_path, "psql", PSQL)
    assert answer(tmp_path)["seen"] == "in-bytes"
    tool(tmp_path, "aws", AWS % ("exit 9", 'case "$*" in *SecretString*) echo None;; *) echo //4A;; esac'))
    assert answer(tmp_path)["error"]["code"] == "secret-not-text"


def test_a_version_is_asked_for_by_itself(tmp_path: Path) -> None:
    single = """case "$*" in *"--version-stage AWSPREVIOUS"*) echo before;; *) echo now;; esac"""
    tool(tmp_path, "aws", AWS % (f"echo '{json.dumps(VALUES)}'", single))
    tool(tmp_path, "psql", PSQL)
    assert answer(tmp_path, admin_secret=f"{ADMIN}::AWSPREVIOUS:", admin_key="")["seen"] == "before"


def test_a_whole_value_keeps_its_own_line_feed(tmp_path: Path) -> None:
    tool(tmp_path, "aws", AWS % ("exit 9", "printf 'two\\nlines\\n\\n'"))
    count = "$(printf %s \"$PGPASSWORD\" | wc -l | tr -d ' ')"
    tool(tmp_path, "psql", f'#!/bin/sh\necho "{{\\"databases\\": {{}}, \\"roles\\": [], \\"feeds\\": {count}}}"\n')
    assert answer(tmp_path, admin_key="")["feeds"] == 2


def test_psqls_complaint_shows_no_password(tmp_path: Path) -> None:
    tool(tmp_path, "aws", AWS % (f"echo '{json.dumps(VALUES)}'", "exit 9"))
    tool(tmp_path, "psql", '#!/bin/sh\necho "28P01: $PGPASSWORD is wrong" >&2; exit 2\n')
    assert answer(tmp_path)["error"] == {"code": "sql-failed", "message": "28P01: *** is wrong"}


def test_a_long_answer_is_packed(tmp_path: Path) -> None:
    """SSM keeps 24,000 characters."""
    long = "x" * 30_000
    tool(tmp_path, "aws", AWS % (f"echo '{json.dumps(VALUES)}'", "exit 9"))
    tool(tmp_path, "psql", f'#!/bin/sh\necho \'{{"databases": {{}}, "roles": ["{long}"]}}\'\n')
    packed = base64.b64encode(gzip.compress(json.dumps(REQUEST).encode())).decode()
    done = subprocess.run(
        [sys.executable, str(PROGRAM), packed],
        env={"PATH": f"{tmp_path}:/bin:/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout) < 24_000
    assert long in gzip.decompress(base64.b64decode(done.stdout)).decode()


def test_hundreds_of_tenants_fit_one_command() -> None:
    """SSM takes 64 KB of parameters."""
    tenants = [
        {"name": f"customer-{n}", "database": f"onyx_{n}", "role": f"onyx_{n}", "secret": f"{ADMIN}-{n}-AbCdEf"}
        for n in range(400)
    ]
    sql = "\n".join(f"SELECT format('CREATE DATABASE %I', 'onyx_{n}') \\gexec" for n in range(2400))
    assert len(script({**REQUEST, "tenants": tenants, "sql": sql})) < 60_000


class Said:
    def __init__(self, stdout: str) -> None:
        self.stdout = stdout


class Shell:
    """Answers as the runner would."""

    def __init__(self, stdout: str) -> None:
        self._stdout = stdout

    def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> Said:
        return Said(self._stdout)


@pytest.mark.parametrize(
    ("code", "message", "known", "kind"),
    [
        ("runner-booting", "psql is not installed yet", "runner-booting", Transient),
        ("tool-missing", "psql is not installed", "runner-tool-missing", OrchestratorError),
        ("sql-failed", "FATAL:  password authentication failed for user", "admin-password-wrong", OrchestratorError),
        ("sql-failed", 'ERROR:  42P04: database "x" already exists', "database-raced", Transient),
        ("sql-failed", "ERROR:  23505: duplicate key", "database-raced", Transient),
        ("sql-failed", "ERROR:  42501: permission denied to create database", "admin-not-allowed", OrchestratorError),
        ("sql-failed", "FATAL:  53300: sorry, too many clients", "database-connections-exhausted", OrchestratorError),
        ("sql-failed", "could not connect to server", "database-unreachable", Transient),
        ("sql-failed", "ERROR:  42601: syntax error", "sql-failed", OrchestratorError),
        ("secret-unreadable", "AccessDenied", "secret-unreadable", OrchestratorError),
        ("parameter-missing", "ParameterNotFound", "parameter-missing", Transient),
    ],
)
def test_what_the_runner_says_becomes_a_problem(
    code: str, message: str, known: str, kind: type[OrchestratorError], stack: Any
) -> None:
    shell = Shell(json.dumps({"error": {"code": code, "message": message}}))
    with pytest.raises(OrchestratorError) as caught:
        SsmServer(shell, "i-0", stack.database, "us-west-2").observe([])
    assert caught.value.problems[0].code == known
    assert type(caught.value) is kind
    assert caught.value.problems[0].fix


@pytest.mark.parametrize("stdout", ["", "hello", "{", "AAAA"])
def test_no_answer_is_named(stdout: str, stack: Any) -> None:
    with pytest.raises(OrchestratorError) as caught:
        SsmServer(Shell(stdout), "i-0", stack.database, "us-west-2").observe([])
    assert caught.value.problems[0].code == "runner-answer-unreadable"
    assert not isinstance(caught.value, TimedOut)
