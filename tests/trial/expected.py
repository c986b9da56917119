"""What each command line of the docs says on a stack of the local cloud, or where it is tried instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """`says` are parts of its output, in their order. `run` is what is typed in its place, where it names something
    that isn't here; `elsewhere` says where it is tried, if not here. `long`: only by `make trial`.
    """

    command: str
    says: tuple[str, ...] = ()
    status: int = 0
    run: str = ""
    elsewhere: str = ""
    long: bool = False


TERRAFORM = "needs Terraform's state: `make demo`, `make roundtrip` and tests/terraform type it"
KEYS = "needs another provider's keys: tests/e2e/test_dns.py"
ACCOUNT = "needs an account: `make smoke`"
DOCKER = "needs Docker: `make image-rehearsal` runs the Dockerfile's steps without it"
UPGRADE = "it waits for a person: `make upgrade` and tests/e2e/test_upgrade.py type it"
FLEET = "tests/fleet types it, at three stacks"
BOTH_UP = ("customer-a", "up", "customer-b", "up")
DEPLOY = (
    "aws ecs update-service --cluster onyx-prod-cluster --service customer-b-prod-service "
    "--force-new-deployment > /dev/null"
)
OUTPUTS = """printf '{{"orchestrator": {{"value": %s}}}}' "$(cat contract.json)\""""
"""What `terraform output -json` says of a stack with our output."""

TUTORIAL_ENDS = "cd -"
"""From here on the tutorial takes the cloud down."""

