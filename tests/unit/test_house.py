"""What CONTRIBUTING and architecture.md say of the house is so: places, sizes, names, and what is a Protocol."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
LOOSE = {"__init__", "__main__", "errors", "events", "probe", "redact", "settings"}
FILE, FUNCTION, MEDIAN, README = 400, 60, 120, 80
"""Lines at most."""


@cache
def sources() -> Mapping[Path, ast.Module]:
    """Every Python file of ours, read once."""
    files = (file for room in ("orchestrator", "tests", "scripts") for file in (ROOT / room).rglob("*.py"))
    return {file.relative_to(ROOT): ast.parse(file.read_text(encoding="utf-8")) for file in sorted(files)}


def product() -> Iterator[tuple[str, ast.Module]]:
    for file, tree in sources().items():
        if file.parts[0] == "orchestrator":
            yield ".".join(file.with_suffix("").parts[1:]).removesuffix(".__init__"), tree


def length(file: Path) -> int:
    return len((ROOT / file).read_text(encoding="utf-8").splitlines())


def test_each_of_the_twenty_questions_has_its_answer() -> None:
    said = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+\?) \| (.+) \|$", said, re.MULTILINE)
    assert len(rows) == 20
    named = [(question, re.findall(r"`((?:orchestrator|docs)/[^`]+)`", answer)) for question, answer in rows]
    assert [question for question, places in named if not places] == []
    assert [place for _, places in named for place in places if not (ROOT / place).exists()] == []


def test_only_what_everybody_needs_lies_loose() -> None:
    assert {file.stem for file in (ROOT / "orchestrator").glob("*.py")} == LOOSE
    assert [file.stem for file in (ROOT / "orchestrator" / "local").glob("*.py")] == ["__init__"]


def test_the_unit_tests_lie_as_the_rooms_do() -> None:
    rooms = {folder.parent.name for folder in (ROOT / "orchestrator").glob("*/__init__.py")}
    folders = {folder.name for folder in (ROOT / "tests" / "unit").iterdir() if any(folder.glob("**/test_*.py"))}
    assert rooms - folders == set()
    assert folders - rooms == {"scripts", "smoke"}, "those of scripts/ and tests/smoke"


def test_files_and_functions_are_short() -> None:
    lengths = {file: length(file) for file in sources()}
    assert {str(file): lines for file, lines in lengths.items() if lines > FILE} == {}
    assert median(lines for file, lines in lengths.items() if file.parts[0] == "orchestrator") <= MEDIAN
    functions = (
        (f"{file}:{node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for file, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    )
    assert [name for name, lines in functions if lines > FUNCTION] == []
    assert length(Path("README.md")) <= README


def test_no_two_classes_share_a_name() -> None:
    """A search for a class finds one: it is named by what it holds, not by what it is for its own file."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for module, tree in product():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_architecture_names_what_is_there() -> None:
    said = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    named = {one for one in re.findall(r"`([\w/.]+\.py)`", said) if not re.search(r"[A-Z]{3}|…", one)}
    there = {file.as_posix() for file in sources()}
    assert {one for one in named if not any(f"/{file}".endswith(f"/{one}") for file in there)} == set()


def test_the_pages_name_tests_that_exist() -> None:
    """Written `tests/PATH.py`, `test_file.py`, `test_file.py::test_name` or `test_file.py::test_begin_…`."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {
        (file, test)
        for page in pages
        for file, test in re.findall(r"`([\w/]*test_\w+\.py)(?:::(test_\w+))?", page.read_text(encoding="utf-8"))
    }
    tests = {f"/{file.as_posix()}": file for file in sources() if file.parts[0] == "tests"}
    held = {file: (ROOT / file).read_text(encoding="utf-8") for file in tests.values()}

    def exists(name: str, test: str) -> bool:
        return any(full.endswith(f"/{name}") and f"def {test}" in held[file] for full, file in tests.items())

    assert sorted(one for one in named if not exists(*one)) == []


def test_terraforms_json_is_walked_in_one_place() -> None:
    """Whoever wants something of a plan or a state asks `stack/blueprint`."""
    walked = {"root_module", "child_modules", "resource_changes", "prior_state", "output_changes", "after_unknown"}
    walkers = {
        module
        for module, tree in product()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in walked
    }
    assert {module.rpartition(".")[0] for module in walkers} == {"stack.blueprint"}


def test_what_a_check_says_no_point_of_a_checklist_says_again() -> None:
    """A rule for what is planned and for what runs is judged in one file, its check's."""
    codes: defaultdict[str, set[str]] = defaultdict(set)
    for module, tree in product():
        said = [one.value for one in ast.walk(tree) if isinstance(one, ast.keyword) and one.arg == "code"]
        texts = [str(it.value) for one in said for it in ast.walk(one) if isinstance(it, ast.Constant)]
        codes[module.rpartition(".")[0]] |= {one for one in texts if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", one)}
    assert codes["doctor.checks"]
    assert codes["doctor.checks"] & codes["preflight.items"] == set()
