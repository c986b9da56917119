"""Whether what a hostname points to is its own tenant's: rules, targets, databases."""

from __future__ import annotations

import pytest

from orchestrator.aws.listeners import DEFAULT, ListenerRule
from orchestrator.site import tenancy
from orchestrator.site.tenancy import PostgresEnvironment, SiteBackend, SiteOwners, TenantParts

A = TenantParts("a.example.org", "targetgroup/a/1", "onyx_a", "a-service")
B = TenantParts("b.example.org", "targetgroup/b/2", "onyx_b", "b-service")
OWNERS = SiteOwners({"a": A, "b": B}, ("db.example.org",))
GOOD = SiteBackend((A.target_group,), ("10.0.0.1",), ("10.0.0.1",))
OTHER = SiteBackend((B.target_group,), ("10.0.0.2",), ("10.0.0.2",))


def rule(priority: int, group: str, *hosts: str, conditional: bool = False) -> ListenerRule:
    return ListenerRule(443, priority, hosts, target_groups=(group,) if group else (), conditional=conditional)


OWN = rule(100, A.target_group, A.hostname)
FIXED = ListenerRule(443, DEFAULT, action="fixed-response")


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([OWN, FIXED], ""),
        ([FIXED], "listener-rule-missing"),
        ([], "listener-rule-missing"),
        ([rule(50, "targetgroup/x/9", "*.example.org"), OWN], "listener-rule-shadowed"),
        ([rule(50, B.target_group, "*.example.org"), OWN], "site-of-another-tenant"),
        (
            [ListenerRule(443, 100, (A.hostname,), target_groups=(A.target_group, "targetgroup/x/9"))],
            "listener-rule-divided",
        ),
        ([rule(100, A.target_group, A.hostname, conditional=True), FIXED], ""),
        (
            [rule(100, A.target_group, A.hostname, conditional=True), rule(200, B.target_group, "*")],
            "site-of-another-tenant",
        ),
        (
            [ListenerRule(443, 100, (A.hostname,), True, (A.target_group,), paths=("/app",)), FIXED],
            "listener-rule-missing",
        ),
        ([ListenerRule(80, 1, (A.hostname,), target_groups=("targetgroup/x/9",)), OWN], ""),
    ],
)
def test_the_first_rule_that_matches_decides(rules: list[ListenerRule], code: str) -> None:
    found = tenancy.misled("a", "/", OWNERS, rules, GOOD)
    assert (found.code if found else "") == code


@pytest.mark.parametrize(
    ("backend", "code"),
    [
        (GOOD, ""),
        (SiteBackend((A.target_group,), ("10.0.0.2",), ("10.0.0.1",)), "site-of-another-tenant"),
        (SiteBackend((A.target_group,), ("10.0.0.9",), ("10.0.0.1",)), "target-foreign"),
        (SiteBackend((A.target_group,), ("i-0a",), ("10.0.0.1",)), ""),
        (SiteBackend(connections=(PostgresEnvironment("api", "DB.example.org.", "onyx_a"),)), ""),
        (SiteBackend(connections=(PostgresEnvironment("api", None, "onyx_b"),)), "site-of-another-tenant"),
        (SiteBackend(connections=(PostgresEnvironment("api", None, "postgres"),)), "database-foreign"),
        (SiteBackend(connections=(PostgresEnvironment("api", "elsewhere.example", None),)), "database-foreign"),
        (SiteBackend(connections=(PostgresEnvironment("api", None, None),)), ""),
    ],
)
def test_targets_and_databases_are_the_tenants_own(backend: SiteBackend, code: str) -> None:
    found = tenancy.mixed_up("a", OWNERS, {"a": backend, "b": OTHER})
    assert (found.code if found else "") == code


def test_another_service_in_the_tenants_target_group_is_the_worst() -> None:
    mixed = SiteBackend((A.target_group, B.target_group), ("10.0.0.2",), ("10.0.0.2",))
    found = tenancy.mixed_up("a", OWNERS, {"a": GOOD, "b": mixed})
    assert found is not None
    assert found.code == tenancy.MIXED
