"""One run per stack, by an object in S3: a real HTTP server that speaks its conditional writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from orchestrator.aws.access import Access
from orchestrator.aws.s3_object import AssumedRole, S3Object, connect
from orchestrator.engine.lock import held
from orchestrator.engine.s3_lock import DEAD, S3Lock
from orchestrator.errors import Interrupted, Locked, Problem, Transient
from orchestrator.terraform.lock_places import lock_of
from tests.unit.engine.owners import A, B, VirtualClock


@dataclass
class Bucket:
    """A bucket with its client; `older` makes an object look as if it had been written earlier."""

    client: Any
    key: str = "onyx/terraform.tfstate.orchestrate-lock"

    @property
    def slot(self) -> S3Object:
        return S3Object(self.client, "onyx-state", self.key)

    def lock(self, **given: Any) -> S3Lock:
        return S3Lock(self.slot, given.pop("monotonic", VirtualClock().monotonic), **{"period": 3600.0, **given})

    def older(self, seconds: float) -> None:
        keys = s3_backends["123456789012"]["aws"].buckets["onyx-state"].keys
        keys[self.key].last_modified -= timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadedMotoServer]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def bucket(server: ThreadedMotoServer) -> Iterator[Bucket]:
    _, port = server.get_host_and_port()
    client = connect(
        {}, region="us-east-1", endpoint=f"http://127.0.0.1:{port}", path_style=True, keys=("testing", "testing")
    )
    client.create_bucket(Bucket="onyx-state")
    made = Bucket(client)
    yield made
    client.delete_object(Bucket="onyx-state", Key=made.key)
    client.delete_bucket(Bucket="onyx-state")


def test_s3_holds_it_for_one(bucket: Bucket) -> None:
    first, second = bucket.lock(), bucket.lock()
    assert first.take(A) is None
    assert second.take(B) == A
    assert second.holder() == A
    first.check()
    assert first.give_back() is None
    assert bucket.slot.read() is None
    assert second.take(B) is None
    second.give_back()


def test_a_dead_one_is_taken_over_and_its_owner_notices(bucket: Bucket) -> None:
    dead, heir = bucket.lock(), bucket.lock()
    dead.take(A)
    bucket.older(DEAD / 2)
    assert heir.take(B) == A, "not older than it may be"
    bucket.older(DEAD / 2 + 2)  # both of S3's times are whole seconds
    assert heir.take(B) is None
    with pytest.raises(Locked, match="ben@ci") as raised:
        dead.check()
    assert raised.value.problems[0].code == "lock-lost"
    dead.give_back()
    heir.check()
    heir.give_back()


def test_of_eight_heirs_one_gets_it(bucket: Bucket) -> None:
    dead = bucket.lock()
    dead.take(A)
    bucket.older(DEAD + 2)
    heirs = [bucket.lock() for _ in range(8)]
    got: list[int] = []
    start = threading.Barrier(8)

    def take(number: int) -> None:
        start.wait()
        if heirs[number].take(replace(B, run=f"heir-{number}")) is None:
            got.append(number)

    _at_once(take, 8)
    assert len(got) == 1
    heirs[got[0]].check()
    heirs[got[0]].give_back()
    dead.give_back()


def test_of_eight_that_begin_at_once_one_gets_it(bucket: Bucket) -> None:
    locks = [bucket.lock() for _ in range(8)]
    got: list[int] = []

    def take(number: int) -> None:
        if locks[number].take(replace(B, run=f"run-{number}")) is None:
            got.append(number)

    _at_once(take, 8)
    assert len(got) == 1
    locks[got[0]].give_back()


def test_it_is_kept_alive(bucket: Bucket) -> None:
    lock = bucket.lock(period=0.02)
    lock.take(A)
    versions: set[str] = set()
    while len(versions) < 3:
        seen = bucket.slot.read()
        assert seen is not None
        versions.add(seen.version)
    lock.check()
    lock.give_back()
    assert bucket.slot.read() is None


def test_broken_open_in_s3_its_owner_notices(bucket: Bucket) -> None:
    lock = bucket.lock()
    lock.take(A)
    bucket.lock().break_open()
    with pytest.raises(Locked, match="nobody holds it now"):
        lock.check()
    lock.give_back()


@dataclass
class Unreliable:
    """The bucket's object behind a bad line."""

    slot: S3Object
    down: bool = False
    deaf: int = 0
    """How many of the next writes arrive although their answer, and so botocore's retry, says they didn't."""
    mute: int = 0
    """How many of the next writes arrive and are never answered."""

    place = "s3://onyx-state/lock"

    def read(self) -> Any:
        self._up()
        return self.slot.read()

    def create(self, body: bytes) -> str | None:
        self._up()
        return self._answer(self.slot.create(body))

    def replace(self, body: bytes, version: str) -> str | None:
        self._up()
        return self._answer(self.slot.replace(body, version))

    def delete(self, version: str) -> None:
        self._up()
        self.slot.delete(version)

    def _up(self) -> None:
        if self.down:
            raise Transient(Problem("aws-unreachable", "no route to host"))

    def _answer(self, version: str | None) -> str | None:
        self.mute -= 1
        if self.mute >= 0:
            raise Transient(Problem("aws-unreachable", "read timed out"))
        self.deaf -= 1
        return None if self.deaf >= 0 else version


def test_a_write_whose_answer_was_lost_is_still_ours(bucket: Bucket) -> None:
    slot = Unreliable(bucket.slot, deaf=1)
    lock = S3Lock(slot, VirtualClock().monotonic, period=3600)
    assert lock.take(A) is None
    slot.deaf = 1
    lock.check()
    lock.check()
    lock.give_back()
    assert bucket.slot.read() is None


