"""Starting, stopping and asking a local cloud from another process: for `orchestrate local`, the demo and tests."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from orchestrator.errors import Invalid, OrchestratorError, Problem, TimedOut
from orchestrator.local.core import state
from orchestrator.local.core.cloud import REGION, REGION_VARIABLE
from orchestrator.local.core.waiting import eventually

START_SECONDS = 300.0
STOP_SECONDS = 60.0
ANSWER_SECONDS = 120.0
"""How long a cloud may take to start, to stop, to answer: the machine may have other work."""
PAGE = "LOCAL_CLOUD_PAGE"
"""Variable that says how many items a page has, for every cloud of a test run."""
RECORDS = "LOCAL_CLOUD_RECORDS"
"""Variable that names a folder: each cloud leaves there, at its end, the record of its calls."""
LATE = "LOCAL_CLOUD_LATE"
"""Variable that makes every cloud of a test run tell the truth at once (`0`)."""
LATE_SECONDS = 5.0
"""Real seconds for which reads may show the world before a change: longer than that AWS was not seen to."""
SEED = "LOCAL_CLOUD_SEED"
"""Variable with the seed of every cloud of a test run, to see again what one showed."""


def up(
    name: str,
    folder: Path,
    *,
    speed: float = 20.0,
    port: int = 0,
    enforce_iam: bool = False,
    region: str = REGION,
    page: int | None = None,
    late: bool | float | None = None,
    seed: int | None = None,
    rates: float | None = None,
    quotas: int = 1,
) -> state.Running:
    """Start a cloud in a process of its own and wait until it answers; one that is up already is left as it is.

    `page`: items on one page of a list at most, 0: as many as AWS gives; None: what `PAGE` in the environment says.
    `late`: real seconds for which reads may show the world before a change (True: `LATE_SECONDS`, False: none); None:
    true, unless `LATE` in the environment says otherwise. `seed` None: what `SEED` says, else any; the cloud's log has
    it. `rates`: how many seconds of AWS's rates pass in a real one (1: they bite as on AWS); None: `speed`.
    `quotas`: how many times AWS's default quotas, of those that can be raised.
    """
    running = alive(folder)
    if running:
        return running
    marker = state.claim(folder)
    try:
        _end_leftovers(folder)
        state.empty(folder)
        size = os.environ.get(PAGE, "0") if page is None else str(page)
        options = ["--name", name, "--speed", str(speed), "--port", str(port), "--page", size]
        options += [] if rates is None else ["--rates", str(rates)]
        options += ["--quotas", str(quotas), "--late", str(_late_seconds(late))]
        options += ["--seed", str(os.environ.get(SEED) or random.randrange(10**6)) if seed is None else str(seed)]
        daemon = _spawn(folder, [*options, "--enforce-iam"] if enforce_iam else options, marker, region)
    finally:
        os.close(marker)
    try:
        return _wait_until_up(folder, daemon)
    except BaseException:  # also Ctrl-C: nothing half must stay
        daemon.terminate()
        daemon.wait(STOP_SECONDS)
        _clean_up(folder)
        raise


def _late_seconds(late: bool | float | None) -> float:
    if late is None:
        late = os.environ.get(LATE) != "0"
    return LATE_SECONDS * late if isinstance(late, bool) else late


def _spawn(folder: Path, arguments: list[str], marker: int, region: str) -> subprocess.Popen[bytes]:
    """The daemon, in a session of its own: it outlives who started it, and holds the marker's lock."""
    with (folder / "cloud.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "orchestrator.local.endpoint.daemon", "--dir", str(folder), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, REGION_VARIABLE: region},
            pass_fds=(marker,),
        )


def _wait_until_up(folder: Path, daemon: subprocess.Popen[bytes]) -> state.Running:
    def answers() -> state.Running | None:
        running = alive(folder)
        return running if running and running.pid == daemon.pid else None

    eventually(lambda: answers() or daemon.poll() is not None, START_SECONDS)
    if running := answers():
        return running
    if daemon.poll() is None:
        raise TimedOut(Problem(code="local-cloud-start", message=state.log_tail(folder), context=str(folder)))
    raise OrchestratorError(
        Problem(
            code="local-cloud-start",
            message=f"the local cloud ended with status {daemon.returncode}:\n{state.log_tail(folder)}",
            context=str(folder),
            fix="see the log above; is a module missing? Install the extra: in the clone, `pip install '.[local]'`",
        )
    )


def down(folder: Path) -> bool:
    """Stop the cloud and remove what it made; also what a killed one left. False when there was nothing."""
    if not (folder / state.MARKER).exists():
        return False
    pid = state.daemon_pid(folder)
    if pid and state.is_alive(pid):
        os.kill(pid, signal.SIGTERM)
        if not eventually(lambda: not state.is_alive(pid), STOP_SECONDS):
            os.kill(pid, signal.SIGKILL)
    _clean_up(folder)
    return True


def _end_leftovers(folder: Path) -> None:
    data_folders = state.server_folders(folder)
    if data_folders:
        from orchestrator.local.rds import postgres  # noqa: PLC0415 - only after a crash

        postgres.end_orphans(data_folders)


def _clean_up(folder: Path) -> None:
    _end_leftovers(folder)
    state.remove(folder)


def alive(folder: Path) -> state.Running | None:
    """The cloud in this folder when it is up and its process is there."""
    running = state.read(folder)
    return running if running and state.is_alive(running.pid) else None


def require(folder: Path) -> state.Running:
    """The cloud in this folder. Raises `Invalid` when none is up."""
    running = alive(folder)
    if running is None:
        raise Invalid(
            Problem(
                code="local-cloud-down",
                message="no local cloud is up here",
                context=str(folder),
                fix="`orchestrate local up`",
            )
        )
    return running


def ask(running: state.Running, path: str, method: str = "GET", **arguments: str) -> Any:
    """The control API's answer. Raises `Invalid` with its words when it refuses."""
    import urllib3  # noqa: PLC0415 - `orchestrate --help` must not pay for it

    url = f"{running.endpoint}/_local/{path}"
    with urllib3.PoolManager() as pool:
        answer = pool.request(method, f"{url}?{urlencode(arguments)}", timeout=ANSWER_SECONDS)
    if answer.status != 200:
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        words = answer.json()["error"] if is_json else f"HTTP {answer.status}; the cloud's log says why"
        raise Invalid(Problem(code="local-cloud-refused", message=str(words)))
    return answer.json()
