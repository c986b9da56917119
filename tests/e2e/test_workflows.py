"""Workflows without the command line: two stacks in two clouds, served at the same time by one process.

Each has a folder, an end point, keys and answers of its own, and the process's environment would lead both astray.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator import workflows
from orchestrator.engine.journal import records
from orchestrator.errors import Outcome
from orchestrator.events import Event, LogLine, RunStarted
from orchestrator.local.endpoint import client
from orchestrator.local.world import hosted_zone
from orchestrator.workflows import Caller, Cancellation, PlanOptions, Question, StackRef
from tests import needed
from tests.e2e import small_stack
from tests.e2e.recorder import Recorder, recording
from tests.e2e.stage import SPEED, Stage
from tests.local.local_cloud import LocalCloud
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.cloud, pytest.mark.terraform]

NAMES = ("onyx-prod", "onyx-test")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Tenancy:
    """One stack, who calls for it, and all that they were told."""

    name: str
    stage: Stage
    key: str
    ref: StackRef
    events: list[Event] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    cancellation: Cancellation = field(default_factory=Cancellation)

    @property
    def terraform(self) -> PlanOptions:
        return PlanOptions(variables=(f"name={self.name}",))

    @property
    def caller(self) -> Caller:
        def consent(question: Question) -> str:
            self.asked.append(question)
            return question.wanted

        return Caller(
            text=self.texts.append,
            ask=consent,
            cancellation=self.cancellation,
            user=f"somebody of {self.name}",
            words=("of", self.name),
        )

    def does(self, workflow: Callable[..., Outcome], options: Any) -> Outcome:
        return workflow(self.ref, options, emit=self.events.append, caller=self.caller)

    @property
    def said(self) -> str:
        return "\n".join((*map(str, self.events), *self.texts, *map(str, self.asked)))


@dataclass
class Pair:
    """Both, and who must never be called."""

    one: Tenancy
    other: Tenancy
    nobody: Recorder

    @property
    def both(self) -> tuple[Tenancy, Tenancy]:
        return self.one, self.other

    def do(self, workflow: Callable[..., Outcome], options: Callable[[Tenancy], Any]) -> None:
        """Both at the same time."""
        ready = threading.Barrier(2)

        def begin(tenancy: Tenancy) -> Outcome:
            ready.wait(PATIENCE)
            return tenancy.does(workflow, options(tenancy))

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(begin, self.both))
        assert outcomes == [Outcome.SUCCEEDED] * 2, "\n".join(one.said for one in self.both)


def _key_of(stage: Stage, user: str) -> dict[str, str]:
    iam = stage.aws.client("iam")
    iam.create_user(UserName=user)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    needed.terraform()
    with ExitStack() as held:
        made: list[Tenancy] = []
        for name in NAMES:
            folder = tmp_path_factory.mktemp(name)
            running = client.up(name, folder / "cloud", speed=SPEED)
            held.callback(client.down, folder / "cloud")
            cloud = LocalCloud(folder / "cloud", running, client.ask(running, "env"))
            stage = Stage(cloud, folder, held.enter_context(recording(running.endpoint)))
            hosted_zone(stage.aws.client("route53"), "vigilon.app")
            keys = _key_of(stage, name)
            stack = small_stack.write(folder / "stack")
            settings = {"poll": "0.5", "database_transport": "direct"}
            ref = StackRef(stack, stage.environment(**keys), settings)
            made.append(Tenancy(name, stage, keys["AWS_ACCESS_KEY_ID"], ref))
        nobody = held.enter_context(recording("http://127.0.0.1:9"))
        nobody.refusal = (403, b"<Error><Code>AccessDenied</Code></Error>")
        patch = held.enter_context(pytest.MonkeyPatch.context())
        _lead_astray(patch, nobody.endpoint, tmp_path_factory.mktemp("nowhere"))
        yield Pair(made[0], made[1], nobody)


def _lead_astray(patch: pytest.MonkeyPatch, endpoint: str, nowhere: Path) -> None:
    """The process's own variables are wrong in every way."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "ORCHESTRATE_", "TF_"))]:
        patch.delenv(name)
    wrong = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_ECS": endpoint,
        "AWS_ACCESS_KEY_ID": "AKIAOFTHEPROCESS0000",
        "AWS_SECRET_ACCESS_KEY": "of the process",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_PROFILE": "of-the-process",
        "AWS_CA_BUNDLE": str(nowhere / "missing.pem"),
        "HTTP_PROXY": endpoint,
        "HOME": str(nowhere),
        "ORCHESTRATE_CONTRACT": "of the process",
        "ORCHESTRATE_NO_SUCH_SETTING": "of the process",
        "ORCHESTRATE_PARENT": "of the process",
        "ORCHESTRATE_LOCK_DIR": str(nowhere / "locks"),
        "TF_WORKSPACE": "of-the-process",
    }
    for name, value in wrong.items():
        patch.setenv(name, value)