def test_a_write_that_is_never_answered_is_still_ours(bucket: Bucket) -> None:
    slot = Unreliable(bucket.slot)
    lock = S3Lock(slot, VirtualClock().monotonic, period=3600)
    assert lock.take(A) is None
    for _ in range(2):
        slot.mute = 1
        lock.check()
        lock.check()
    slot.mute = 1
    lock.check()
    lock.give_back()
    assert bucket.slot.read() is None


def test_without_s3_it_counts_as_ours_only_while_nobody_can_have_taken_it(bucket: Bucket) -> None:
    slot, clock = Unreliable(bucket.slot), VirtualClock()
    lock = S3Lock(slot, clock.monotonic, period=3600)
    lock.take(A)
    slot.down = True
    clock.seconds = DEAD * 2 / 3
    lock.check()
    clock.seconds += 1
    with pytest.raises(Locked, match="no route to host") as raised:
        lock.check()
    assert raised.value.problems[0].code == "lock-lost"
    lock.give_back()


def test_what_could_not_be_given_back_is_said_however_the_run_ended(bucket: Bucket) -> None:
    slot, clock = Unreliable(bucket.slot), VirtualClock()
    lock = S3Lock(slot, clock.monotonic, period=3600)
    left: list[Problem] = []

    def run() -> None:
        with held(lock, A, timeout=0, clock=clock, say=pytest.fail, warn=left.append):
            slot.down = True
            raise Interrupted(Problem("interrupted", "stop"))

    with pytest.raises(Interrupted):
        run()
    assert [(one.code, "no route to host" in one.message, "60 s" in one.fix) for one in left] == [
        ("lock-left", True, True)
    ]
    assert bucket.lock().holder() == A


def test_s3_says_why_it_can_t(bucket: Bucket) -> None:
    with pytest.raises(Exception, match="NoSuchBucket"):
        S3Lock(S3Object(bucket.client, "another-bucket", "key"), VirtualClock().monotonic).take(A)


def _at_once(work: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_it_is_written_as_the_buckets_policy_demands(bucket: Bucket) -> None:
    """Each write, the one that keeps it alive too; and its owner is proven with each call."""
    asked: list[dict[str, Any]] = []
    bucket.client.meta.events.register("before-call.s3", lambda params, **_: asked.append(params["headers"]))
    how = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/state"}
    slot = S3Object(bucket.client, "onyx-state", bucket.key, written=how, owner="123456789012")
    lock = S3Lock(slot, VirtualClock().monotonic, period=3600.0)
    assert lock.take(A) is None
    lock.check()
    assert lock.give_back() is None
    assert {one.get("x-amz-expected-bucket-owner") for one in asked} == {"123456789012"}
    written = [one for one in asked if "x-amz-server-side-encryption" in one]
    assert len(written) == 2
    assert {one["x-amz-server-side-encryption-aws-kms-key-id"] for one in written} == {"alias/state"}


def test_it_is_reached_with_the_role_of_the_backend(server: ThreadedMotoServer, bucket: Bucket) -> None:
    _, port = server.get_host_and_port()
    here = f"http://127.0.0.1:{port}"
    environment = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    role = AssumedRole("arn:aws:iam::123456789012:role/state", {"ExternalId": "ours"}, here)
    client = connect(environment, region="us-east-1", endpoint=here, path_style=True, role=role)
    signed: list[str] = []
    client.meta.events.register("before-send.s3", lambda request, **_: signed.append(request.headers["Authorization"]))
    lock = S3Lock(S3Object(client, "onyx-state", bucket.key), VirtualClock().monotonic, period=3600.0)
    assert lock.take(A) is None
    assert bucket.lock().take(B) == A
    assert lock.give_back() is None
    assert all("Credential=ASIA" in str(one) for one in signed)
    assert signed


@pytest.mark.parametrize("said", ["in the environment", "in the backend's block"])
def test_it_is_placed_with_the_web_identity_that_the_state_is_reached_with(
    server: ThreadedMotoServer, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str
) -> None:
    """As CI systems and pods sign: a token in a file and the ARN of a role, and no keys anywhere."""
    _, port = server.get_host_and_port()
    here, arn, token = f"http://127.0.0.1:{port}", "arn:aws:iam::123456789012:role/ci", tmp_path / "token"
    token.write_text("e30.e30.e30")
    environment = {"AWS_ENDPOINT_URL": here, "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
    config: dict[str, Any] = {
        "bucket": "onyx-state",
        "key": f"{bucket.key}-{said[:6]}",
        "region": "us-east-1",
        "use_path_style": True,
        "endpoints": {"s3": here, "sts": here},
    }
    if said == "in the environment":
        environment |= {"AWS_ROLE_ARN": arn, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}
    else:
        config["assume_role_with_web_identity"] = {"role_arn": arn, "web_identity_token_file": str(token)}
    (tmp_path / "main.tf").write_text("")
    (tmp_path / ".terraform").mkdir()
    note = {"backend": {"type": "s3", "config": config}}
    (tmp_path / ".terraform" / "terraform.tfstate").write_text(json.dumps(note))
    signed, send = [], URLLib3Session.send

    def sent(self: URLLib3Session, request: Any) -> Any:
        signed.append((str(request.headers.get("Authorization")), str(request.body)))
        return send(self, request)

    monkeypatch.setattr(URLLib3Session, "send", sent)
    lock = lock_of(tmp_path, environment, None, access=lambda: Access(environment))
    assert lock.take(A) is None
    assert lock.holder() == A
    assert lock.give_back() is None
    asked = [body for _, body in signed if "AssumeRoleWithWebIdentity" in body]
    assert len(asked) == 1
    assert "e30.e30.e30" in asked[0]
    assert all("Credential=ASIA" in header for header, body in signed if body not in asked)
