"""What answers and is not the tenant's site: no run calls it a success, and each is told by its name.

A WAF that refuses everybody, a login provider, a page with 200, a rule, a task or a whole task definition of another
tenant: all of them answer, most with 200.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.stage import Ended, Stage
from tests.waiting import until

pytestmark = pytest.mark.cloud
SICK, WELL = "customer-a", "customer-b"


@pytest.fixture
def stack(alive: Stage) -> Iterator[Stage]:
    """Alive, and alive again afterwards."""
    yield alive
    alive.clear_faults()


def looked(stack: Stage) -> Ended:
    """One look of every step: what a visitor would meet decides."""
    return stack.command("status", "--database-transport", "direct", "--json")


def code(ended: Ended, tenant: str) -> set[str]:
    return {one["code"] for one in ended.of("step-failed", "sites", tenant)}


@pytest.mark.parametrize(
    ("fault", "tenant", "expected", "says"),
    [
        ("waf-refuses", "", "site-refuses", "403"),
        ("login-required", SICK, "site-redirects", "login.example.com"),
        ("maintenance-page", SICK, "listener-rule-missing", "rule 100"),
        ("rule-to-another-tenant", SICK, "site-of-another-tenant", WELL),
        ("another-tenants-target", SICK, "site-of-another-tenant", f"a task of {WELL}"),
    ],
)
def test_it_answers_and_is_no_success(stack: Stage, fault: str, tenant: str, expected: str, says: str) -> None:
    stack.fault(fault, tenant)
    ended = looked(stack)
    assert (ended.status, code(ended, SICK)) == (1, {expected}), ended.stdout
    failed = ended.of("step-failed", "sites", SICK)[0]
    assert says in failed["detail"]
    assert failed["fix"]
    assert code(ended, WELL) == ({expected} if not tenant else set())


def test_another_tenants_task_definition(stack: Stage) -> None:
    """All is healthy, and customer-a's visitors read customer-b's documents."""
    stack.fault("another-tenants-definition", SICK)
    until("its tasks run", lambda: len(stack.service(SICK)["deployments"]) == 1)
    ended = looked(stack)
    assert (ended.status, code(ended, SICK), code(ended, WELL)) == (1, {"site-of-another-tenant"}, set()), ended.stdout
    assert "onyx_customer_b" in ended.of("step-failed", "sites", SICK)[0]["detail"]
    stack.clear_faults()
    until("its own tasks run", lambda: len(stack.service(SICK)["deployments"]) == 1)


def test_what_is_expected_is_the_contracts_to_say(stack: Stage) -> None:
    """Onyx's own sign-in page, as the contract asks; and a path of one tenant's alone."""
    page = stack.changed(health_path="/", health_mark="Welcome to Onyx")
    ended = stack.direct("--only", "sites", contract=page).succeeded()
    assert all("answers with HTTP 200" in one["detail"] for one in ended.of("step-done", "sites"))
    own = stack.changed(tenants__customer_a__health_path="/nowhere", tenants__customer_a__health_mark="no such page")
    ended = stack.direct("--only", "sites", contract=own)
    assert (ended.status, code(ended, SICK), code(ended, WELL)) == (1, {"site-other-answer"}, set())


def test_a_run_ends_in_it(stack: Stage) -> None:
    """A rule that was changed a moment ago may be read as it was: that is waited for, and then it is hopeless."""
    stack.fault("rule-to-another-tenant", SICK)
    ended = stack.direct("--only", "services", "--only", "sites", "--step-timeouts", "services=600,sites=600")
    assert (ended.status, code(ended, SICK), code(ended, WELL)) == (1, {"site-of-another-tenant"}, set()), ended.stdout
    assert [one["subject"] for one in ended.of("step-done", "sites")] == [WELL]
    done = ended.of("step-done", "sites", WELL)[0]["detail"]
    assert "rule, targets and database onyx_customer_b are its own" in done
