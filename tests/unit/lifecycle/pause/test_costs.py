"""The estimate of what a stack costs running and paused; the page that shows it says what the table of prices says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.aws.inventory import TaskSize, Volume
from orchestrator.lifecycle.pause.costs import StackSizes, estimate, prices

PAGE = Path(__file__).parents[4] / "docs" / "explanation" / "pause-or-destroy.md"
EXAMPLE = StackSizes(
    region="us-west-2",
    tasks=((1, TaskSize(1024, 3072)), (1, TaskSize(1024, 3072))),
    database="db.t4g.small",
    storage=Volume("gp3", 20),
    instances=("t3.large", "t3.large"),
    volumes=(Volume("gp3", 30), Volume("gp3", 50), Volume("gp3", 30), Volume("gp3", 50)),
    cache_nodes=("cache.t4g.small",),
    nat_gateways=1,
    public_addresses=3,
)
"""The stack of terraform/ with two tenants."""


def test_the_page_shows_the_example_stack_as_the_table_prices_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    seen = estimate(EXAMPLE)
    rows = re.findall(r"^\| ([^|]+?) +\| \$([\d.]+) +\| \$([\d.]+) +\|$", text, re.MULTILINE)
    lines = [(line.what, f"{line.running:.2f}", f"{line.paused:.2f}") for line in seen.lines]
    assert rows == [*lines, ("**together**", f"{seen.running:.2f}", f"{seen.paused:.2f}")]
    assert f"prices of {seen.region}, {seen.as_of}" in text
    assert f"~${seen.paused:.0f}" in text


def test_elasticache_costs_the_same_and_what_is_stopped_nothing() -> None:
    lines = {line.what.split()[0]: line for line in estimate(EXAMPLE).lines}
    assert lines["ElastiCache"].paused == lines["ElastiCache"].running > 0
    for stopped in ("Fargate,", "EC2"):
        assert lines[stopped].paused == 0 < lines[stopped].running


def test_a_server_with_replicas_goes_on_costing_and_two_zones_cost_twice() -> None:
    def line(held: StackSizes) -> tuple[float, float]:
        (one,) = [one for one in estimate(held).lines if one.what == "RDS db.t4g.small"]
        return one.running, one.paused

    once, _ = line(EXAMPLE)
    assert line(replace(EXAMPLE, stoppable=False)) == (once, once)
    assert line(replace(EXAMPLE, multi_az=True)) == (2 * once, 0)


def test_of_one_tenant_s_pause_only_its_tasks_are_saved() -> None:
    whole, one = estimate(EXAMPLE), estimate(replace(EXAMPLE, whole=False, staying=EXAMPLE.tasks[:1]))
    assert one.running == whole.running
    assert one.running - one.paused == pytest.approx(730 * (0.04048 + 3 * 0.004445))


def test_what_the_table_doesn_t_know_is_said() -> None:
    seen = estimate(replace(EXAMPLE, region="eu-north-1", database="db.x99.huge", cache_nodes=("cache.new",)))
    assert seen.unpriced == ("db.x99.huge", "cache.new")
    assert "prices of us-west-2" in str(seen)
    assert "without db.x99.huge, cache.new" in str(seen)


def test_the_table_is_dated_and_says_where_it_is_from() -> None:
    table = prices()
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", table["as_of"])
    assert "aws.amazon.com" in table["source"]
    assert table["default_region"] in table["regions"]
    assert set(table["regions"].values()) == set(table["tables"])


sizes = st.builds(TaskSize, st.sampled_from([256, 1024, 4096]), st.sampled_from([512, 3072]))
stack_sizes = st.builds(
    StackSizes,
    region=st.sampled_from(["us-west-2", "ap-south-1"]),
    tasks=st.lists(st.tuples(st.integers(0, 9), sizes), max_size=4).map(tuple),
    database=st.sampled_from(["db.t4g.small", "db.unknown"]),
    storage=st.builds(Volume, st.sampled_from(["gp2", "gp3"]), st.integers(0, 1000)),
    multi_az=st.booleans(),
    stoppable=st.booleans(),
    instances=st.lists(st.sampled_from(["t3.large", "unknown"]), max_size=3).map(tuple),
    nat_gateways=st.integers(0, 3),
)


@given(stack_sizes)
def test_a_pause_never_costs_more(held: StackSizes) -> None:
    seen = estimate(held)
    assert 0 <= seen.paused <= seen.running
    assert all(0 <= line.paused <= line.running for line in seen.lines)
