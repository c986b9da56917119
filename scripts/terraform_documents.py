"""Makes the Terraform JSON that tests read: real plans and states of real Terraform, made small (tests/documents).

`python scripts/terraform_documents.py` brings up a local cloud, applies terraform/ with examples/demo.tfvars once, and
plans what `PLANS` lists; takes some minutes. `--from DIR` only prunes documents that were kept with `--keep DIR`.

What tests don't read is left out (schema versions, sensitivity marks, empty values); a plan on the demo's state names
that state's file instead of repeating it; ids that AWS draws are numbered, so that a new set differs where it should.
No secret is in the stack's plans, whose passwords are write-only; the one
in guide/ is made up.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from orchestrator.local.endpoint import client
from orchestrator.local.toolchain import toolchain

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ROOT / "tests" / "documents"
DEMO, PRODUCTION = "-var-file=examples/demo.tfvars", "-var-file=examples/production.tfvars"
TENANT = 'module.tenant["customer-a"]'
ONE_TENANT = 'tenants={customer-a={slot=0,hostname="demo.vigilon.app"}}'
OTHER_HOST = 'tenants={customer-a={slot=0,hostname="demo.vigilon.app"},customer-b={slot=1,hostname="b.vigilon.app"}}'
PLANS: Mapping[str, tuple[str, ...]] = {
    "unchanged": (),
    "load-balancer-replaced": ("-replace=module.load_balancer.aws_lb.this",),
    "database-replaced": ("-replace=module.postgres.aws_db_instance.this",),
    "database-larger": ("-var", "postgres_instance_class=db.t4g.medium"),
    "another-version": ("-var", "onyx_version=v2.1.0"),
    "destroy": ("-destroy",),
    "without-nat": ("-var", "nat_gateway=false"),
    "tenant-removed": ("-var", ONE_TENANT),
    "vespa-version": ("-var", "vespa_version=8.610.1"),
    "volume-replaced": ('-replace=module.vespa["customer-a"].aws_ebs_volume.index',),
    "bucket-replaced": ("-replace=module.storage.aws_s3_bucket.this",),
    "redis-replaced": ("-replace=module.redis.aws_elasticache_replication_group.this",),
    "hostname-changed": ("-var", OTHER_HOST),
    "other-network": ("-var", "vpc_cidr=10.1.0.0/16"),
    "service-replaced": (f"-replace={TENANT}.aws_ecs_service.this",),
    "target-group-replaced": (f"-replace={TENANT}.aws_lb_target_group.this",),
}
"""Plans on the applied demo: name and what `terraform plan` is given."""
MOVED = "moved {\n  from = aws_ecs_cluster.this\n  to   = aws_ecs_cluster.main\n}\n"
DROPPED = frozenset(
    {
        "after_identity", "after_sensitive", "before_identity", "before_sensitive", "checks", "planned_values",
        "provider_name", "provider_config", "provider_config_key", "relevant_attributes", "schema_version",
        "sensitive_values", "tags_all", "timeouts", "timestamp", "version_constraint",
    }
)  # fmt: skip


DRAWN = re.compile(
    r"\b(?P<id>sg|sgr|subnet|vpc|i|vol|eni|rtb|igw|nat|eipalloc|vpce|ami|acl|rtbassoc|eipassoc|r)-[0-9a-f]{8,17}\b"
    r"|(?P<suffix>\b20\d{24}\b)"
    r"|(?P<uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)"
    r"|(?P<balancer>(?<=-alb-)\d{6,12}\b)"
    r"|(?P<address>\b127\.\d+\.\d+\.\d+\b)"
    r"|(?P<hash>(?<=/)[0-9a-f]{16}\b)"
)
"""What AWS, the local cloud and Terraform draw by lot."""


class Numbered:
    """Gives each drawn id a number of its own, the same in all documents."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        return DRAWN.sub(self._name, text)

    def _name(self, met: re.Match[str]) -> str:
        if met[0] not in self._known:
            number = len(self._known) + 1
            forms = {
                "id": f"{met['id']}-{number:017x}",
                "suffix": f"20260101{number:018d}",
                "uuid": f"00000000-0000-4000-8000-{number:012x}",
                "balancer": f"{number:010d}",
                "address": f"198.51.100.{number % 256}",
                "hash": f"{number:016x}",
            }
            self._known[met[0]] = forms[met.lastgroup or "id"]
        return self._known[met[0]]


