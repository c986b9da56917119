"""Systems Manager's sessions, which moto has not: StartSession, TerminateSession, DescribeSessions.

Left out: the session itself (nobody listens at StreamUrl), ResumeSession, documents, and sessions that end by
themselves after 20 minutes.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.ssm.exceptions import SSMException
from moto.ssm.models import ssm_backends
from moto.ssm.responses import SimpleSystemManagerResponse

from orchestrator.local.core.corrections import replace
from orchestrator.local.ssm.nodes import nodes

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud

Session = dict[str, Any]


def install(cloud: Cloud) -> None:
    """Sessions begin where an agent answers, and end when told."""

    def start_session(self: Any) -> ActionResult:
        target = str(self._get_param("Target"))
        node = nodes(cloud, self.current_account, self.region).get(target)
        if node is None or node.ping != "Online":
            raise SSMException("TargetNotConnected", f"{target} is not connected.")
        session = _session(target, cloud.pace.now())
        _sessions(self.current_account, self.region).append(session)
        url = f"wss://ssmmessages.{self.region}.amazonaws.com/v1/data-channel/{session['SessionId']}?role=publish_subscribe"
        return ActionResult(
            {"SessionId": session["SessionId"], "TokenValue": secrets.token_urlsafe(64), "StreamUrl": url}
        )

    def terminate_session(self: Any) -> ActionResult:
        wanted = str(self._get_param("SessionId"))
        for session in _sessions(self.current_account, self.region):
            if session["SessionId"] == wanted:
                session["Status"], session["EndDate"] = "Terminated", cloud.pace.now()
                return ActionResult({"SessionId": wanted})
        raise SSMException("DoesNotExistException", f"Session {wanted} does not exist")

    def describe_sessions(self: Any) -> ActionResult:
        active = self._get_param("State") == "Active"
        listed = _sessions(self.current_account, self.region)
        return ActionResult({"Sessions": [one for one in listed if (one["Status"] == "Connected") is active]})

    replace(
        SimpleSystemManagerResponse,
        start_session=start_session,
        terminate_session=terminate_session,
        describe_sessions=describe_sessions,
    )


def _session(target: str, now: datetime) -> Session:
    return {
        "SessionId": f"local-{secrets.token_hex(9)[:17]}",
        "Target": target,
        "Status": "Connected",
        "StartDate": now,
        "DocumentName": "SSM-SessionManagerRunShell",
    }


def _sessions(account: str, region: str) -> list[Session]:
    """Kept where moto keeps its commands, so that its reset forgets both."""
    backend: Any = ssm_backends[account][region]
    if not hasattr(backend, "sessions"):
        backend.sessions = []
    found: list[Session] = backend.sessions
    return found