EXPECTED: Mapping[str, Sequence[Line]] = {
    "README.md": (
        Line("make demo", elsewhere="CI"),
        Line("make test", elsewhere="CI"),
        Line("orchestrate init", elsewhere=TERRAFORM),
        Line("orchestrate preflight", elsewhere=TERRAFORM),
        Line("orchestrate apply", elsewhere=TERRAFORM),
        Line("orchestrate doctor", says=("succeeded",)),
    ),
    "docs/tutorial.md": (
        Line("make setup", elsewhere="it has set up what runs this"),
        Line("source .venv/bin/activate", run="source {root}/.venv/bin/activate"),
        Line(
            "orchestrate local up --stack",
            run="orchestrate local up --stack --speed 100",
            says=("is up: http://127.0.0.1:", "Making a stack with 2 tenants", "succeeded", *BOTH_UP, "Use it: eval"),
        ),
        Line('eval "$(orchestrate local env)" && cd .orchestrate/local/default/stack'),
        Line("orchestrate status", says=("succeeded", "database", "up", *BOTH_UP)),
        Line(
            "aws ecs describe-services --cluster onyx-prod-cluster --services customer-a-prod-service "
            "--query 'services[0].{running: runningCount, desired: desiredCount}'",
            says=('"running": 1', '"desired": 1'),
        ),
        Line(
            "orchestrate local fault missing-database --tenant customer-a",
            says=("faults on: missing-database (customer-a)",),
        ),
        Line("orchestrate status", status=6, says=("tenant-databases customer-a: ", "pending", "customer-b", "up")),
        Line("orchestrate run", says=("onyx_customer_a exists", "succeeded", *BOTH_UP)),
        Line("orchestrate history last --open", says=("written: ",)),
        Line("orchestrate local fault oom --tenant customer-b", says=("oom (customer-b)",)),
        Line(DEPLOY),
        Line(
            'orchestrate run; echo "exit status $?"',
            says=("services", "customer-b: ", "[out-of-memory]", "fix: ", "customer-a", "up", "exit status 1"),
        ),
        Line("orchestrate local fault --clear", says=("faults on: none",)),
        Line(DEPLOY),
        Line("orchestrate run", says=("succeeded", *BOTH_UP)),
        Line("cd -", says=("/",)),
        Line("orchestrate local down", says=("is down",)),
        Line("make demo", elsewhere="CI"),
    ),
    "docs/how-to/back-up-destroy-restore.md": (
        Line("orchestrate backup", says=("sealed", "succeeded")),
        Line("orchestrate backup --stop-services", says=("succeeded",), long=True),
        Line("orchestrate backup --stop-services --dump", says=("succeeded",), long=True),
        Line("orchestrate backup --list", says=("onyx-prod",)),
        Line("orchestrate backup --verify last", says=("succeeded",)),
        Line("orchestrate backup --prune 7", says=("succeeded",)),
        Line("orchestrate destroy -var-file=prod.tfvars", elsewhere=TERRAFORM),
        Line("orchestrate restore -var-file=prod.tfvars", elsewhere=TERRAFORM),
        Line(
            "orchestrate restore s3://onyx-prod-backups-…/20260101-120000/manifest.json -var-file=prod.tfvars",
            elsewhere=TERRAFORM,
        ),
        Line("orchestrate restore -var-file=prod.tfvars", elsewhere=TERRAFORM),
        Line(
            "orchestrate restore -var-file=prod.tfvars --allow-loss database:onyx_customer_a@3f9a… --allow-loss …",
            elsewhere=TERRAFORM,
        ),
    ),
    "docs/how-to/before-it-hurts.md": (
        Line("orchestrate plan -var-file=production.tfvars", elsewhere=TERRAFORM),
        Line(
            "orchestrate apply --allow-loss database:onyx_customer_a --allow-loss database-server:onyx-prod-postgres",
            elsewhere=TERRAFORM,
        ),
        Line("orchestrate preflight", elsewhere=TERRAFORM),
        Line("orchestrate preflight the.plan", elsewhere=TERRAFORM),
        Line(
            "orchestrate preflight plan.json",
            run="gunzip -c {root}/tests/corpus/count-tenants/plan.json.gz > plan.json; orchestrate preflight plan.json",
            status=3,
            says=("✗", "fix", "refused"),
        ),
        Line("orchestrate preflight --destroy", elsewhere=TERRAFORM),
        Line("orchestrate plan --format markdown > plan.md", elsewhere=TERRAFORM),
        Line("orchestrate preflight --format markdown > preflight.md", elsewhere=TERRAFORM),
    ),
    "docs/how-to/call-from-python.md": (),
    "docs/how-to/call-from-terraform-and-make.md": (
        Line(
            "terraform apply -var run_orchestrate=true -var orchestrate_command=/path/to/.venv/bin/orchestrate",
            elsewhere=TERRAFORM,
        ),
        Line("terraform apply", elsewhere=TERRAFORM),
        Line("terraform apply -invoke=module.orchestrate.action.local_command.backup", elsewhere=TERRAFORM),
    ),
    "docs/how-to/ci.md": (
        Line("docker build -t orchestrate .", elsewhere=DOCKER),
        Line(
            'docker run --rm -v "$PWD:/work" -v ~/.aws:/home/orchestrate/.aws:ro orchestrate status', elsewhere=DOCKER
        ),
    ),
    "docs/how-to/day-by-day.md": (
        Line("orchestrate init", elsewhere=TERRAFORM),
        Line("orchestrate preflight", elsewhere=TERRAFORM),
        Line("orchestrate plan", elsewhere=TERRAFORM),
        Line("orchestrate apply", elsewhere=TERRAFORM),
        Line("orchestrate run", says=("changed: 0",)),
        Line(
            "orchestrate run --canary acme --max-parallel 10 --stop-after-failures 3",
            run="orchestrate run --canary customer-a --max-parallel 10 --stop-after-failures 3",
            says=("succeeded", *BOTH_UP),
        ),
        Line("orchestrate run --failed", says=("succeeded",)),
        Line("orchestrate status --watch", says=BOTH_UP),
        Line("orchestrate doctor --fix", says=("succeeded",)),
        Line("orchestrate logs --since 1h --grep ERROR"),
        Line("orchestrate dns plan", says=("dns-records", "customer-a: demo.vigilon.app → ", "succeeded")),
        Line("orchestrate history", says=("run", "outcome", "changed", "doctor", "run", "succeeded", "failed")),
        Line("orchestrate config", says=("resolver", "127.0.0.1:")),
        Line("orchestrate policy run", says=('"Statement"', "ecs:DescribeServices")),
        Line("orchestrate pause", elsewhere="docs/how-to/pause-for-the-night.md types it"),
        Line("orchestrate backup", elsewhere="docs/how-to/back-up-destroy-restore.md types it"),
        Line("orchestrate destroy", elsewhere=TERRAFORM),
        Line("orchestrate restore", elsewhere=TERRAFORM),
        Line("orchestrate local up", says=("was already up",), run="(cd {home} && orchestrate local up)"),
        Line('eval "$(orchestrate local env)"'),
        Line("orchestrate local faults", says=("missing-database", "oom")),
        Line("orchestrate local down", elsewhere="the tutorial types it, at its end"),
    ),
    "docs/how-to/dns-porkbun.md": (
        Line("export PORKBUN_API_KEY=… PORKBUN_SECRET_API_KEY=…", elsewhere=KEYS),
        Line("orchestrate dns plan", elsewhere=KEYS),
        Line("orchestrate dns apply", elsewhere=KEYS),
    ),
    "docs/how-to/dns-route53.md": (
        Line("orchestrate dns plan", says=("succeeded",)),
        Line("orchestrate dns apply", says=("changed: 0",)),
        Line("orchestrate dns check", says=("says demo.vigilon.app → ", "succeeded")),
        Line("orchestrate dns undo", elsewhere="the sites would be gone: tests/e2e/test_dns.py"),
        Line("orchestrate certificate", says=("succeeded",)),
    ),
    "docs/how-to/first-real-account.md": (
        Line("scripts/smoke-aws --region us-west-2", elsewhere=ACCOUNT),
        Line("scripts/smoke-aws --hostname smoke.example.com --zone example.com", elsewhere=ACCOUNT),
        Line(".venv/bin/python -m tests.local.compare smoke-aws.jsonl", elsewhere=ACCOUNT),
    ),
    "docs/how-to/from-one-stack-to-a-fleet.md": (
        Line(
            "orchestrate fleet up",
            says=("lists 3 stacks",),
            run="cd {home} && orchestrate fleet up",
            long=True,
        ),
        Line("orchestrate fleet run --fleet local-fleet/fleet.toml", says=("succeeded",), long=True),
        Line("orchestrate fleet status --label env=prod", elsewhere=FLEET),
        Line("orchestrate fleet run --wave 1,10%,rest --stop-after-failures 2", elsewhere=FLEET),
        Line("orchestrate fleet run --failed", elsewhere=FLEET),
        Line("orchestrate fleet pause --label env=demo", elsewhere=FLEET),
        Line("orchestrate fleet list", elsewhere=FLEET),
        Line("export ORCHESTRATE_FLEET_DATABASE=postgresql://fleet@db.example/fleet", elsewhere=FLEET),
        Line("orchestrate fleet worker &", elsewhere=FLEET),
        Line("orchestrate fleet run", elsewhere=FLEET),
        Line(
            'orchestrate fleet schedule "pause label=demo at 20:00 Mon-Fri Europe/Zurich, resume at 07:00, '
            'not on holidays.ics"',
            elsewhere=FLEET,
        ),
        Line("orchestrate fleet schedule", elsewhere=FLEET),
        Line("orchestrate fleet schedule --remove", elsewhere=FLEET),
        Line("orchestrate fleet watch --every 15", elsewhere=FLEET),
    ),
    "docs/how-to/least-permissions.md": (
        Line("orchestrate policy status doctor > look.json"),
        Line("orchestrate policy run --zone-id Z0123456789ABC > run.json"),
        Line("orchestrate policy pause resume > night.json"),
        Line('orchestrate policy "doctor --fix" logs tasks shell > repair.json'),
        Line(
            "aws iam create-policy --policy-name onyx-prod-run --policy-document file://run.json",
            says=("policy/onyx-prod-run",),
        ),
    ),
    "docs/how-to/look-and-repair.md": (),
    "docs/how-to/pause-for-the-night.md": (
        Line("orchestrate pause", says=("succeeded",)),
        Line("orchestrate status", says=("paused", "customer-a", "paused")),
        Line("orchestrate resume", says=("succeeded", *BOTH_UP)),
        Line("orchestrate pause --keep-paused", says=("changed: 0",)),
    ),
    "docs/how-to/terraform-elsewhere.md": (
        Line(
            "terraform output -json | orchestrate run --contract -",
            run=OUTPUTS + " | orchestrate run --contract -",
            says=("changed: 0", *BOTH_UP),
        ),
        Line("terragrunt apply", elsewhere="needs Terragrunt"),
        Line("orchestrate init --chdir .terragrunt-cache/…/…", elsewhere="needs Terragrunt"),
    ),
    "docs/how-to/upgrade-onyx.md": (
        Line("orchestrate upgrade customer-a --plan", says=("it runs v2.0.0", "v2.0.0 → v3.2.1", "v3.2.1 → v4.6.1")),
        Line("orchestrate upgrade customer-a", elsewhere=UPGRADE),
        Line("orchestrate upgrade", elsewhere=UPGRADE),
        Line(
            "terraform apply -target='module.opensearch[\"customer-a\"]' "
            "-target='module.tenant[\"customer-a\"].aws_vpc_security_group_ingress_rule.from_tasks' "
            "-target='module.tenant[\"customer-a\"].aws_ecs_task_definition.this' "
            "-target='module.tenant[\"customer-a\"].aws_ecs_task_definition.worker'",
            elsewhere=TERRAFORM,
        ),
        Line("orchestrate upgrade customer-a --back", elsewhere=UPGRADE),
        Line("orchestrate upgrade customer-a --finish", elsewhere=UPGRADE),
    ),
    "docs/how-to/use-on-your-stack.md": (
        Line("orchestrate init", elsewhere=TERRAFORM),
        Line("orchestrate contract", says=("stack", "contract.json", "onyx-prod", "tenants.customer-a.hostname")),
        Line("orchestrate status", says=BOTH_UP),
        Line("orchestrate apply", elsewhere=TERRAFORM),
        Line(
            "orchestrate init --set runner=aws_instance.jump --set dns.provider=porkbun --set dns.zone=example.com",
            elsewhere=TERRAFORM,
        ),
        Line(
            """echo '{"runner": "aws_instance.jump", "tenants": {"web": {"role": "shop"}}}' > answers.json""",
            elsewhere=TERRAFORM,
        ),
        Line("orchestrate init --answers answers.json", elsewhere=TERRAFORM),
    ),
    "docs/how-to/write-a-dns-provider.md": (),
}