@dataclass(frozen=True, slots=True)
class Stage:
    """A copy of terraform/ beside a local cloud, and where its raw documents go."""

    directory: Path
    environment: Mapping[str, str]
    raw: Path

    def terraform(self, *arguments: str, directory: Path | None = None) -> str:
        done = subprocess.run(
            [self.environment["TERRAFORM_BIN"], *arguments],
            cwd=directory or self.directory,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"terraform {' '.join(arguments)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done.stdout

    def plan(self, name: str, *arguments: str, directory: Path | None = None) -> None:
        self.terraform("plan", "-no-color", "-out=the.plan", *arguments, directory=directory)
        said = self.terraform("show", "-json", "the.plan", directory=directory)
        (self.raw / f"{name}.plan.json").write_text(said)
        print(name)

    def state(self, name: str) -> None:
        (self.raw / f"{name}.state.json").write_text(self.terraform("show", "-json"))


@contextmanager
def stage(raw: Path) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for part in ("terraform", "hooks"):
            ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*")
            shutil.copytree(ROOT / part, work / part, ignore=ignored)
        shutil.copytree(DOCUMENTS / "guide", work / "guide", ignore=shutil.ignore_patterns(".terraform*"))
        foreign = ("AWS_", "TF_VAR_", "TF_CLI_AR")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        tools = toolchain.prepare(clean).environment({**clean, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"})
        running = client.up("documents", work / "cloud", speed=300)
        try:
            yield Stage(work / "terraform", tools | client.ask(running, "env"), raw)
        finally:
            client.down(work / "cloud")


def capture(here: Stage) -> None:
    """Everything, in the order of the stack's life."""
    route53 = boto3.client(
        "route53",
        endpoint_url=here.environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=here.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=here.environment["AWS_SECRET_ACCESS_KEY"],
        region_name=here.environment["AWS_REGION"],
    )
    route53.create_hosted_zone(Name="vigilon.app", CallerReference="documents")
    guide = here.directory.parent / "guide"
    here.terraform("init", "-no-color", directory=guide)
    here.plan("guide", directory=guide)
    here.terraform("init", "-no-color")
    here.plan("demo", DEMO)
    here.plan("production", PRODUCTION)
    interrupt_create(here)
    here.plan("interrupted", DEMO)
    here.terraform("untaint", "module.postgres.aws_db_instance.this")
    here.terraform("apply", "-no-color", "-auto-approve", DEMO)
    here.state("demo")
    for name, arguments in PLANS.items():
        here.plan(name, DEMO, *arguments)
    here.terraform("taint", "module.postgres.aws_db_instance.this")
    here.plan("database-tainted", DEMO)
    here.terraform("untaint", "module.postgres.aws_db_instance.this")
    move_cluster(here.directory)
    here.plan("moved", DEMO)


def interrupt_create(here: Stage) -> None:
    """Ctrl-C while RDS makes the instance: it is tainted, and nobody has seen it available."""
    command = [
        here.environment["TERRAFORM_BIN"],
        "apply",
        "-no-color",
        "-auto-approve",
        DEMO,
        "-target=module.postgres",
    ]
    with subprocess.Popen(
        command, cwd=here.directory, env=dict(here.environment), stdout=subprocess.PIPE, text=True
    ) as process:
        asked = False
        for line in process.stdout or ():  # to its end: terraform must not write into a closed pipe
            if not asked and "aws_db_instance.this: Still creating" in line:
                process.send_signal(signal.SIGINT)
                asked = True


def move_cluster(directory: Path) -> None:
    """Rename the cluster's resource, as one does when tidying up."""
    for name in ("main.tf", "outputs.tf"):
        text = (directory / name).read_text()
        renamed = text.replace("aws_ecs_cluster.this", "aws_ecs_cluster.main")
        (directory / name).write_text(renamed.replace('"aws_ecs_cluster" "this"', '"aws_ecs_cluster" "main"'))
    (directory / "moved.tf").write_text(MOVED)


def prune(raw: Path) -> None:
    """Write tests/documents/*.json from the raw documents."""
    numbered = Numbered()
    demo = json.loads((raw / "demo.state.json").read_text())
    write(DOCUMENTS / "demo.state.json", pruned_state(demo), numbered)
    configuration = json.loads((raw / "demo.plan.json").read_text())["configuration"]["root_module"]
    write(DOCUMENTS / "stack.configuration.json", slim(configuration), numbered)
    for name in ("guide", "demo", "production", "interrupted", *PLANS, "database-tainted", "moved"):
        plan = json.loads((raw / f"{name}.plan.json").read_text())
        write(DOCUMENTS / f"{name}.plan.json", pruned_plan(plan, name), numbered)


def pruned_plan(plan: Mapping[str, Any], name: str) -> dict[str, Any]:
    on_demo = name in {*PLANS, "database-tainted", "moved"}
    changes = [one for one in plan["resource_changes"] if one["mode"] == "managed"]
    if on_demo and name != "unchanged":
        changes = [one for one in changes if one["change"]["actions"] != ["no-op"] or "previous_address" in one]
    for one in changes:
        if one["change"]["actions"] == ["no-op"]:
            one["change"]["before"] = None
    ours = name != "guide"
    drift = {"resource_drift": slim(plan["resource_drift"])} if name == "interrupted" else {}
    return {
        "format_version": plan["format_version"],
        "prior_state": "demo.state.json" if on_demo else pruned_state(plan.get("prior_state", {})),
        "configuration": "stack.configuration.json"
        if ours
        else {"root_module": slim(plan["configuration"]["root_module"])},
        "output_changes": slim(plan["output_changes"]),
        **drift,
        "resource_changes": slim(changes),
    }


def pruned_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """Flat, since child modules only nest; data sources are left out."""
    values = state.get("values", {})
    modules, resources = [values.get("root_module", {})], []
    while modules:
        module = modules.pop(0)
        modules += module.get("child_modules", ())
        managed = [one for one in module.get("resources", ()) if one["mode"] == "managed"]
        if managed and "address" in module:
            resources.append({"address": module["address"], "resources": slim(managed)})
        elif managed:
            resources.append({"resources": slim(managed)})
    root = {"resources": [], "child_modules": resources}
    return {"format_version": "1.0", "values": {"outputs": slim(values.get("outputs", {})), "root_module": root}}


def slim(value: Any) -> Any:
    """Without what nobody reads: dropped keys, nulls and false marks, at any depth."""
    if isinstance(value, dict):
        return {key: slim(inner) for key, inner in value.items() if key not in DROPPED and inner is not None}
    return [slim(inner) for inner in value] if isinstance(value, list) else value


def write(path: Path, document: Mapping[str, Any], numbered: Numbered) -> None:
    """Compact, a line for each resource, so that a diff shows what changed."""
    text = numbered(json.dumps(document, separators=(",", ":"), ensure_ascii=False))
    path.write_text(text.replace('{"address":', '\n{"address":') + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", type=Path, help="keep the raw documents in this folder")
    parser.add_argument("--from", dest="source", type=Path, help="only prune these raw documents")
    given = parser.parse_args()
    if given.source:
        prune(given.source)
        return
    with tempfile.TemporaryDirectory() as folder:
        raw = given.keep or Path(folder)
        raw.mkdir(parents=True, exist_ok=True)
        with stage(raw) as here:
            capture(here)
        prune(raw)


if __name__ == "__main__":
    main()
