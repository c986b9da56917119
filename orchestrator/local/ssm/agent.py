"""The SSM agents of all instances: fetch commands, run their scripts for real, report what came of them.

A script runs under bash, in a session of its own (no terminal: nothing can prompt), with the environment of its
instance. It takes the time it takes: `executionTimeout` is in real seconds, while AWS's own delays are scaled.
Left out: processors of each instance's own (`AT_ONCE` scripts run, the others wait for their turn); background
processes end with their command (on AWS they go on), and a script that makes itself a session of its own (setsid) is
not found again; `commands` is not rendered (no `{{ parameter }}`).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.local.ssm import instance
from orchestrator.local.ssm.nodes import nodes
from orchestrator.local.ssm.run_command import NEVER_RAN, STOPPED, Command, Invocation, InvocationEnd, open_commands

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud

FETCH = 1.0
"""Seconds between two looks for new commands."""
SHORTEST_FETCH = 0.05
"""Real seconds, so that it costs little at any speed."""
STDOUT_KEPT = 24_000
STDERR_KEPT = 8_000
"""Characters GetCommandInvocation answers at most (its documentation)."""
AT_ONCE = 16
"""Scripts that run at the same time: hundreds of instances share this machine's processors."""
SHELLS = frozenset({"bash", "sh"})


def start(cloud: Cloud) -> Callable[[], None]:
    """Furnish the instances' tools and run the agents. The stop function kills what runs and waits for its end."""
    instance.furnish(cloud)
    agents = _Agents(cloud)
    agents.start()
    return agents.stop


class _Agents:
    """One thread fetches for all instances, and each running script has one."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._stopping = threading.Event()
        self._fetcher = threading.Thread(target=self._fetch, name="ssm-agents", daemon=True)
        self._runners: list[threading.Thread] = []
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def start(self) -> None:
        self._fetcher.start()

    def stop(self) -> None:
        self._stopping.set()
        self._fetcher.join()
        for runner in self._runners:
            runner.join()

    def _fetch(self) -> None:
        period = max(SHORTEST_FETCH, self._cloud.pace.scaled(FETCH))
        while not self._stopping.wait(period):
            self._runners = [runner for runner in self._runners if runner.is_alive()]
            if self._runners:
                instance.publish_hosts(self._cloud)
            for account, region, command in open_commands():
                waiting = [one for one in command.invocations.values() if one.status == "Pending"]
                if not waiting:
                    continue
                try:
                    known = nodes(self._cloud, account, region).values()
                except RuntimeError as changed:  # moto's dicts have no lock: requests change them while we look
                    self._cloud.log(f"ssm: looked at {region} while it changed ({changed}); looking again")
                    continue
                self._deliver(region, command, waiting, {node.instance_id for node in known if node.ping == "Online"})

    def _deliver(self, region: str, command: Command, waiting: list[Invocation], online: set[str]) -> None:
        """Start what waits for an agent that answers; what waited too long is never started."""
        for invocation in waiting:
            now = self._cloud.pace.now()
            if invocation.instance_id in online and invocation.begin(now):
                runner = threading.Thread(
                    target=self._run, args=(region, command, invocation), name=f"ssm-{command.command_id}", daemon=True
                )
                self._runners.append(runner)
                runner.start()
            elif self._cloud.pace.monotonic() > command.expires:
                invocation.finish(InvocationEnd("TimedOut", "DeliveryTimedOut", NEVER_RAN), now)

    def _run(self, region: str, command: Command, invocation: Invocation) -> None:
        folder = instance.folder(self._cloud, invocation.instance_id) / "commands" / command.command_id
        folder.mkdir(parents=True, mode=0o700)
        instance.publish_hosts(self._cloud)
        environment = instance.environment(self._cloud, invocation.instance_id, region)
        try:
            with self._places:
                outcome = self._script(command, invocation, folder, environment)
        except (OSError, ValueError) as error:
            # An interpreter or working directory that can't be: the agent reports it, it doesn't die of it.
            outcome = InvocationEnd("Failed", "Failed", 1, stderr=f"{error}\nfailed to run commands: exit status 1")
        finally:
            shutil.rmtree(folder)
        invocation.finish(outcome, self._cloud.pace.now())
        self._cloud.log(f"ssm: {command.command_id} on {invocation.instance_id}: {outcome.status}")

    def _script(
        self, command: Command, invocation: Invocation, folder: Path, environment: dict[str, str]
    ) -> InvocationEnd:
        script, stdout, stderr = folder / "_script.sh", folder / "stdout", folder / "stderr"
        script.write_text(command.script, encoding="utf-8")
        with stdout.open("wb") as out, stderr.open("wb") as err:
            process = subprocess.Popen(
                [*interpreter(command.script), str(script)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=command.working_directory or folder,
                env=environment,
                start_new_session=True,
            )
        try:
            status, details, code = self._watch(process, command, invocation)
        finally:
            _end(process)
        said = _head(stderr, STDERR_KEPT)
        if status == "Failed":
            said = _head(stderr, STDERR_KEPT - 60) + f"failed to run commands: exit status {code}"
        return InvocationEnd(status, details, code, _head(stdout, STDOUT_KEPT), said)

    def _watch(
        self, process: subprocess.Popen[bytes], command: Command, invocation: Invocation
    ) -> tuple[str, str, int]:
        """Wait for the script's end, or a reason to end it: status, details, response code."""
        deadline = self._cloud.pace.monotonic() + command.execution_timeout
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(timeout=0.1)
                # A script killed by a signal has the code a shell would give it.
                code = code if code >= 0 else 128 - code
                return ("Success", "Success", 0) if code == 0 else ("Failed", "Failed", code)
            if invocation.status == "Cancelling" or self._stopping.is_set():
                return "Cancelled", "Cancelled", STOPPED
            if self._cloud.pace.monotonic() > deadline:
                return "TimedOut", "ExecutionTimedOut", STOPPED


def interpreter(script: str) -> list[str]:
    """What runs a script: its own `#!` line, else bash (the instances' /bin/sh is bash)."""
    first = script.partition("\n")[0]
    words = shlex.split(first[2:]) if first.startswith("#!") else []
    if not words or Path(words[0]).name in SHELLS:
        return ["bash", *words[1:]]
    return words


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of the script's process group is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, when only zombies are left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _head(file: Path, characters: int) -> str:
    with file.open(encoding="utf-8", errors="replace") as text:
        return text.read(characters)
