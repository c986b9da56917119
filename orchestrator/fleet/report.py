"""One report of an order: a table, JSON lines, Markdown, JUnit XML, HTML. Texts; writing them is the caller's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import jinja2
from rich.text import Text

from orchestrator.errors import Outcome, counted
from orchestrator.fleet.engine import OrderStatus
from orchestrator.fleet.file import FleetStack
from orchestrator.fleet.orders import CANCELLED, FINISHED, UNFINISHED, StackResult, outcome_of
from orchestrator.render.endings import style
from orchestrator.render.report import STYLE
from orchestrator.render.tables import Sheet


def table(results: Sequence[StackResult]) -> Sheet:
    """One line a stack."""
    sheet = Sheet("stack", "outcome", "seconds", "calls", "why")
    for one in results:
        outcome = Text(one.outcome, style=style(one.outcome))
        sheet.add(one.stack, outcome, f"{one.seconds:.1f}", str(one.aws_calls), one.why)
    return sheet


def summary(seen: OrderStatus) -> str:
    """In one line."""
    outcomes = Counter(one.outcome for one in seen.results)
    outcomes[UNFINISHED] += len(seen.order.stacks) - len(seen.results)
    said = ", ".join(f"{many} {word}" for word, many in outcomes.items() if many)
    changed, calls = sum(one.changed for one in seen.results), sum(one.aws_calls for one in seen.results)
    stacks = counted(len(seen.order.stacks), "stack")
    saved = sum(one.saved for one in seen.results)
    pauses = f"; the pauses saved about ${saved:,.2f}, as estimated" if saved else ""
    return f"{seen.order.verb}: {stacks}: {said}; changed: {changed}, {calls} AWS calls{pauses} (order {seen.id})"


def lines(seen: OrderStatus) -> Iterator[str]:
    """A JSON object for each stack, and one for all at the end."""
    for one in seen.results:
        yield json.dumps({"event": "stack-finished", "order": seen.id, "verb": seen.order.verb, **one.as_json()})
    failed = [one.stack for one in seen.results if one.failed]
    said = {"event": "order-finished", "order": seen.id, "verb": seen.order.verb, "state": seen.state}
    yield json.dumps({**said, "outcome": outcome(seen).word, "failed": failed})


def markdown(seen: OrderStatus) -> str:
    """For a merge request, or the page of a pipeline."""
    rows = [f"| {one.stack} | {one.outcome} | {one.seconds:.1f} | {_cell(one.why)} |" for one in seen.results]
    return "\n".join([f"### {summary(seen)}", "", "| stack | outcome | seconds | why |", "|---|---|---|---|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def junit(seen: OrderStatus) -> str:
    """A test case for each stack, as pipelines show them."""
    failed = [one for one in seen.results if one.failed]
    suite = Element("testsuite", name=f"orchestrate fleet {seen.order.verb}")
    suite.set("tests", str(len(seen.results)))
    suite.set("failures", str(len(failed)))
    for one in seen.results:
        case = SubElement(suite, "testcase", name=one.stack, classname=seen.order.verb, time=f"{one.seconds:.3f}")
        if one.failed:
            SubElement(case, "failure", message=one.why, type=one.outcome).text = "\n".join(
                f"{problem['step']} {problem['subject']}: {problem['detail']} [{problem['code']}] Fix: {problem['fix']}"
                for problem in one.problems
            )
    indent(suite)
    return tostring(suite, encoding="unicode", xml_declaration=True)


def html(seen: OrderStatus) -> str:
    """A page of its own, in the style of a run's. Whatever a result holds is shown as text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([Path(__file__).parent, STYLE]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("order.html.j2")
    return page.render(seen=seen, outcome=outcome(seen).word, summary=summary(seen))


def orders(found: Sequence[OrderStatus]) -> Sheet:
    """One line an order."""
    sheet = Sheet("order", "when", "state", "stacks", "failed")
    for one in found:
        left = [result.stack for result in one.results if result.failed]
        state = outcome_of(one.results).word if one.state == FINISHED else one.state
        when = f"{datetime.fromtimestamp(one.began, UTC):%Y-%m-%d %H:%M:%S}"
        sheet.add(one.id, when, Text(state, style=style(state)), str(len(one.order.stacks)), ", ".join(left))
    return sheet


def stacks(found: Sequence[FleetStack]) -> Sheet:
    """One line a stack of the fleet."""
    sheet = Sheet("stack", "place", "labels", "directory")
    for one in found:
        labels = ",".join(f"{key}={value}" for key, value in one.labels.items())
        sheet.add(one.name, one.place, labels, str(one.directory))
    return sheet


def outcome(seen: OrderStatus) -> Outcome:
    """How the order ended; one that was cancelled, or that the engine gave up, did not come through."""
    if seen.state == CANCELLED:
        return Outcome.INTERRUPTED
    return outcome_of(seen.results) if seen.state in (FINISHED, UNFINISHED) else Outcome.FAILED
