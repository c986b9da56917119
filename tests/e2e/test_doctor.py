"""`orchestrate doctor`, the real command line on a local cloud: what it says, its exit status, what it costs."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.errors import Outcome
from orchestrator.local.faults import catalogue
from tests.e2e.canary import leaks, secrets_of
from tests.e2e.stage import Ended, Stage
from tests.unit.render.report.test_report import read
from tests.waiting import until

pytestmark = pytest.mark.cloud

MOST_CALLS = 60
"""For two tenants."""


def doctor(stage: Stage, *arguments: str) -> Ended:
    return stage.command("doctor", "--json", *arguments)


def further_pages(stage: Stage) -> int:
    """Calls so far that asked for a next page only: with a page of three items there are more of them than on AWS."""
    return sum(one["follows"] for one in stage.cloud.ask("calls") if "onyx-orchestrator" in one["agent"])


def findings(ended: Ended) -> list[dict[str, Any]]:
    return ended.of("finding-reported")


def test_a_healthy_stack(well: Stage) -> None:
    until("healthy", lambda: not findings(doctor(well)))
    before = further_pages(well)
    ended = doctor(well)
    assert ended.status == 0
    assert 0 < ended.last["aws_calls"] - (further_pages(well) - before) <= MOST_CALLS
    page = well.work / "doctor.html"
    text = well.command("doctor", "--html", str(page))
    assert "nothing wrong found (" in text.stdout
    assert text.status == 0
    shown = " ".join(read(page.read_text()).split())
    assert "What is broken" not in shown
    assert "Search index up nothing wrong found" in shown


def test_a_cause_with_what_follows_from_it(well: Stage) -> None:
    well.fault("missing-database", "customer-b")
    until("the tasks died of it", lambda: any(one["root"] for one in findings(doctor(well))))
    before = further_pages(well)
    page = well.work / "doctor.html"
    ended = doctor(well, "--html", str(page))
    shown = " ".join(read(page.read_text()).split())
    assert "Database of customer-b: " in shown
    assert "Fix: orchestrate run --tenant customer-b" in shown
    assert leaks(secrets_of(well), {"page": page.read_text()}) == []
    root, *rest = findings(ended)
    assert (root["code"], root["subject"], root["severity"], root["root"]) == (
        "database-missing",
        "customer-b",
        "blocker",
        "",
    )
    assert root["fix"] == "orchestrate run --tenant customer-b"
    assert root["evidence"]
    assert {one["root"] for one in rest} == {"database-missing"}
    assert {one["subject"] for one in rest} == {"customer-b"}
    assert ended.status == Outcome.FAILED.status
    assert ended.last["aws_calls"] - (further_pages(well) - before) <= MOST_CALLS
    assert findings(doctor(well, "--tenant", "customer-a")) == []
    well.direct().succeeded()


def test_a_warning_is_no_failure(well: Stage) -> None:
    well.fault("short-grace", "customer-a")
    ended = doctor(well)
    assert [one["code"] for one in findings(ended)] == ["grace-period-short"]
    assert ended.succeeded().status == 0


def test_a_failing_run_ends_with_the_verdict(well: Stage) -> None:
    well.fault("bucket-denied", "customer-b")
    ended = well.direct("--step-timeouts", "services=600")
    assert ended.status == Outcome.FAILED.status
    told = [one for one in findings(ended) if one["step"] == "doctor"]
    assert told[0]["code"] == "bucket-denied"
    assert "s3:PutObject" in " ".join(told[0]["evidence"])
    assert ended.last["event"] == "run-finished"


def test_no_secret_is_told(well: Stage) -> None:
    well.fault("secret-key-missing", "customer-a")
    ended = doctor(well)
    secret = well.secret(well.contract["tenants"]["customer-a"]["secret_arn"])
    assert findings(ended)[0]["code"] == "secret-key-missing"
    assert secret["pass"] not in ended.stdout + ended.stderr


def test_faults_made_by_hand_can_be_undone(well: Stage) -> None:
    """Cleared, each leaves the world as it was."""
    before = well.world()
    for name in ("database-port-closed", "listener-rule-missing", "dns-old-record"):
        well.fault(name, "customer-a" if catalogue()[name].per_tenant else "")
        assert findings(doctor(well)), name
        well.clear_faults()
    assert {key: value for key, value in well.world().items() if key != "commands"} == {
        key: value for key, value in before.items() if key != "commands"
    }


def test_a_certificate_that_sni_chooses_is_used(well: Stage) -> None:
    """DescribeListeners shows only the listener's default certificate, which here is for another name."""
    acm, elb = well.aws.client("acm"), well.aws.client("elbv2")
    listeners = elb.describe_listeners(LoadBalancerArn=well.contract["load_balancer"]["arn"])["Listeners"]
    listener = next(one for one in listeners if one["Protocol"] == "HTTPS")
    ours = listener["Certificates"]
    other = acm.request_certificate(DomainName="old.example.com", ValidationMethod="DNS")["CertificateArn"]
    try:
        elb.modify_listener(ListenerArn=listener["ListenerArn"], Certificates=[{"CertificateArn": other}])
        assert "certificate-not-used" in {one["code"] for one in findings(doctor(well))}
        elb.add_listener_certificates(ListenerArn=listener["ListenerArn"], Certificates=ours)
        (shown,) = elb.describe_listeners(ListenerArns=[listener["ListenerArn"]])["Listeners"]
        assert [one["CertificateArn"] for one in shown["Certificates"]] == [other]
        assert findings(doctor(well)) == []
    finally:
        elb.modify_listener(ListenerArn=listener["ListenerArn"], Certificates=ours)
        acm.delete_certificate(CertificateArn=other)
