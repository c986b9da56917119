"""The story on a cloud that nobody here wrote: `python -m tests.second_cloud`. Its last line is `N passed, N failed`.
With `write`, what its answers lack beside AWS's is written down anew (tests/answers/ministack.json).

Real Terraform puts the stack with twelve tenants on ministack; then run, run again, doctor, pause, resume, backup and
destroy. ministack pages, names and checks in its own way, so what agrees only with our own local cloud shows here.

What it can't show: tasks always run and targets are always healthy, a load balancer listens nowhere (`edge` answers
for it), Redis has no data (so that its token is not proven by a login), a stopped database goes on answering, and
snapshots hold nothing; nothing is late and nothing is throttled.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from orchestrator.errors import OrchestratorError
from orchestrator.local.stories import demo
from orchestrator.local.stories.demo.progress import Applying
from orchestrator.local.stories.demo.stage import Stage, StoryError, interruptible, nothing, set_up, undisturbed
from orchestrator.local.toolchain import toolchain
from tests.answers.compared import lacking, news, write
from tests.second_cloud.cloud import REGION, SecondCloud, SecondCloudError, installed, second_cloud

TENANTS = [f"customer-{letter}" for letter in "abcdefghijkl"]
ZONE = "vigilon.app"
DATABASES = 3 * len(TENANTS)
"""Of Redis: three a tenant."""
INHERITED = ("PATH", "LANG", "TMPDIR", "TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", "TERRAFORM_BIN")


def variables(certificate: str) -> Mapping[str, Any]:
    """Terraform's, for a stack that is made to be thrown away."""
    tenants = {name: {"slot": slot, "hostname": f"{name}.{ZONE}"} for slot, name in enumerate(TENANTS)}
    return {
        "region": REGION,
        "tenants": tenants,
        "dns": {"provider": "route53", "zone": ZONE, "ttl": 60},
        "certificate_arn": certificate,
        "redis_databases": DATABASES,
        "redis_parameter_group": "many-databases",
        "deletion_protection": False,
        "postgres_final_snapshot": False,
        "bucket_force_destroy": True,
        "secret_recovery_days": 0,
    }


def prepare(cloud: SecondCloud) -> str:
    """What a stack finds in its account: the zone, a certificate, a parameter group. Returns the certificate's ARN."""
    cloud.client("route53").create_hosted_zone(Name=ZONE, CallerReference="second")
    cache = cloud.client("elasticache")
    cache.create_cache_parameter_group(
        CacheParameterGroupName="many-databases", CacheParameterGroupFamily="redis7", Description="three a tenant"
    )
    changed = [{"ParameterName": "databases", "ParameterValue": str(DATABASES)}]
    cache.modify_cache_parameter_group(CacheParameterGroupName="many-databases", ParameterNameValues=changed)
    asked = cloud.client("acm").request_certificate(DomainName=f"*.{ZONE}", ValidationMethod="DNS")
    return str(asked["CertificateArn"])


def last_event(lines: list[str], name: str) -> dict[str, Any]:
    """The newest event of this name. Raises StoryError without one."""
    events = [json.loads(line) for line in lines if line.startswith("{")]
    found = [one for one in events if one.get("event") == name]
    if not found:
        raise StoryError(f"no event {name}", lines[-40:])
    return dict(found[-1])


def tell(stage: Stage, cloud: SecondCloud, workdir: Path) -> int:
    """The whole story. Returns how many chapters were told."""

    def finished(*arguments: str) -> dict[str, Any]:
        return last_event(stage.orchestrate(*arguments, "--json", cwd=workdir, show=nothing), "run-finished")

    stage.chapter(f"terraform apply: {len(TENANTS)} tenants")
    (workdir / "second.auto.tfvars.json").write_text(json.dumps(variables(prepare(cloud))))
    terraform = stage.environ["TERRAFORM_BIN"]
    stage.run(
        [terraform, "apply", "-auto-approve", "-no-color", "-input=false"], "terraform apply", workdir, Applying()
    )
    contract = json.loads("\n".join(stage.run([terraform, "output", "-json", "orchestrator"], "", workdir, nothing)))
    database = contract["database"]
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=database["admin_secret_arn"])
    password = json.loads(secret["SecretString"])["password"]
    cloud.server(database["instance"], database["admin_user"], password)

    stage.chapter("orchestrate run")
    stage.orchestrate("run", cwd=workdir)

    stage.chapter("The same command again")
    expect(finished("run"), "changed", 0)
    again = [terraform, "plan", "-detailed-exitcode", "-no-color", "-input=false"]
    stage.run(again, "terraform plan -detailed-exitcode", workdir, nothing)

    stage.chapter("Its answers beside AWS's")
    found = lacking(cloud.client, contract)
    if sys.argv[1:] == ["write"]:
        write("ministack", found)
    if new := news("ministack", found):
        raise StoryError("ministack answers otherwise than tests/answers/ministack.json says", new)

    stage.chapter("orchestrate doctor")
    said = stage.orchestrate("doctor", "--json", cwd=workdir, show=nothing)
    findings = [line for line in said if '"finding-reported"' in line]
    if findings:
        raise StoryError("the doctor finds something", findings)

    stage.chapter("orchestrate pause, and resume")
    stage.orchestrate("pause", "--auto-approve", cwd=workdir)
    stage.orchestrate("resume", cwd=workdir)
    expect(finished("run"), "changed", 0)

    stage.chapter("orchestrate backup")
    stage.orchestrate("backup", cwd=workdir)

    stage.chapter("orchestrate destroy, after that backup")
    stage.orchestrate("destroy", "--confirm", contract["stack"], cwd=workdir, show=Applying())
    left = cloud.client("ecs").list_services(cluster=contract["cluster"]).get("serviceArns", [])
    if left:
        raise StoryError(f"services are left: {left}")
    return stage.chapter_number


def expect(event: Mapping[str, Any], key: str, value: object) -> None:
    """Raises StoryError where the event says something else."""
    if event.get(key) != value:
        raise StoryError(f"{event['event']}: {key} is {event.get(key)!r}, not {value!r}")


def main() -> int:
    """Told from begin to end; exit status 1 when it broke off."""
    with interruptible():
        stage = set_up(Path(tempfile.mkdtemp(prefix="orchestrate-second-")), keep=False, speed=1)
        passed, failed = 0, 1
        try:
            passed, failed = _on_its_stage(stage), 0
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
        except (StoryError, SecondCloudError, OrchestratorError) as failure:
            for line in getattr(failure, "tail", ()):
                click.echo(f"       | {line}", err=True)
            click.echo(f"[{stage.elapsed()}] {failure}", err=True)
        finally:
            with undisturbed():
                stage.close()
    click.echo(f"{passed} passed, {failed} failed")
    return failed


def _on_its_stage(stage: Stage) -> int:
    outside = {name: os.environ[name] for name in INHERITED if name in os.environ}
    stage.environ = outside
    tools = toolchain.prepare(outside, say=stage.say)
    python = installed(toolchain.tool_folder(os.environ))
    with second_cloud(stage.folder, python, [f"{name}.{ZONE}" for name in TENANTS]) as cloud:
        stage.environ = {**outside, **cloud.environment, "HOME": str(stage.folder), "ORCHESTRATE_POLL": "1"}
        workdir = demo.copy_sources(stage, tools)
        stage.run([stage.environ["TERRAFORM_BIN"], "init", "-no-color"], "terraform init", workdir, nothing)
        return tell(stage, cloud, workdir)


if __name__ == "__main__":
    sys.exit(main())
