"""The laws of AWS that moto doesn't know: one file a law, with a `LAW`; in force in every local cloud.

A law may refuse a call before moto sees it, with AWS's code and words, and it may answer otherwise than moto would.
Refusals are sought in the laws' order, answers are made from the inside out: the last law is the nearest to moto. Where
a limit or a figure comes from is said beside it, as a row of data; the reference page of laws is made of these rows.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from orchestrator.local.core import wire
from orchestrator.local.core.wire import AwsCall, HttpAnswer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from orchestrator.local.core.cloud import Cloud

Ask = Callable[[AwsCall], HttpAnswer]


@dataclass(frozen=True, slots=True)
class Refusal:
    """AWS's error code and words. `status` is HTTP's; 0: what the protocol gives to an error of the caller's."""

    code: str
    message: str
    status: int = 0


class Force:
    """A law in force in one cloud, with what it remembers. Thread-safe: calls come at once."""

    def refusal(self, _call: AwsCall) -> Refusal | None:
        """Why the call is not even looked at; None: it is."""
        return None

    def concerns(self, _call: AwsCall) -> bool:
        """Whether `answer` has anything to do with the call: what concerns nobody costs nothing."""
        return False

    def answer(self, call: AwsCall, ask: Ask) -> HttpAnswer:
        """What the caller is told; `ask` tells what would be told without this law."""
        return ask(call)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the reference: what is limited, how, and who says so."""

    subject: str
    rule: str
    source: str


@dataclass(frozen=True, slots=True)
class Law:
    """`order`: laws of lower order refuse first, and see the answer last."""

    name: str
    title: str
    order: int
    begin: Callable[[Cloud], Force]
    rows: Callable[[], Sequence[Row]]


def catalogue() -> tuple[Law, ...]:
    """Every law there is, in its order: one module of this package each, those without a LAW being parts of another."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    laws: list[Law] = [module.LAW for module in modules if hasattr(module, "LAW")]
    return tuple(sorted(laws, key=lambda law: (law.order, law.name)))


def governed(cloud: Cloud, application: WSGIApplication) -> WSGIApplication:
    """The application under every law."""
    forces = [law.begin(cloud) for law in catalogue()]

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        call = wire.read(environ)
        if call is None:
            return application(environ, start_response)
        cloud.record.note(call.agent, call.name, call.parameters)
        for force in forces:
            if refused := force.refusal(call):
                return wire.refusal_of(call, refused.code, refused.message, refused.status)(environ, start_response)

        def started(status: str, *rest: Any) -> Any:
            if int(status[:3]) < HTTPStatus.BAD_REQUEST:
                cloud.record.taken(call.agent, call.name, call.parameters)
            return start_response(status, *rest)

        concerned = [force for force in forces if force.concerns(call)]
        if not concerned:
            return application(environ, started)
        return _asked(concerned, application)(call)(environ, started)

    return answer


def _asked(forces: Sequence[Force], application: WSGIApplication) -> Ask:
    def innermost(call: AwsCall) -> HttpAnswer:
        return wire.ask(application, call)

    ask: Ask = innermost
    for force in reversed(forces):
        ask = _behind(force, ask)
    return ask


def _behind(force: Force, ask: Ask) -> Ask:
    """What an outer law asks for itself may be nothing that concerns this one."""
    return lambda call: force.answer(call, ask) if force.concerns(call) else ask(call)
