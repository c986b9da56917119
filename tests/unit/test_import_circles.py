"""No module of the package needs, by whatever way round, itself; nor does a room."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest


def circle(rooms: str = "") -> list[str]:
    """One circle of imports, if there is any, those included that only annotations need; of the rooms of `rooms`."""
    graph = grimp.build_graph("orchestrator")
    for room in graph.find_children(rooms) if rooms else ():
        graph.squash_module(room)
    needs = {name: graph.find_modules_directly_imported_by(name) - {name} for name in graph.modules}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as found:
        return [str(name) for name in found.args[1]]
    return []


def test_no_module_imports_itself() -> None:
    assert circle() == []


@pytest.mark.parametrize(
    "rooms", ["orchestrator", "orchestrator.local", "orchestrator.lifecycle", "orchestrator.stack"]
)
def test_nor_does_a_room(rooms: str) -> None:
    assert circle(rooms) == []


def test_a_circle_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = grimp.ImportGraph()
    graph.add_import(importer="a", imported="b")
    graph.add_import(importer="b", imported="c")
    graph.add_import(importer="c", imported="a")
    monkeypatch.setattr(grimp, "build_graph", lambda *_given, **_more: graph)
    assert set(circle()) == {"a", "b", "c"}
