"""No module of the package needs, by whatever way round, itself."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest


def circle(*, for_types: bool, without: str = "") -> list[str]:
    """One circle of imports, if there is any; `for_types`: of those too that only annotations need."""
    graph = grimp.build_graph("orchestrator", exclude_type_checking_imports=not for_types)
    known = {name for name in graph.modules if not (without and name.startswith(without))}
    needs = {name: graph.find_modules_directly_imported_by(name) & known for name in known}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as found:
        return [str(name) for name in found.args[1]]
    return []


def test_no_module_imports_itself() -> None:
    assert circle(for_types=False) == []


def test_nor_do_the_orchestrator_s_for_their_annotations() -> None:
    assert circle(for_types=True, without="orchestrator.local") == []


def test_a_circle_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = grimp.ImportGraph()
    graph.add_import(importer="a", imported="b")
    graph.add_import(importer="b", imported="c")
    graph.add_import(importer="c", imported="a")
    monkeypatch.setattr(grimp, "build_graph", lambda *_given, **_more: graph)
    assert set(circle(for_types=False)) == {"a", "b", "c"}
