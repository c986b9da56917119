"""Carries out orders: two workflows of DBOS, one for an order and one for each of its stacks.

What was done is in the database before the next thing begins. A worker that is killed leaves the stack it was at: that
step is done again, by the next worker, and looks before it acts (`orchestrator.workflows`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.errors import Outcome, Problem
from orchestrator.fleet.engine import APPLICATION, CALENDAR, ORDER, ORDERS, STACKS, VERSION, engine_errors, quiet
from orchestrator.fleet.file import FleetLimits
from orchestrator.fleet.orders import CANCELLED, MEMORY, WATCH, Order, StackResult, objection, refused
from orchestrator.workflows import Cancellation

AT_ONCE = 20
"""Orders that one worker carries out side by side: they only wait."""
SCHEDULES = 10.0
"""Seconds until a schedule that was set is known to a worker."""
ROUNDS = 20
"""Of the watch, that are kept."""
LOOK = 0.5
"""Seconds between two looks into a queue."""


@dataclass(frozen=True, slots=True)
class Handlers:
    """What a worker does with what the engine gives it."""

    work: Callable[[str, str, str, Sequence[str], Cancellation], StackResult]
    """Verb, stack, order, a command's arguments and what asks to stop → how it ended."""
    due: Callable[[datetime, Mapping[str, Any]], Order | None]
    """A schedule's time and what was kept with it → the order that is to be given now; None: none."""
    tell: Callable[[Sequence[StackResult], Mapping[str, Any]], Mapping[str, Any]]
    """What a round of the watch found, and what is remembered of those before → what is remembered after it."""


class Worker:
    """One process's part of the work, from `start` on. At most one in a process: DBOS is the process's."""

    def __init__(self, database: str, name: str, limits: FleetLimits, handlers: Handlers) -> None:
        self.name = name
        self.cancellation = Cancellation()
        self._database, self._limits, self._handlers = database, limits, handlers
        self._busy: set[int] = set()
        self._change = threading.Condition()
        self._never = threading.Event()

    def start(self) -> None:
        """From now on it works. What a worker of the same name left is gone on with. Raises `Invalid`."""
        with engine_errors(self._database):
            from dbos import DBOS, DBOSPortableJSONSerializer

            quiet()
            config: Any = {
                "name": APPLICATION,
                "system_database_url": self._database,
                "application_version": VERSION,
                "executor_id": self.name,
                "log_level": "CRITICAL",
                "serializer": DBOSPortableJSONSerializer(),
                "notification_listener_polling_interval_sec": LOOK,
                "scheduler_polling_interval_sec": SCHEDULES,
            }
            DBOS(config=config)
            self._declare()
            DBOS.launch()
            quiet()
            limits = self._limits
            DBOS.register_queue(ORDERS, worker_concurrency=AT_ONCE, polling_interval_sec=LOOK)
            DBOS.register_queue(
                STACKS,
                worker_concurrency=limits.worker,
                global_concurrency=limits.fleet,
                partition_concurrency=limits.account,
                polling_interval_sec=LOOK,
                on_conflict="always_update",
            )

    def recover(self, workers: list[str]) -> None:
        """Go on with what these have left. The call is DBOS's own and not public (tests/fleet says when it goes)."""
        from dbos import DBOS

        DBOS._recover_pending_workflows(workers)

    def abandoned(self, alive: set[str]) -> list[str]:
        """The workers that have something under way and are not among the living."""
        from dbos import DBOS

        pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return sorted({one.executor_id for one in pending if one.executor_id} - alive)

    def stop(self, seconds: float) -> bool:
        """Ask what is under way to stop, and wait until it has. What is left is another's, or the next start's."""
        self.cancellation.request()
        with self._change:
            return self._change.wait_for(lambda: not self._busy, seconds)

    def close(self) -> None:
        """Nothing is under way any more."""
        from dbos import DBOS

        DBOS.destroy()

    def _declare(self) -> None:
        from dbos import DBOS, SetWorkflowID

        @DBOS.step(name="fleet-step")
        def step(verb: str, stack: str, order: str, arguments: Sequence[str] = ()) -> dict[str, Any]:
            return self._done(verb, stack, order, arguments).as_json()

        @DBOS.workflow(name="fleet-stack")
        def one(verb: str, stack: str, order: str, arguments: Sequence[str] = ()) -> dict[str, Any]:
            return step(verb, stack, order, arguments)

        @DBOS.step(name="fleet-tell")
        def tell(results: Sequence[Mapping[str, Any]], order: str) -> dict[str, Any]:
            return dict(self._handlers.tell([StackResult.of(each) for each in results], _remembered(order)))

        @DBOS.workflow(name=ORDER)
        def carry_out(order: Mapping[str, Any]) -> dict[str, Any]:
            ours = str(DBOS.workflow_id)
            results, why = _in_waves(one, order, ours)
            told = {MEMORY: tell(results, ours)} if order["verb"] == WATCH else {}
            return {"results": results, "why": why, **told}

        @DBOS.step(name="fleet-due")
        def due(at: str, kept: Mapping[str, Any]) -> dict[str, Any] | None:
            order = self._handlers.due(datetime.fromisoformat(at), kept)
            return order.as_json() if order else None

        @DBOS.workflow(name=CALENDAR)
        def calendar(at: str, kept: Mapping[str, Any]) -> str:
            order = due(str(at), kept)
            if order is None:
                return ""
            made = f"{Order.of(order).key}-at-{at}".replace(":", "")
            with SetWorkflowID(made):
                DBOS.enqueue_workflow(ORDERS, carry_out, order)
            return made

    def _done(self, verb: str, stack: str, order: str, arguments: Sequence[str]) -> StackResult:
        """One stack. When it was stopped because we stop, it has no result: whoever goes on does it again."""
        ours = threading.get_ident()
        with self._change:
            self._busy.add(ours)
        try:
            result = self._handlers.work(verb, stack, order, arguments, self.cancellation)
        except Exception as error:  # noqa: BLE001 - a defect of ours at one stack must not end the others' order
            fix = "this is a bug in orchestrate: report it; repeating the order loses nothing"
            result = refused(stack, Problem("unexpected", type(error).__name__, "", fix), Outcome.FAILED)
        finally:
            with self._change:
                self._busy.discard(ours)
                self._change.notify_all()
        if self.cancellation.requests and result.outcome == Outcome.INTERRUPTED.word:
            self._never.wait()  # until the process ends: a step that returned would count as done
        return result


