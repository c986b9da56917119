"""What a spectator sees of Terraform's output."""

from __future__ import annotations

import pytest

from orchestrator.local.stories.demo.progress import EVERY, Applying, Changes, LineFilter


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Plan: 61 to add, 0 to change, 0 to destroy.", True),
        ("Destroy complete! Resources: 61 destroyed.", True),
        ("module.postgres.aws_db_instance.this: Creation complete after 1m20s [id=db-A]", True),
        ('module.vespa["customer-a"].aws_instance.this: Destruction complete after 0s', True),
        ("module.network.aws_vpc.this: Creation complete after 1s [id=vpc-1]", False),
        ('  + resource "aws_vpc" "this" {', False),
        ("module.network.aws_vpc.this: Creating...", False),
    ],
)
def test_summaries_and_the_notable_resources_are_shown(line: str, *, shown: bool) -> None:
    assert (LineFilter(clock=lambda: 0.0)(line) is not None) == shown


def test_what_goes_on_is_told_at_intervals() -> None:
    now = EVERY
    progress = LineFilter(clock=lambda: now)
    assert progress("aws_lb.this: Still creating... [10s elapsed]") == "… 0 done; aws_lb.this 10s"
    assert progress("aws_db_instance.this: Still destroying... [id=db, 10s elapsed]") is None
    assert progress("aws_lb.this: Creation complete after 12s [id=x]") == "aws_lb.this (12s)"
    now += EVERY
    assert (
        progress("aws_db_instance.this: Still destroying... [id=db, 20s elapsed]")
        == "… 1 done; aws_db_instance.this 20s"
    )


def test_of_an_apply_the_steps_are_shown_whole_and_the_plan_as_its_summary() -> None:
    said = """17:46:51 … terraform        initialised

Terraform used the selected providers to generate the following execution
  # aws_ecs_cluster.this will be created
Plan: 97 to add, 0 to change, 0 to destroy.
Changes to Outputs:
  + vpc_id = (known after apply)

The stack does not exist yet. After Terraform, these steps follow:
  runner             the runner instance answers
17:47:54 … terraform        module.network.aws_vpc.this: Creation complete after 2s [id=vpc-1]
17:49:19 … terraform        module.load_balancer.aws_lb.this: Creation complete after 1m0s [id=x]
17:49:19 ✓ terraform        97 added, 0 changed, 0 destroyed (changed: 97)
17:49:25 … redis-auth       set the token of onyx-prod-redis"""
    applying = Applying(LineFilter(clock=lambda: 0.0))
    assert [shown for line in said.splitlines() if (shown := applying(line))] == [
        "(the plan, resource by resource, is left out here)",
        "Plan: 97 to add, 0 to change, 0 to destroy.",
        "The stack does not exist yet. After Terraform, these steps follow:",
        "  runner             the runner instance answers",
        "module.load_balancer.aws_lb.this (1m0s)",
        "17:49:19 ✓ terraform        97 added, 0 changed, 0 destroyed (changed: 97)",
        "17:49:25 … redis-auth       set the token of onyx-prod-redis",
    ]


def test_of_a_story_what_changed_is_shown_of_one_tenant_and_all_that_failed() -> None:
    said = """17:46:51 orchestrate apply: stack onyx-prod
Plan: 97 to add, 0 to change, 0 to destroy.
The stack does not exist yet. After Terraform, these steps follow:
17:49:19 ✓ terraform        97 added, 0 changed, 0 destroyed (changed: 97)
17:49:20 ✓ database-server  onyx-prod-postgres is available
17:49:25 … redis-auth       set the token of onyx-prod-redis
17:49:26 ✓ redis-auth       onyx-prod-redis accepts its token: (tried over TLS) (changed: 2)
17:49:27 ✓ dns-records      customer-a: a.example.com → lb (changed: 1)
17:49:27 ✓ dns-records      customer-b: b.example.com → lb (changed: 1)
17:49:28 ✗ services         customer-b: its task dies [out-of-memory]
17:49:28 ! services         a finding
17:49:30 timed-out, changed: 100, 171.8 s, 109 AWS calls
tenant      state  why"""
    lines = said.splitlines()
    changes = Changes()
    assert [shown for line in lines if (shown := changes(line))] == [lines[at] for at in (3, 6, 7, 9, 10, 11)]
