"""`init` loses no answer: each is checked when it is given, can be given again, and is kept whatever comes next."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import Interrupted, Invalid, Problem
from orchestrator.workflows.caller import Caller, Question, StackRef
from orchestrator.workflows.init import InitResult, init
from tests import corpus, states
from tests.terraform.recorded import Recorded, stood
from tests.unit.stack.inference.test_states import DATABASE, with_these

STOP = Interrupted(Problem("interrupted", "asked to stop", fix="run it again"))


class Person:
    """Answers in turn; an exception among the answers is raised. What was said to them is kept."""

    def __init__(self, *answers: str | Exception) -> None:
        self._answers: Iterator[str | Exception] = iter(answers)
        self.asked: list[str] = []
        self.told: list[str] = []

    def __call__(self, question: Question) -> str | None:
        self.asked.append(question.text)
        answer = next(self._answers, None)
        if isinstance(answer, Exception):
            raise answer
        return answer


def run(stack: Recorded, person: Person, said: Sequence[str] = (), file: Path | None = None) -> InitResult:
    caller = Caller(ask=person, text=person.told.append)
    return init(StackRef(stack.directory, stack.environment), said, file, caller=caller)


def written(stack: Recorded) -> dict[str, Any]:
    return tomllib.loads(stack.file.read_text())["contract"] if stack.file.exists() else {}


def without_a_role(folder: Path) -> Recorded:
    """A stack whose host name and role are open."""
    told = {**DATABASE, "POSTGRES_USER": ""}
    return stood(folder, with_these(variables=told, without="aws_route53_record.site"))


def test_a_wrong_answer_is_said_at_once_and_can_be_given_again(tmp_path: Path) -> None:
    stack = without_a_role(tmp_path)
    person = Person("shop example com", "shop.example.com", "postgres", "pg_monitor", "Shop", "shop", "")
    understood = run(stack, person)
    assert written(stack) == {"stack": "shop", "tenants": {"web": {"hostname": "shop.example.com", "role": "shop"}}}
    assert understood.file == stack.file
    assert understood.text == stack.file.read_text()
    assert understood.inferred.require().tenants["web"].role == "shop"
    assert [text.partition(":")[0] for text in person.asked] == [
        "tenants.web.hostname",
        "That can't be right",
        "tenants.web.role",
        "That can't be right",
        "That can't be right",
        "That can't be right",
        "which DNS provider holds the host names' records? route53, porkbun, lexicon",
    ]
    assert "reserved" in person.asked[3]


@pytest.mark.parametrize("stop", [STOP, KeyboardInterrupt(), None])
def test_what_was_answered_is_kept_when_the_rest_is_not(tmp_path: Path, stop: Any) -> None:
    stack = without_a_role(tmp_path)
    person = Person("shop.example.com", *((stop,) if stop else ()))
    with pytest.raises((Interrupted, KeyboardInterrupt, Invalid)):
        run(stack, person)
    assert written(stack) == {"tenants": {"web": {"hostname": "shop.example.com"}}}
    (told,) = person.told
    assert str(stack.file) in told
    again = Person("shop", "")
    run(stack, again)
    assert again.asked[0].startswith("tenants.web.role"), "what is answered is not asked again"


def test_a_program_that_answers_wrongly_for_ever_is_not_asked_for_ever(tmp_path: Path) -> None:
    stack = without_a_role(tmp_path)
    with pytest.raises(Invalid, match="contract-value-invalid"):
        run(stack, Person(*["no host name"] * 100))
    assert not stack.file.exists()


def test_a_provider_that_is_not_there_and_a_zone_that_is_none_are_asked_again(tmp_path: Path) -> None:
    stack = stood(tmp_path, corpus.document("count-tenants", "state"))
    places = ("prokbun", "vigilon.app", "porkbun", "not a zone", "porkbun", "vigilon.app")
    person = Person("2", *places)
    run(stack, person)
    assert written(stack)["dns"] == {"provider": "porkbun", "zone": "vigilon.app"}
    assert "there is no DNS provider 'prokbun'" in person.asked[3]


def test_services_that_share_a_database_are_one_question(tmp_path: Path) -> None:
    """Web and an admin page of one application, each with a name of its own: common, and no stack of two tenants."""
    whole = states.document("two-backends-one-host", "state")
    resources = whole["values"]["root_module"]["resources"]
    hosts = iter(["shop.example.com", "admin.example.com"])
    for one in resources:
        if one["type"] == "aws_lb_listener_rule":
            one["values"]["condition"] = [{"host_header": [{"values": [next(hosts)]}]}]
    rules = [one for one in resources if one["type"] == "aws_lb_listener_rule"]
    if len(rules) < 2:
        pytest.fail(f"the state has {len(rules)} rules: the test means two")
    stack = stood(tmp_path, whole)
    person = Person("1", "")
    understood = run(stack, person)
    assert "share the database" in person.asked[0]
    assert len(understood.inferred.require().tenants) == 1


def test_answers_in_advance_are_a_file_of_the_contracts_own_shape(tmp_path: Path) -> None:
    stack = without_a_role(tmp_path)
    file = tmp_path / "answers.json"
    answers = {"tenants": {"web": {"hostname": "shop.example.com", "role": "shop"}}}
    file.write_text("\ufeff" + json.dumps(answers))
    run(stack, Person(), file=file)
    assert written(stack) == {"stack": "shop", **answers}


def test_what_is_set_goes_before_the_file(tmp_path: Path) -> None:
    stack = without_a_role(tmp_path)
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({"tenants": {"web": {"hostname": "shop.example.com", "role": "other"}}}))
    run(stack, Person(), ["tenants.web.role=shop"], file)
    assert written(stack)["tenants"]["web"]["role"] == "shop"


def test_all_defects_of_a_file_are_said_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    stack = without_a_role(tmp_path)
    file = tmp_path / "answers.json"
    wrong = {"hostname": "no host name", "role": "pg_monitor", "password": "hunter2", "colour": "blue"}
    file.write_text(json.dumps({"tenants": {"web": wrong}, "runner": "aws_instance.nobody", "not_tenants": ["jobs"]}))
    with pytest.raises(Invalid) as raised:
        run(stack, Person(), file=file)
    codes = sorted(one.code for one in raised.value.problems)
    assert codes == [
        "contract-key-unknown",
        "contract-value-invalid",
        "contract-value-invalid",
        "mapping-holds-password",
        "mapping-resource-unknown",
        "mapping-service-unknown",
    ]
    assert "hunter2" not in str(raised.value)
    assert all(one.fix for one in raised.value.problems)
    assert not stack.file.exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', "\x00"])
def test_a_file_that_is_no_object_is_one_problem(tmp_path: Path, text: str) -> None:
    stack = without_a_role(tmp_path)
    file = tmp_path / "answers.json"
    file.write_text(text)
    with pytest.raises(Invalid, match="answers-unreadable"):
        run(stack, Person(), file=file)
    with pytest.raises(Invalid, match="answers-unreadable"):
        run(stack, Person(), file=tmp_path / "missing.json")


def test_a_provider_that_is_said_in_advance_must_be_there(tmp_path: Path) -> None:
    stack = stood(tmp_path, corpus.document("count-tenants", "state"))
    said = ["runner=1", "dns.provider=prokbun", "dns.zone=vigilon.app"]
    with pytest.raises(Invalid, match="dns-provider-unknown"):
        run(stack, Person(), said)
    assert not stack.file.exists()


def test_what_the_state_says_and_cannot_be_is_asked_and_not_an_end(tmp_path: Path) -> None:
    """Onyx's default database is the server's own: no tenant's."""
    stack = stood(tmp_path, with_these(variables={**DATABASE, "POSTGRES_DB": "postgres"}))
    person = Person("shop")
    run(stack, person)
    assert person.asked[0].startswith("tenants.web.database: ")
    assert "aws_ecs_task_definition.web: POSTGRES_DB says postgres, and 'postgres' is reserved" in person.asked[0]
    assert written(stack)["tenants"] == {"web": {"database": "shop"}}
