"""Of few tenants all are looked into, of many a sample: another one in each command."""

from __future__ import annotations

from orchestrator.engine.close_looks import FEW, SAMPLE, CloseLooks

TENANTS = [f"tenant-{number:03}" for number in range(500)]


def test_of_few_nobody_is_spared() -> None:
    assert CloseLooks(FEW, "a").spared(TENANTS[:FEW]) == frozenset()
    assert CloseLooks().spared(TENANTS) == frozenset()


def test_of_many_a_sample_is_looked_into() -> None:
    assert len(CloseLooks(FEW, "a").spared(TENANTS)) == len(TENANTS) - SAMPLE


def test_who_was_named_is_never_spared() -> None:
    for seed in "abc":
        assert "tenant-123" not in CloseLooks(FEW, seed, frozenset({"tenant-123"})).spared(TENANTS)


def test_one_command_asks_all_about_the_same_ones() -> None:
    """Those who are not drawn among all aren't drawn among fewer, unless places are left."""
    close = CloseLooks(FEW, "a")
    drawn = set(TENANTS) - close.spared(TENANTS)
    fewer = [one for one in TENANTS if one not in TENANTS[:100]]
    assert drawn & set(fewer) <= set(fewer) - close.spared(fewer)


def test_each_command_draws_others_until_everybody_was() -> None:
    drawn: set[str] = set()
    for number in range(200):
        drawn |= set(TENANTS) - CloseLooks(FEW, str(number)).spared(TENANTS)
    assert drawn == set(TENANTS)
