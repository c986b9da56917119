"""Orders in the database: given, looked at, cancelled, all by DBOS. Nothing is carried out here (`worker.py`)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.errors import Invalid, OrchestratorError, Problem
from orchestrator.fleet.file import VARIABLE
from orchestrator.fleet.orders import CANCELLED, FINISHED, MEMORY, UNFINISHED, Order, StackResult, completed
from orchestrator.fleet.schedules import Schedules

APPLICATION = "orchestrate-fleet"
VERSION = "fleet-1"
"""Of the workflows' shape: a worker carries out, and recovers, orders of its own version alone."""
ORDERS, STACKS = "orders", "stacks"
"""The queues."""
ORDER = "fleet-order"
"""The workflow's name."""
CALENDAR = "fleet-calendar"
"""The workflow that a schedule starts: it gives an order."""
_ENDED = {"SUCCESS": "", "CANCELLED": CANCELLED, "ERROR": "failed", "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed"}


@dataclass(frozen=True, slots=True)
class OrderStatus:
    """An order as the database has it. `state`: `finished`, `unfinished`, `cancelled` or `failed`."""

    id: str
    order: Order
    state: str
    began: float
    """Seconds since the epoch."""
    results: tuple[StackResult, ...] = ()
    """Of the stacks that have ended; of a finished order, of all."""
    memory: Mapping[str, Any] = field(default_factory=dict)
    """Of a round of the watch: what is remembered after it."""


class FleetEngine:
    """A client of the database. Raises `Invalid` when the extra is missing or the database can't be reached."""

    def __init__(self, database: str) -> None:
        with engine_errors(database):
            from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer

            quiet()
            DBOS.migrate(database)
            self._client: Any = DBOSClient(
                system_database_url=database,
                application_name=APPLICATION,
                serializer=DBOSPortableJSONSerializer(),  # what others may write there is data, never a pickle
            )

    def close(self) -> None:
        """No more questions."""
        self._client.destroy()

    def submit(self, order: Order) -> str:
        """Give an order; its id. The same order that is not finished yet is not given again: it is that one's id."""
        known = self.orders(order.key)
        going_on = next((one for one in known if one.state == UNFINISHED), None)
        if going_on is not None:
            return going_on.id
        made = f"{order.key}-{len(known) + 1}"
        options = {"workflow_name": ORDER, "queue_name": ORDERS, "workflow_id": made, "app_version": VERSION}
        self._client.enqueue(options, order.as_json())
        return made

    @property
    def schedules(self) -> Schedules:
        """What is done at which times."""
        return Schedules(self._client, CALENDAR)

    def orders(self, prefix: str = "", limit: int | None = None) -> tuple[OrderStatus, ...]:
        """All (or the newest so many) whose id begins so, the newest first."""
        found = self._client.list_workflows(
            name=ORDER,
            workflow_id_prefix=prefix or None,
            sort_desc=True,
            load_input=True,
            load_output=True,
            limit=limit,
        )
        return tuple(self._status(one) for one in found)

    def order(self, id_: str) -> OrderStatus:
        """The one whose id this is, with the results so far. Raises `Invalid`."""
        found = self._client.list_workflows(workflow_ids=[id_], name=ORDER)
        if not found:
            fix = "`orchestrate fleet list` lists the orders"
            raise Invalid(Problem("order-unknown", f"there is no order {id_!r}", "", fix))
        seen = self._status(found[0])
        return seen if seen.state == FINISHED else replace(seen, results=self._so_far(id_))

    def under_way(self, id_: str) -> Mapping[str, float]:
        """The stacks of an order that are being processed: since when, in seconds since the epoch."""
        found = self._client.list_workflows(
            workflow_id_prefix=f"{id_}:", status="PENDING", load_input=False, load_output=False
        )
        return {one.workflow_id.rpartition(":")[2]: (one.dequeued_at or one.created_at) / 1000 for one in found}

    def cancel(self, id_: str) -> None:
        """No other stack is begun; those that are under way come to their end."""
        children = self._client.list_workflows(workflow_id_prefix=f"{id_}:", status="ENQUEUED", load_output=False)
        self._client.cancel_workflows([self.order(id_).id, *(one.workflow_id for one in children)])

    def _so_far(self, id_: str) -> tuple[StackResult, ...]:
        found = self._client.list_workflows(workflow_id_prefix=f"{id_}:", status="SUCCESS", load_output=True)
        return tuple(StackResult.of(one.output) for one in found if one.output)

    def _status(self, found: Any) -> OrderStatus:
        order = Order.of(found.input["args"][0])
        state = FINISHED if found.status == "SUCCESS" else _ENDED.get(found.status, UNFINISHED)
        results: tuple[StackResult, ...] = ()
        memory: Mapping[str, Any] = {}
        if found.status == "SUCCESS":
            memory = found.output.get(MEMORY, {})
            results = completed(order, [StackResult.of(one) for one in found.output["results"]], found.output["why"])
        return OrderStatus(found.workflow_id, order, state, (found.created_at or 0) / 1000, results, memory)


def finished(orders: Sequence[OrderStatus], verb: str) -> tuple[tuple[StackResult, ...], ...]:
    """The results of the finished orders of a verb, in their order."""
    return tuple(one.results for one in orders if one.order.verb == verb and one.state == FINISHED)


@contextmanager
def engine_errors(database: str) -> Iterator[None]:
    """What the engine raises when it is made becomes `Invalid`; of the database's name only its place is said."""
    try:
        yield
    except OrchestratorError:
        raise
    except ImportError as error:
        fix = "install it with its extra: `pip install 'onyx-orchestrator[fleet]'`"
        raise Invalid(Problem("fleet-extra-missing", f"fleets need {error.name}", "", fix)) from None
    except Exception as error:  # noqa: BLE001 - SQLAlchemy's and psycopg's own, which no caller here knows
        fix = f"check `database` in fleet.toml, or {VARIABLE}, and that the server can be reached"
        message = f"the fleet's database can't be used{_said(error)}"
        raise Invalid(Problem("fleet-database", message, place_of(database), fix)) from None


def _said(error: Exception) -> str:
    """What the database's driver said, in its first line: it names host, port and user, never a password."""
    driver = getattr(error, "orig", None)
    line = next(iter(str(driver).splitlines()), "") if driver else ""
    return f": {line}" if line else ""


def place_of(database: str) -> str:
    """Where it is, without who signs in."""
    kind, _, rest = database.partition("://")
    return f"{kind}://{rest.rpartition('@')[2]}"


def quiet() -> None:
    """The engine's own words are for its developers; what matters is in the results."""
    logging.getLogger("dbos").setLevel(logging.CRITICAL)
