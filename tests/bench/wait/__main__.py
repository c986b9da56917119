"""Compares our wait with `aws ecs wait services-stable` and, where it can be installed, fabfuel's `ecs deploy`.

All on one local cloud, in one run. Each tool watches the same rollout while the truth is looked at ten times a second:
`lag` is from truly good to exit, a false success an exit status of 0 while it was not good. ecs deploy makes its
deployment itself, with a task definition of its own. Exit status 1 when ours is not as promised: on a calm machine.
Usage: python -m tests.bench.wait [--rounds 3] [--scenario NAME …] [--tool NAME …]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.wait.watching import ONE, Result, health, watched
from tests.e2e.stage import Stage, stage
from tests.waiting import until

SPEED = 25.0
"""Rollouts of 12-27 s: pull, boot, two health checks, the old task's draining."""
FIRST_SPEED, FIRST_LIMIT = 1.0, 400.0
"""A first rollout is watched in AWS's own seconds: what tells when it can be good is an interval of AWS's."""
LIMIT = 100.0
"""Seconds after which a tool that still waits is ended."""
FAULTS = {
    "oom": ("memory", "OutOfMemory", "out-of-memory"),
    "image-pull": ("CannotPull", "image-pull"),
    "missing-database": ("does not exist", "database-missing"),
    "unhealthy-target": ("health check", "unhealthy"),
}
"""The fault, and the words by which a tool would name its cause."""
LAG, CALLS, MEMORY, LIVES = 0.5, 15, 90.0, 2
"""Promised of ours: seconds and calls of the warm case (medians), MiB, tasks that die before a hopeless fault is named.

A wait that fails ends with the doctor, whose calls and memory are in its figures: MiB are promised of successes.
"""
ANEW = (
    "taskDefinition",
    "desiredCount",
    "launchType",
    "healthCheckGracePeriodSeconds",
    "deploymentConfiguration",
    "networkConfiguration",
    "loadBalancers",
)
"""What a service is made of, when it is made anew."""
Tool = Callable[[Stage, str], Sequence[str]]


def ours(made: Stage, _image: str) -> Sequence[str]:
    contract = str(made.folder / "contract.json")
    return [sys.executable, "-m", "orchestrator", "run", "--contract", contract, "--only", "services"]


def aws_wait(made: Stage, _image: str) -> Sequence[str]:
    aws = str(Path(sys.executable).with_name("aws"))
    service = made.contract["tenants"][ONE]["service"]
    return [aws, "ecs", "wait", "services-stable", "--cluster", made.contract["cluster"], "--services", service]


def fabfuel(program: Path) -> Tool:
    def command(made: Stage, image: str) -> Sequence[str]:
        service = made.contract["tenants"][ONE]["service"]
        other = ("-i", "api", image) if image else ()
        return [
            str(program),
            "deploy",
            made.contract["cluster"],
            service,
            "--timeout",
            "900",
            "--no-deregister",
            *other,
        ]

    return command


