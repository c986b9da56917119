"""`init` and `contract`, the real command line, on what the real terraform said of stacks of the corpus."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from orchestrator.app import understand
from orchestrator.terraform import Terraform
from tests import corpus
from tests.terraform.recorded import Recorded, recorded


def test_a_definite_stack_needs_its_name_alone(tmp_path: Path) -> None:
    stack = recorded(tmp_path, "flat-outputs")
    ended = stack.orchestrate("init")
    assert ended.status == 0, ended
    assert tomllib.loads(stack.file.read_text()) == {"contract": {"stack": "onyx-prod"}}
    assert stack.file.read_text() in ended.stdout
    assert "obviously-fake" not in ended.stdout + ended.stderr + stack.file.read_text()
    before = stack.file.read_text()
    assert stack.orchestrate("init").status == 0
    assert stack.file.read_text() == before


def test_nobody_to_ask_is_told_every_question(tmp_path: Path) -> None:
    stack = recorded(tmp_path, "count-tenants")
    ended = stack.orchestrate("init")
    assert ended.status == 2
    assert "contract-ambiguous" in ended.stderr
    assert "aws_instance.index[0] = " in ended.stderr
    assert "aws_instance.index[1] = " in ended.stderr
    assert not stack.file.exists()
    listed = stack.json("contract", "--json")
    assert [one["key"] for one in listed["questions"]] == ["runner"]
    assert stack.orchestrate("contract").status == 2


def test_several_clusters_are_asked_first(tmp_path: Path) -> None:
    """Everything else follows from which one it is: nothing at all is known before."""
    stack = recorded(tmp_path, "several-clusters")
    ended = stack.orchestrate("init")
    assert ended.status == 2
    assert 'aws_ecs_cluster.this["production"] = onyx-production' in ended.stderr
    assert not stack.file.exists()
    assert stack.orchestrate("init", "--set", "cluster=2").status == 0
    assert tomllib.loads(stack.file.read_text())["contract"] == {
        "stack": "onyx-staging",
        "cluster": {"resource": 'aws_ecs_cluster.this["staging"]'},
    }
    assert stack.json("contract", "--json")["database"]["instance"] == "onyx-staging"


def test_an_answer_to_what_is_not_asked_or_not_yet(tmp_path: Path) -> None:
    for name, words in (
        ("flat-outputs", ["--set", "runner=aws_instance.vespa"]),
        ("several-clusters", ["--set", "cluster=2", "--set", 'runner=aws_instance.vespa["staging"]']),
    ):
        (tmp_path / name).mkdir()
        stack = recorded(tmp_path / name, name)
        ended = stack.orchestrate("init", *words)
        assert ended.status == 0, ended
        chosen = words[-1].removeprefix("runner=")
        assert tomllib.loads(stack.file.read_text())["contract"]["runner"] == {"resource": chosen}


def test_an_answer_is_kept_as_what_stays_true(tmp_path: Path) -> None:
    stack = recorded(tmp_path, "count-tenants")
    stack.file.write_text("# ours\npoll = 3 # seconds\n")
    ended = stack.orchestrate("init", "--set", "runner=aws_instance.index[1]", "--set", "dns.provider=porkbun")
    assert ended.status == 2, "a provider without a zone is no contract"
    assert stack.file.read_text() == "# ours\npoll = 3 # seconds\n"
    flags = ["--set", "runner=aws_instance.index[1]", "--set", "dns.provider=porkbun", "--set", "dns.zone=vigilon.app"]
    assert stack.orchestrate("init", *flags).status == 0
    text = stack.file.read_text()
    assert text.startswith("# ours\npoll = 3 # seconds\n")
    assert tomllib.loads(text)["contract"] == {
        "stack": "chat",
        "runner": {"resource": "aws_instance.index[1]"},
        "dns": {"provider": "porkbun", "zone": "vigilon.app"},
    }
    contract = stack.json("contract", "--json")
    assert contract["provenance"]["runner.instance_id"] == "aws_instance.index[1]: id"
    assert contract["provenance"]["dns.zone"] == "orchestrate.toml"


def test_a_person_is_asked(tmp_path: Path) -> None:
    stack = recorded(tmp_path, "count-tenants")
    parent, child = pty.openpty()
    command = [sys.executable, "-P", "-m", "orchestrator", "init"]
    environment = stack.environment | {"TERM": "dumb"}
    answers = [(b"Number or value: ", b"2\n"), (b"Provider: ", b"porkbun\n"), (b"Zone: ", b"vigilon.app\n")]
    with subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=environment, cwd=stack.directory) as it:
        os.close(child)
        said = b""
        while True:
            try:
                heard = os.read(parent, 4096)
            except OSError:  # Linux: the other end is closed
                break
            if not heard:
                break
            said += heard
            while answers and said.endswith(answers[0][0]):
                os.write(parent, answers.pop(0)[1])
                said += b"\n"
        assert it.wait() == 0, said.decode()
    os.close(parent)
    assert tomllib.loads(stack.file.read_text())["contract"] == {
        "stack": "chat",
        "runner": {"resource": "aws_instance.index[1]"},
        "dns": {"provider": "porkbun", "zone": "vigilon.app"},
    }


@pytest.mark.parametrize("said", ["database.admin_password=hunter2", "tenants.chat-alpha.password=hunter2"])
def test_no_password_is_written(tmp_path: Path, said: str) -> None:
    stack = recorded(tmp_path, "count-tenants")
    ended = stack.orchestrate("init", "--set", "runner=1", "--set", said)
    assert ended.status == 2
    assert "mapping-holds-password" in ended.stderr
    assert "hunter2" not in ended.stdout + ended.stderr
    assert not stack.file.exists()


def test_what_stands_in_the_way_is_said_at_once(tmp_path: Path) -> None:
    ended = recorded(tmp_path, "broken-values").orchestrate("contract")
    assert ended.status == 2
    assert ended.stderr.count("[contract-") == 4
    assert "Traceback" not in ended.stderr


def test_a_printed_contract_is_a_contract(tmp_path: Path) -> None:
    stack = recorded(tmp_path, "one-tenant")
    printed = stack.orchestrate("contract", "--json").stdout
    (stack.directory / "contract.json").write_text(printed)
    again = stack.json("contract", "--json", "--contract", "contract.json")
    said = json.loads(printed)
    assert {key: value for key, value in again.items() if key != "provenance"} == {
        key: value for key, value in said.items() if key != "provenance"
    }
    assert set(again["provenance"].values()) == {"contract.json"}


def test_a_file_that_is_no_toml_is_left_alone(tmp_path: Path) -> None:
    stack = recorded(tmp_path, "flat-outputs")
    stack.file.write_text("= nonsense")
    ended = stack.orchestrate("init")
    assert (ended.status, stack.file.read_text()) == (2, "= nonsense")
    assert "settings-unreadable" in ended.stderr


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    stack = recorded(tmp_path, "flat-outputs")
    stack.file.mkdir()
    ended = stack.orchestrate("init")
    assert ended.status == 2
    assert "settings-unreadable" in ended.stderr


@pytest.mark.parametrize("stack", ["plain-secrets", "two-services"])
def test_passwords_are_hidden_from_the_moment_the_state_is_read(tmp_path: Path, stack: str) -> None:
    """Of a stack whose contract is still open too: Terraform's own plan shows a task's plain environment."""
    known = recorded(tmp_path, stack)
    learned: list[str] = []
    understand(Terraform(known.directory, known.environment), learned.extend)
    clear = re.findall(r"obviously-fake-[a-z-]+-password", json.dumps(corpus.document(stack, "state")))
    assert clear
    assert set(clear) <= set(learned)


# Terraform around it.


def test_opentofu(tmp_path: Path) -> None:
    stack = recorded(tmp_path, "flat-outputs", name="tofu", on_path=True)
    assert stack.json("contract", "--json")["stack"] == "onyx-prod"


def test_a_wrapper_that_adds_lines(tmp_path: Path) -> None:
    """As CI's set-up actions do, around every command."""
    stack = recorded(tmp_path, "flat-outputs", chatter="[command]/opt/terraform-bin output -json")
    assert stack.json("contract", "--json")["stack"] == "onyx-prod"
    assert stack.orchestrate("init").status == 0


def test_another_directory(tmp_path: Path) -> None:
    stack = recorded(tmp_path, "flat-outputs")
    elsewhere = Recorded(tmp_path / "elsewhere", stack.variables)
    elsewhere.directory.mkdir(parents=True)
    assert elsewhere.orchestrate("init", "--chdir", str(stack.directory)).status == 0
    assert stack.file.exists()
    assert not elsewhere.file.exists()


def test_a_stack_whose_output_says_it_all(tmp_path: Path) -> None:
    stack = recorded(tmp_path, "ours")
    said = stack.json("init", "--json")
    assert (said["file"], stack.file.exists()) == (None, False)
    assert said["contract"]["tenants"].keys() == {"customer-a", "customer-b"}
    assert set(said["contract"]["provenance"].values()) == {"output `orchestrator`"}