@pytest.fixture(autouse=True)
def _untouched(pair: Pair, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """A workflow leaves the process as it was, says nothing by itself, and never takes what the process says."""
    before, handlers = dict(os.environ), [signal.getsignal(one) for one in SIGNALS]
    yield
    after = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    assert after == {name: value for name, value in before.items() if name != "PYTEST_CURRENT_TEST"}
    assert [signal.getsignal(one) for one in SIGNALS] == handlers
    assert capfd.readouterr() == ("", "")
    assert pair.nobody.calls == []


def test_both_come_to_life_sleep_and_wake_at_the_same_time(pair: Pair) -> None:
    pair.do(workflows.apply, lambda it: workflows.ApplyOptions(terraform=it.terraform))
    pair.do(workflows.run, lambda _: workflows.RunOptions())
    pair.do(workflows.pause, lambda _: workflows.PauseOptions())
    pair.do(workflows.resume, lambda _: workflows.ResumeOptions())


def test_one_that_is_asked_to_stop_stops_alone(pair: Pair) -> None:
    one, other = (replace(it, events=[], cancellation=Cancellation()) for it in pair.both)
    follow = workflows.LogsOptions(follow=True, since="1d")
    with ThreadPoolExecutor(2) as pool:
        ending, going = (pool.submit(it.does, workflows.logs, follow) for it in (one, other))
        try:
            until("both follow", lambda: all(any(isinstance(e, LogLine) for e in it.events) for it in (one, other)))
            one.cancellation.request()
            assert ending.result(PATIENCE) is Outcome.INTERRUPTED
            assert not going.done()
        finally:
            one.cancellation.request()
            other.cancellation.request()
        assert going.result(PATIENCE) is Outcome.INTERRUPTED


def test_both_are_kept_and_end_at_the_same_time(pair: Pair) -> None:
    pair.do(workflows.backup, lambda _: workflows.BackupOptions(stop_services=True))
    pair.do(workflows.destroy, lambda it: workflows.DestroyOptions(terraform=it.terraform))


COMMANDS = ["apply", "run", "pause", "resume", "backup", "destroy"]


def test_each_was_told_of_its_own_stack_alone(pair: Pair) -> None:
    for mine, theirs in (pair.both, pair.both[::-1]):
        started = [one for one in mine.events if isinstance(one, RunStarted)]
        assert {one.stack for one in started} == {mine.name}
        assert list(dict.fromkeys(one.command for one in started)) == COMMANDS
        for foreign in (theirs.name, theirs.key, theirs.stage.folder, theirs.stage.recorder.endpoint):
            assert str(foreign) not in mine.said
        assert [one.wanted for one in mine.asked] == ["yes", "yes", mine.name]


def test_each_signed_with_its_own_keys_and_called_its_own_cloud(pair: Pair) -> None:
    for mine in pair.both:
        assert mine.stage.recorder.keys == {mine.key}
        made, gone = (mine.stage.recorder.calls.count(f"ecs:{action}Cluster") for action in ("Create", "Delete"))
        assert made == 1
        assert gone >= 1


def test_each_left_its_record_where_its_stack_is(pair: Pair) -> None:
    for mine in pair.both:
        found = records(mine.ref.directory / ".orchestrate" / "runs")
        assert [one.command for one in reversed(found)] == COMMANDS
        assert {one.outcome for one in found} == {"succeeded"}
        assert {one.header["user"] for one in found} == {f"somebody of {mine.name}"}
        assert {tuple(one.header["options"]) for one in found} == {("of", mine.name)}
        assert {one.stack for one in found} == {mine.name}