@dataclass
class Bench:
    """The stage and the tools on it."""

    made: Stage
    tools: Mapping[str, Tool]
    results: dict[tuple[str, str], list[Result]]

    def update(self, **changes: Any) -> None:
        name = self.made.contract["tenants"][ONE]["service"]
        self.made.aws.client("ecs").update_service(cluster=self.made.contract["cluster"], service=name, **changes)

    def well(self) -> None:
        """Everything is as it should be, and steady."""
        self.made.clear_faults()
        self.made.direct("--skip", "sites").succeeded()
        until("it is healthy", lambda: health(self.made) == {"healthy"})

    def measure(
        self, scenario: str, tool: str, prepare: Callable[[], None], limit: float = LIMIT, image: str = ""
    ) -> None:
        """Prepare, start a deployment (ecs deploy makes its own), watch the tool."""
        before = next((str(one["id"]) for one in self.made.service(ONE)["deployments"]), "")
        prepare()
        makes_its_own = tool == "ecs-deploy"
        if scenario not in ("desired-0", "first") and not makes_its_own:
            chosen = {"taskDefinition": self.definition_with(image)} if image else {"forceNewDeployment": True}
            self.update(**chosen)
        command = self.tools[tool](self.made, image)
        log = self.made.folder / f"{scenario}-{tool}.log"
        result = watched(self.made, command, before, limit, log, FAULTS.get(scenario, ()))
        self.results.setdefault((scenario, tool), []).append(result)
        said = "killed" if result.status is None else f"exit {result.status}"
        lag = "" if result.lag is None else f", lag {result.lag:.2f} s"
        text = f"{scenario:18} {tool:12} {said}, {result.seconds:.1f} s{lag}, {result.calls} calls"
        Console(highlight=False).print(text)

    def definition_with(self, image: str) -> str:
        """The service's task definition with another api image; its ARN."""
        ecs = self.made.aws.client("ecs")
        current = self.made.service(ONE)["taskDefinition"]
        now = ecs.describe_task_definition(taskDefinition=current)["taskDefinition"]
        kept = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn", "taskRoleArn")
        containers = now["containerDefinitions"]
        containers[0]["image"] = image
        made = ecs.register_task_definition(containerDefinitions=containers, **{key: now[key] for key in kept})
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def warm(self, tool: str) -> None:
        self.measure("warm", tool, lambda: None)

    def cold(self, tool: str) -> None:
        """The old task crash-loops because its database was missing; now the database is there."""
        self.made.fault("missing-database", ONE)
        until("the task crashes", lambda: self.made.service(ONE)["runningCount"] == 0)

        def prepare() -> None:
            self.made.clear_faults()
            self.made.direct("--only", "tenant-databases").succeeded()

        self.measure("cold", tool, prepare)

    def first(self, tool: str) -> None:
        """The service is made anew, so no earlier rollout tells how long one takes (ecs deploy makes one more)."""
        ecs, now = self.made.aws.client("ecs"), self.made.service(ONE)
        where = {"cluster": self.made.contract["cluster"]}
        name = now["serviceName"]
        ecs.delete_service(**where, service=name, force=True)
        until("it is gone", lambda: self.made.service(ONE)["status"] == "INACTIVE")
        until("its targets are gone", lambda: not health(self.made))

        def prepare() -> None:
            self.made.cloud.ask("speed", "POST", speed=str(FIRST_SPEED))
            ecs.create_service(**where, serviceName=name, **{key: now[key] for key in ANEW})
            until("it shows", lambda: self.made.service(ONE)["status"] == "ACTIVE")

        self.measure("first", tool, prepare, FIRST_LIMIT)
        self.made.cloud.ask("speed", "POST", speed=str(SPEED))

    def rollback(self, tool: str) -> None:
        breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
        change = {"deploymentConfiguration": breaker}
        self.measure("rollback", tool, lambda: self.update(**change), image="onyxdotapp/onyx-backend:does-not-exist")
        breaker["deploymentCircuitBreaker"]["rollback"] = False
        self.update(forceNewDeployment=True, **change)

    def desired_zero(self, tool: str) -> None:
        if tool != "ecs-deploy":
            self.measure("desired-0", tool, lambda: self.update(desiredCount=0))
        else:
            self.update(desiredCount=0)
            until("nothing runs", lambda: self.made.service(ONE)["runningCount"] == 0)
            self.measure("desired-0", tool, lambda: None)
        self.update(desiredCount=1)

    def broken(self, fault: str, tool: str) -> None:
        self.update(healthCheckGracePeriodSeconds=60 if fault == "unhealthy-target" else 600)
        self.measure(fault, tool, lambda: self.made.fault(fault, ONE))
        self.made.clear_faults()
        self.update(healthCheckGracePeriodSeconds=600, forceNewDeployment=True)


def show(results: Mapping[tuple[str, str], Sequence[Result]]) -> None:
    columns = ("scenario", "tool", "exit", "seconds", "lag", "calls", "MiB", "CPU s", "died", "verdict")
    table = Table(*columns, title="the wait")
    for (scenario, tool), runs in results.items():
        lags = [run.lag for run in runs if run.lag is not None and run.status == 0]
        exits = ", ".join("still waiting" if run.status is None else str(run.status) for run in runs)
        false = sum(run.false_success for run in runs)
        verdict = f"FALSE SUCCESS {false} of {len(runs)}" if false else ""
        if scenario in FAULTS and any(run.status != 0 for run in runs):
            verdict = verdict or ("names the cause" if is_named(scenario, runs[-1]) else "does not say why")
        table.add_row(
            scenario,
            tool,
            exits,
            f"{statistics.median(run.seconds for run in runs):.1f}",
            f"{statistics.median(lags):.2f}" if lags else "",
            f"{statistics.median(run.calls for run in runs):.0f}",
            f"{max(run.peak_mib for run in runs):.0f}",
            f"{statistics.median(run.cpu for run in runs):.1f}",
            f"{max(run.lives for run in runs)}" if scenario in FAULTS else "",
            verdict or "right",
        )
    Console(width=130).print(table)