def _in_waves(one: Any, order: Mapping[str, Any], ours: str) -> tuple[list[dict[str, Any]], str]:
    """The results of the stacks, wave after wave, and why those that are left were not begun."""
    from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

    results: list[dict[str, Any]] = []
    for wave in order["waves"]:
        why = objection([StackResult.of(each) for each in results], order["stop_after"])
        if why:
            return results, why
        handles = {}
        for stack in wave:
            place = order["places"][stack]
            given = (order["verb"], stack, ours, *([order["arguments"]] if order.get("arguments") else []))
            with SetWorkflowID(f"{ours}:{stack}"), SetEnqueueOptions(queue_partition_key=place):
                handles[stack] = DBOS.enqueue_workflow(STACKS, one, *given)
        for stack, handle in handles.items():
            try:
                results.append(handle.get_result())
            except _without_result():
                results.append(StackResult(stack, CANCELLED).as_json())
    return results, ""


def _remembered(order: str) -> Mapping[str, Any]:
    """What the last round of the watch that ended left; all rounds before it are forgotten."""
    from dbos import DBOS

    rounds = DBOS.list_workflows(
        name=ORDER, workflow_id_prefix=f"{WATCH}-", status="SUCCESS", sort_desc=True, load_input=False
    )
    ended = [one for one in rounds if one.workflow_id != order]
    for one in ended[ROUNDS:]:
        DBOS.delete_workflow(one.workflow_id, delete_children=True)
    return dict((ended[0].output or {}).get(MEMORY, {})) if ended else {}


def _without_result() -> tuple[type[BaseException], ...]:
    """What is raised instead of the result of a stack's workflow that was cancelled, or given up."""
    from dbos import error

    return error.DBOSAwaitedWorkflowCancelledError, error.DBOSAwaitedWorkflowMaxRecoveryAttemptsExceeded
