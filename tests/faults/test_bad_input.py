"""Whatever is given as contract or settings: accepted, or every defect with its place; never a traceback."""

from __future__ import annotations

import base64
import copy
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from orchestrator.cli import main
from orchestrator.errors import Invalid, Problem
from orchestrator.events import StepFailed
from orchestrator.render.jsonl import emitter
from orchestrator.render.terminal import Terminal
from orchestrator.settings import SETTINGS, Settings
from orchestrator.stack import contract, encoding
from tests.faults.figures import sized, tell
from tests.unit.stack.test_contract import good

EXAMPLES = sized(5_000, 100)
many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
some = settings(many, max_examples=max(EXAMPLES // 25, 20))
now = lambda: datetime(2026, 1, 1, tzinfo=UTC)  # noqa: E731

TEXT = st.text() | st.text(st.characters(categories=["Cc", "Cs", "Cf"]), max_size=5) | st.just("x" * 100_000)
NUMBER = st.integers() | st.floats() | st.sampled_from((10**400, -1, 0, 1e308))
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)


def clear(problems: Iterator[Problem] | Any) -> None:
    """Each has code, words, place and fix, and can be shown to people and to programs, whatever is in it."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    for problem in problems:
        assert all((problem.code, problem.message, problem.context, problem.fix)), problem
        failed = StepFailed(
            step="run", detail=problem.message, code=problem.code, fix=problem.fix, context=problem.context
        )
        Terminal(out, now).emit(failed)
        emitter(out, now)(failed)


def leaves(document: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The places of a contract's plain values."""
    for key, value in document.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


PLACES = sorted(set(leaves(good())) - {("schema",)})


def put(document: Any, path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        document = document[key]
    document[path[-1]] = value


@many
@given(defects=st.dictionaries(st.sampled_from(PLACES), JSON, min_size=1, max_size=5))
def test_anything_anywhere_in_a_contract(defects: Mapping[tuple[str, ...], Any]) -> None:
    document = copy.deepcopy(good())
    for path, value in defects.items():
        put(document, path, value)
    try:
        encoding.decode(json.dumps(document), "test")
    except Invalid as error:
        clear(error.problems)


NULLABLE = frozenset({"admin_secret_arn", "instance", "log_group", "secret_arn"})
"""What a stack need not have; a server of RDS has an `instance` or a `cluster` (tests/unit/stack/test_contract.py)."""
WRONG: st.SearchStrategy[Any] = st.sampled_from(([], {}, True, None, "", "\0", 1.5, "\ud800", ["x"], {"x": {}}))


@many
@given(
    places=st.sets(st.sampled_from([one for one in PLACES if one[-1] not in ("ttl", "port")]), min_size=1, max_size=8),
    wrong=WRONG,
)
def test_every_defect_is_named_with_its_place(places: set[tuple[str, ...]], wrong: Any) -> None:
    document = copy.deepcopy(good())
    places = {one for one in places if wrong is not None or one[-1] not in NULLABLE}
    assume(places)
    for path in places:
        put(document, path, wrong)
    with pytest.raises(Invalid) as caught:
        contract.parse(document, "test")
    named = {problem.context.removeprefix("test: ") for problem in caught.value.problems}
    missing = [path for path in places if not any(one.startswith(".".join(path)) for one in named)]
    assert not missing, (missing, named)
    clear(caught.value.problems)


def _packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(errors="surrogatepass"))).decode()


@many
@given(
    text=TEXT
    | JSON.map(json.dumps)
    | st.binary().map(lambda data: base64.b64encode(data).decode())
    | st.sampled_from(
        ("[" * 100_000, '{"a":' * 100_000, '{"schema": ' + "1" * 5_000 + "}", "{" + "\0" * 10, _packed("[" * 100_000))
    ),
    form=st.sampled_from((str, _packed)),
)
def test_any_text_as_a_contract(text: str, form: Callable[[str], str]) -> None:
    with pytest.raises(Invalid) as caught:
        encoding.decode(form(text), "test")
    clear(caught.value.problems)


@many
@given(names=st.lists(TEXT, min_size=1, max_size=3, unique=True))
def test_any_name_of_a_tenant(names: list[str]) -> None:
    document = good()
    document["tenants"] |= {name: {**document["tenants"]["a"]} for name in names}
    with pytest.raises(Invalid) as caught:
        encoding.decode(json.dumps(document), "test")
    clear(caught.value.problems)


def toml(value: Any) -> str:
    """JSON is nearly TOML: tables and lists on one line, no null."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(str(key))} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value) if isinstance(value, str | bool) else str(value).replace("None", '""')


ODD = st.sampled_from(
    ("~nobody-of-that-name/x", "a\0b", "/" + "x" * 5_000, "nan", "inf", "-1", "1e400", ":", "[::1]:0", "a=b,,=", "٣")
)
NAMES = st.sampled_from(sorted(SETTINGS)) | st.text(max_size=10)


@many
@given(
    table=st.dictionaries(NAMES, JSON | ODD, max_size=4),
    flags=st.dictionaries(st.sampled_from(sorted(SETTINGS)), TEXT | ODD, max_size=3),
    variables=st.dictionaries(st.sampled_from(sorted(SETTINGS)), TEXT | ODD, max_size=3),
)
def test_anything_as_settings(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, Any], flags: dict[str, str], variables: dict[str, str]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    text = "".join(f"{toml(name)} = {toml(value)}\n" for name, value in table.items())
    (folder / "orchestrate.toml").write_text(text, encoding="utf-8", errors="surrogatepass")
    environment = {SETTINGS[name].variable: value for name, value in variables.items()}
    try:
        chosen = Settings({name.replace("-", "_"): value for name, value in flags.items()}, environment, folder)
    except Invalid as error:
        clear(error.problems)
    else:
        assert chosen.all().keys() == SETTINGS.keys()


@many
@given(
    data=st.binary()
    | st.sampled_from((b"poll = " + b"[" * 100_000, b"poll = " + b"9" * 5_000, b"\xff\xfe", b"a=1\na=2"))
)
def test_any_bytes_as_a_settings_file(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "orchestrate.toml").write_bytes(data)
    try:
        Settings(directory=folder)
    except Invalid as error:
        clear(error.problems)


@some
@given(document=JSON | st.dictionaries(st.sampled_from(PLACES), JSON, min_size=1, max_size=3), as_json=st.booleans())
def test_the_command_line_ends_with_2_and_no_traceback(
    tmp_path_factory: pytest.TempPathFactory, capfd: pytest.CaptureFixture[str], document: Any, as_json: bool
) -> None:
    """`orchestrate run` with a contract that has no valid database name, whatever else is in it."""
    if isinstance(document, dict) and all(isinstance(path, tuple) for path in document):
        defects, document = document, copy.deepcopy(good())
        for path, value in defects.items():
            put(document, path, value)
        put(document, ("tenants", "a", "database"), "template1")
    folder: Path = tmp_path_factory.getbasetemp() / "empty"
    folder.mkdir(exist_ok=True)
    file = folder / "contract.json"
    file.write_text(json.dumps(document))
    with pytest.raises(SystemExit) as ended:
        main(["run", "--contract", str(file), "--chdir", str(folder), *(["--json"] if as_json else [])])
    said = capfd.readouterr()
    assert ended.value.code == 2
    assert "Traceback" not in said.out + said.err
    assert "contract-" in said.out


def test_the_figure() -> None:
    tell(f"bad input: {EXAMPLES} examples of each of 6 kinds, {max(EXAMPLES // 25, 20)} command lines, no traceback")