def is_named(scenario: str, run: Result) -> bool:
    """Whether the tool's output says what the fault is."""
    return any(word in run.output for word in FAULTS[scenario])


def broken_promises(results: Mapping[tuple[str, str], Sequence[Result]]) -> Iterator[str]:
    """What ours is not."""
    ours_ = {scenario: runs for (scenario, tool), runs in results.items() if tool == "ours"}
    for scenario, runs in ours_.items():
        if any(run.false_success for run in runs):
            yield f"{scenario}: a false success"
        if max((run.peak_mib for run in runs if run.status == 0), default=0.0) > MEMORY:
            yield f"{scenario}: more than {MEMORY:.0f} MiB"
        if scenario in FAULTS and not all(run.status == 1 and is_named(scenario, run) for run in runs):
            yield f"{scenario}: not named"
        if scenario in FAULTS and max(run.lives for run in runs) > LIVES:
            yield f"{scenario}: more than {LIVES} tasks died of it"
    for run in (warm := ours_.get("warm", [])):
        if run.status != 0 or run.lag is None:
            yield "warm: no success"
    lags = [run.lag for run in warm if run.lag is not None]
    if lags and statistics.median(lags) > LAG:
        yield f"warm: a median lag of {statistics.median(lags):.2f} s, promised {LAG}"
    if warm and statistics.median(run.calls for run in warm) > CALLS:
        yield f"warm: more than {CALLS} calls"


def ecs_deploy(folder: Path) -> Path | None:
    """fabfuel's program in an environment of its own; None when it can't be installed here."""
    venv.create(folder, with_pip=True)
    done = subprocess.run(
        [folder / "bin" / "python", "-m", "pip", "install", "-q", "ecs-deploy"], capture_output=True, check=False
    )
    program = folder / "bin" / "ecs"
    return program if done.returncode == 0 and program.exists() else None


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench-wait", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of the warm case")
    parser.add_argument(
        "--scenario", action="append", help="only these (warm, cold, first, rollback, desired-0, a fault)"
    )
    parser.add_argument("--tool", action="append", help="only these (ours, aws wait, ecs-deploy)")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-wait-"))
    try:
        program = ecs_deploy(folder / "fabfuel") if not asked.tool or "ecs-deploy" in asked.tool else None
        tools: dict[str, Tool] = {"ours": ours, "aws wait": aws_wait}
        tools |= {"ecs-deploy": fabfuel(program)} if program else {}
        chosen = {name: tool for name, tool in tools.items() if not asked.tool or name in asked.tool}
        with stage(folder, speed=SPEED, tenants=(ONE,)) as made:
            bench = Bench(made, chosen, {})
            play(bench, asked.rounds, asked.scenario)
            show(bench.results)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    broken = list(broken_promises(bench.results))
    for one in broken:
        Console(highlight=False).print(f"not as promised: {one}")
    return int(bool(broken))


def play(bench: Bench, rounds: int, asked: Sequence[str] | None) -> None:
    """Every scenario with every tool, from a healthy stack each time."""
    scenarios: dict[str, Callable[[str], None]] = {
        "warm": bench.warm,
        "cold": bench.cold,
        "first": bench.first,
        "rollback": bench.rollback,
        "desired-0": bench.desired_zero,
    }
    for fault in FAULTS:
        scenarios[fault] = lambda tool, fault=fault: bench.broken(fault, tool)  # type: ignore[misc]
    for name, scenario in scenarios.items():
        if asked and name not in asked:
            continue
        for _ in range(rounds if name in ("warm", "first") else 1):
            for tool in bench.tools:
                bench.well()
                scenario(tool)


if __name__ == "__main__":
    sys.exit(main())
