"""Clients of one account and region for a run; what botocore raises is `orchestrator.aws.errors`' to judge."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.model import OperationModel

from orchestrator.aws import call_marks, looks, resends
from orchestrator.aws.access import Access
from orchestrator.aws.errors import EXPIRED, code_of, denied, is_ended_session, problem_of, translated
from orchestrator.aws.roles import assuming
from orchestrator.engine.looks import Recent
from orchestrator.errors import Expired, Invalid, Problem, Refused

__all__ = ["Aws", "code_of", "denied", "problem_of", "translated"]

ATTEMPTS = 5
"""Of one call, the first included."""


class _Client:
    """A boto3 client that is made when it is first used: EC2's alone is 20 MiB, and most commands use a few.

    Thread-safe: boto3's sessions make one client at a time, whose use may be shared.
    """

    def __init__(self, make: Callable[[], Any], generation: Callable[[], int]) -> None:
        self._make = make
        self._generation = generation
        self._making = threading.Lock()
        self._made: tuple[int, Any] = (-1, None)

    def __getattr__(self, name: str) -> Any:
        with self._making:
            now = self._generation()
            if self._made[0] != now:
                self._made = (now, self._make())
            client = self._made[1]
        return getattr(client, name)


def lazily(make: Callable[[], Any]) -> Any:
    """A client that is made when it is first used."""
    return _Client(make, lambda: 0)


class Aws:
    """Clients of one account and region, to be shared between threads.

    Counts every request that leaves (retries of botocore included) in `calls`.
    """

    def __init__(self, region: str, access: Access) -> None:
        """`access` is the command's session."""
        self._access = access
        self.region = region
        self.calls = 0
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._clients: dict[str, _Client] = {}
        self._recent: dict[str, Recent] = {}

    def recent(self, service: str) -> Recent:
        """What steps share of the service's answers; each change that one of our clients makes empties it."""
        with self._lock:
            return self._recent.setdefault(service, Recent())

    def client(self, service: str) -> Any:
        """The one client of `service`. botocore retries throttling and transport errors by itself (`ATTEMPTS`).

        After a first refusal for the rate, all threads share what the client may still send in a second (botocore's
        adaptive mode): none takes the others' turn.

        A change that would be made twice (`resends.ONCE`) is never sent again once it may have arrived.
        """
        with self._lock:
            return self._clients.setdefault(
                service, _Client(lambda: self._made(service), lambda: self._access.generation)
            )

    def assumed(self, service: str, role_arn: str) -> Any:
        """The one client of `service` with the credentials of a role, which is assumed when it is first used."""
        with self._lock:
            return self._clients.setdefault(
                f"{service} {role_arn}", _Client(lambda: self._made(service, role_arn), lambda: self._access.generation)
            )

    def _made(self, service: str, role_arn: str = "") -> Any:
        config = Config(
            retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS},
            connect_timeout=10,
            read_timeout=60,
            user_agent_extra="onyx-orchestrator",
            max_pool_connections=32,
            # Signed URLs too: by themselves they are of version 2, which younger buckets don't take.
            signature_version="s3v4" if service == "s3" else None,
        )
        with self._making:
            session = self._access.session(self.region)
            try:
                session = assuming(session, role_arn) if role_arn else session
                made = session.client(service, region_name=self.region, config=config)
            except (BotoCoreError, ValueError) as error:
                raise problem_of(error, service) from None
        made.meta.events.register("before-send", self._count)
        looks.register(made)
        resends.register(made)
        call_marks.mark(made, resends.ONCE)
        recent = self.recent(service)

        def changed(model: OperationModel, **_: Any) -> None:
            if xform_name(model.name) in resends.CHANGES:
                recent.forget()

        made.meta.events.register("before-call", changed)
        made.meta.events.register("after-call", changed)
        generation = self._access.generation

        def notice(parsed: Mapping[str, Any], model: OperationModel, **_: Any) -> None:
            """Credentials that have ended are not used again; of several calls at once, the first one says so."""
            code = str(parsed.get("Error", {}).get("Code"))
            ended = code in EXPIRED or is_ended_session(code, model.name)
            if ended and self._access.generation == generation:
                self._access.forget()

        made.meta.events.register("after-call", notice)
        return made

    def _count(self, **_: Any) -> None:
        with self._lock:
            self.calls += 1

    def account(self) -> str:
        """The number of the account that our credentials belong to. Raises `Invalid` without any."""
        try:
            with translated("sts:GetCallerIdentity"):
                return str(self.client("sts").get_caller_identity()["Account"])
        except Expired as expired:
            raise Invalid(*expired.problems) from None  # nothing was begun yet

    def require_account(self, account_id: str) -> None:
        """Raise `Refused` unless our credentials belong to the account the contract names; `Invalid` without any."""
        account = self.account()
        if account != account_id:
            raise Refused(
                Problem(
                    "wrong-account",
                    f"these credentials belong to account {account}, the stack to {account_id}",
                    "contract: account_id",
                    "use the credentials (AWS_PROFILE, --profile) of the stack's account",
                )
            )
