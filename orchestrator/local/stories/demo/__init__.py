"""The guide's whole story on a local cloud: apply and the site answers; destroy, apply and it does not; one command."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from orchestrator.errors import Invalid, OrchestratorError, Outcome, Problem
from orchestrator.local import world
from orchestrator.local.core import api, state
from orchestrator.local.endpoint import client
from orchestrator.local.stories.demo.evidence import OutsideView, index_instances
from orchestrator.local.stories.demo.onyx import DEFAULT, ONYX, ToldOnyx
from orchestrator.local.stories.demo.progress import SELDOM, Changes, LineFilter
from orchestrator.local.stories.demo.sources import copied
from orchestrator.local.stories.demo.stage import Stage, StoryError, interruptible, nothing, set_up, undisturbed
from orchestrator.local.toolchain import toolchain

ZONE = "vigilon.app"
VARIABLES = "-var-file=examples/demo.tfvars"
Contract = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`dns` (`route53`, `porkbun`): where the domain is; it is fresh, so each apply gets a certificate issued too.

    `hook` (`null_resource`, `terraform_data`): a plain `terraform apply` does it all, since that module of hooks/ calls
    `orchestrate run`. `terraform` (`1.11`, `1.15`): told with a release of that line.
    `onyx` is the major version that the tenants run, one of `ONYX`.
    """

    dns: str = "route53"
    hook: str = ""
    terraform: str = ""
    onyx: int = DEFAULT


def tell(telling: DemoOptions, *, keep: bool, speed: float) -> Outcome:
    """Tell the story; how it ended. With `keep` the cloud stays up for the audience."""
    with interruptible():
        stage = set_up(_folder(keep=keep), keep=keep, speed=speed)
        kept = False
        try:
            _story(stage, telling)
            _good_bye(stage, keep=keep)
            kept = keep
        except KeyboardInterrupt:
            click.echo(f"\n[{stage.elapsed()}] interrupted: taking everything down", err=True)
            return Outcome.INTERRUPTED
        except (StoryError, OrchestratorError) as failure:
            report(stage, failure)
            return Outcome.FAILED
        finally:
            if not kept:
                with undisturbed():
                    stage.close()
    return Outcome.SUCCEEDED


def _folder(*, keep: bool) -> Path:
    """A temporary folder; to be kept, a visible one."""
    if not keep:
        return Path(tempfile.mkdtemp(prefix="orchestrate-demo-"))
    folder = Path(".orchestrate/demo").absolute()
    if client.alive(state.folder_of("default", None)):
        message = "a local cloud is already up here, in the folder that `demo --keep` needs"
        raise Invalid(
            Problem("local-cloud-up", message, fix="`orchestrate local down`, or run the demo without --keep")
        )
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _story(stage: Stage, telling: DemoOptions) -> None:
    click.echo("orchestrate demo: the guide's stack on a local cloud. Nothing leaves this machine.")
    click.echo("Of what commands say it shows what was changed, and of the two tenants the first.")
    onyx = ONYX[telling.onyx]
    click.echo(f"It runs Onyx {onyx.version}: {onyx.said}.")
    tools = _toolchain(stage, telling)
    stage.chapter("Start a local cloud")
    stage.up(os.environ)
    witness = OutsideView(stage.environ)
    if telling.dns == "porkbun" and tools is not None:
        stage.say(f"the company's domain {ZONE} is registered at Porkbun, and still parked")
    else:
        servers = witness.make_zone(ZONE)
        stage.say(f"the company's DNS zone {ZONE} is at Route 53 (served by {servers[0]} and others); no stack owns it")
    if tools is None:
        _without_terraform(stage, witness, onyx)
    elif telling.hook:
        _with_hook(stage, witness, tools, telling)
    else:
        _with_terraform(stage, witness, tools, telling)


def _toolchain(stage: Stage, telling: DemoOptions) -> toolchain.Toolchain | None:
    """None: the story is told without Terraform. Raises Invalid where that can't be, since one was asked for."""
    asked = telling.hook or telling.terraform
    try:
        found = toolchain.prepare(say=stage.say, release_line=telling.terraform, null=telling.hook == "null_resource")
    except Invalid as missing:
        if asked:
            raise
        stage.say(f"no Terraform, so the same stack is built through the API instead: {missing}")
        return None
    stage.say(f"{found.program.product} {found.program.version}; the AWS provider: {found.provider}")
    return found


def _with_terraform(stage: Stage, witness: OutsideView, tools: toolchain.Toolchain, telling: DemoOptions) -> None:
    workdir, program = copy_sources(stage, tools), tools.program
    ONYX[telling.onyx].choose(workdir)
    _take_fresh_domain(workdir / "examples" / "demo.tfvars", telling.dns)
    stage.chapter("orchestrate apply: Terraform, then everything that Terraform leaves undone")
    stage.orchestrate("apply", "--auto-approve", VARIABLES, cwd=workdir, show=Changes())
    contract = contract_of(stage, program, workdir)
    expect_sites(stage, witness, contract, f"FIRST SUCCESS after {stage.elapsed()}")

    stage.chapter("The same command again: nothing is left to do")
    _expect_no_change(stage, "apply", "--auto-approve", VARIABLES, cwd=workdir)

    stage.chapter("terraform destroy: a demo is over, or somebody made a mistake")
    _terraform(stage, program, workdir, "destroy")

    stage.chapter("terraform apply, and nothing else: a new load balancer, an empty database server, a new instance")
    _terraform(stage, program, workdir, "apply")
    before, contract = contract, contract_of(stage, program, workdir)
    _expect_darkness(stage, witness, before, contract)

    stage.chapter("One command: orchestrate run")
    stage.orchestrate("run", cwd=workdir, show=Changes())
    expect_sites(stage, witness, contract, "")
    _evidence(stage, witness, contract, cwd=workdir)


def _with_hook(stage: Stage, witness: OutsideView, tools: toolchain.Toolchain, telling: DemoOptions) -> None:
    workdir, program = copy_sources(stage, tools), tools.program
    ONYX[telling.onyx].choose(workdir)
    _take_fresh_domain(workdir / "examples" / "demo.tfvars", telling.dns)
    _let_terraform_call(workdir, telling.hook)
    stage.chapter(
        f"terraform apply, and nothing else: its last resource, of hooks/{telling.hook}, calls orchestrate run"
    )
    init = [str(program.path), "init", "-no-color", "-input=false"]
    stage.run(init, f"{program.product} init", workdir, nothing)
    _terraform(stage, program, workdir, "apply")
    contract = contract_of(stage, program, workdir)
    expect_sites(stage, witness, contract, f"FIRST SUCCESS after {stage.elapsed()}")

    stage.chapter("orchestrate apply on the same stack: nothing is left to do, and nothing is done twice")
    _expect_no_change(stage, "apply", "--auto-approve", VARIABLES, cwd=workdir)

    stage.chapter("terraform destroy, and terraform apply again: a new load balancer, an empty database server")
    _terraform(stage, program, workdir, "destroy")
    _terraform(stage, program, workdir, "apply")
    before, contract = contract, contract_of(stage, program, workdir)
    _expect_another(stage, before, contract)
    expect_sites(stage, witness, contract)
    _evidence(stage, witness, contract, cwd=workdir)


def _let_terraform_call(workdir: Path, hook: str) -> None:
    """The stack as its owner would write it who wants a plain `terraform apply` to do it all, by this module."""
    main, ours = workdir / "main.tf", "../hooks/terraform_data"
    text = main.read_text()
    if text.count(ours) != 1:
        raise StoryError(f"{main} has no {ours}")
    main.write_text(text.replace(ours, f"../hooks/{hook}"))
    command = shlex.join([sys.executable, "-P", "-m", "orchestrator"])
    chosen = f"run_orchestrate = true\norchestrate_command = {json.dumps(command)}\n"
    (workdir / "hooked.auto.tfvars").write_text(chosen)


def _without_terraform(stage: Stage, witness: OutsideView, onyx: ToldOnyx) -> None:
    stage.chapter(f"The stack, built through the API: VPC, PostgreSQL, Redis, {onyx.index}, load balancer, services")
    tenants = ("customer-a", "customer-b")
    contract = world.build(
        api.session(stage.environ),
        endpoint=stage.environ["AWS_ENDPOINT_URL"],
        tenants=tenants,
        zone=ZONE,
        onyx=dict.fromkeys(tenants, onyx.major),
    )
    file = stage.folder / "contract.json"
    file.write_text(json.dumps(contract, indent=2) + "\n")
    _show_darkness(stage, witness, contract)

    stage.chapter("One command: orchestrate run")
    stage.orchestrate("certificate", "--contract", str(file), show=nothing)
    stage.orchestrate("run", "--contract", str(file), show=Changes())
    expect_sites(stage, witness, contract, f"FIRST SUCCESS after {stage.elapsed()}")

    stage.chapter("The same command again: nothing is left to do")
    _expect_no_change(stage, "run", "--contract", str(file))
    _evidence(stage, witness, contract, "--contract", str(file))


def copy_sources(stage: Stage, tools: toolchain.Toolchain) -> Path:
    """The stack and the hook module it names, without what earlier runs left beside them, ready for Terraform."""
    workdir = copied(stage.folder)
    stage.environ = tools.environment(stage.environ) | tools.choose(workdir)
    return workdir


def _take_fresh_domain(variables: Path, provider: str) -> None:
    """As on AWS: the certificate is waited for, and its validation records published, in every apply."""
    text = variables.read_text()
    command = shlex.join([sys.executable, "-P", "-m", "orchestrator"])
    for before, after in (
        ('provider = "route53"', f'provider = "{provider}"'),
        ("wait_for_certificate = false", "wait_for_certificate = true"),
    ):
        if before not in text:
            raise StoryError(f"{variables} has no {before}")
        text = text.replace(before, after)
    variables.write_text(f"{text}\norchestrate_command = {json.dumps(command)}\n")


def _terraform(stage: Stage, program: toolchain.Program, workdir: Path, verb: str) -> None:
    command = [str(program.path), verb, "-auto-approve", VARIABLES, "-no-color", "-input=false"]
    stage.run(
        command, f"{program.product} {verb} -auto-approve {VARIABLES}", workdir, Changes(LineFilter(every=SELDOM))
    )


def contract_of(stage: Stage, program: toolchain.Program, workdir: Path) -> Contract:
    """What Terraform says of the stack now."""
    command = ["output", "-json", "orchestrator"]
    said = stage.run([str(program.path), *command], "", workdir, nothing)
    contract: Contract = json.loads("\n".join(said))
    return contract


def _expect_no_change(stage: Stage, *arguments: str, cwd: Path | None = None) -> None:
    """The run's own last event must say that it changed nothing."""
    said = stage.orchestrate(*arguments, "--json", cwd=cwd, show=nothing)
    events: list[dict[str, Any]] = [json.loads(line) for line in said if line.startswith("{")]
    finished = [event for event in events if event.get("event") == "run-finished"]
    last = finished[-1] if finished else {}
    if last.get("changed") != 0:
        raise StoryError(f"it reported changed: {last.get('changed')}, not 0", said[-40:])
    stage.say(f"changed: 0 ({last['outcome']} after {last['seconds']:.1f} s, {last['aws_calls']} AWS calls)")


def expect_sites(stage: Stage, witness: OutsideView, contract: Contract, when: str = "the sites answer") -> None:
    """Every tenant's page, through the DNS server and the load balancer, or the story has failed; `when` is said."""
    answering = []
    for tenant in contract["tenants"].values():
        hostname = tenant["hostname"]
        _, addresses = witness.resolve(hostname)
        if not addresses:
            raise StoryError(f"{hostname} does not resolve")
        answer = witness.site(hostname, addresses[0])
        if not answer.good:
            raise StoryError(f"https://{hostname} does not answer: {answer.status} {answer.text}")
        answering.append(f"https://{hostname} ({answer.status})")
    if when:
        stage.say(f"{when}: {', '.join(answering)}")


def _expect_darkness(stage: Stage, witness: OutsideView, before: Contract, after: Contract) -> None:
    """What the guide warns of: Terraform is content and the site is down."""
    _expect_another(stage, before, after)
    _show_darkness(stage, witness, after)


def _expect_another(stage: Stage, before: Contract, after: Contract) -> None:
    for part, key in (("load_balancer", "dns_name"), ("runner", "instance_id")):
        if before[part][key] == after[part][key]:
            raise StoryError(f"the new stack has the old one's {part} {key}: {after[part][key]}")
    was, now = (contract["load_balancer"]["dns_name"] for contract in (before, after))
    stage.say(f"load balancer: {was} → {now}")


def _show_darkness(stage: Stage, witness: OutsideView, contract: Contract) -> None:
    name, tenant = next(iter(contract["tenants"].items()))
    hostname = tenant["hostname"]
    alias, addresses = witness.resolve(hostname)
    if addresses:
        raise StoryError(f"{hostname} should resolve to nothing, but resolves to {addresses}")
    stage.say(f"https://{hostname} is DOWN, because:")
    stage.say(f"- DNS: {hostname} → {f'{alias}, a load balancer that no longer exists' if alias else 'nothing'}")
    stage.say(f"- databases in the server: {', '.join(witness.databases(contract)) or 'none'}")
    running, desired = witness.services(contract)[tenant["service"]]
    said = witness.newest_error(contract, name) or "nothing"
    stage.say(f"- tasks: {running} of {desired} running; the last one said: {said}")


def _evidence(stage: Stage, witness: OutsideView, contract: Contract, *which: str, cwd: Path | None = None) -> None:
    """The four things to look at, each asked of the world itself; and that the doctor finds nothing beside them."""
    stage.chapter("What you would check yourself")
    owners = (f"{database} (owner {owner})" for database, owner in witness.databases(contract).items())
    stage.say(f"psql \\l       {', '.join(owners)}")
    counts = witness.services(contract)
    leading: dict[str, list[str]] = {}
    sites = []
    for hostname in (tenant["hostname"] for tenant in contract["tenants"].values()):
        alias, addresses = witness.resolve(hostname)
        leading.setdefault(f"{alias + ' → ' if alias else ''}{', '.join(addresses)}", []).append(hostname)
        answer = witness.site(hostname, addresses[0])
        sites.append(f"https://{hostname}/api/health → {answer.status} {answer.text}")
    for there, hostnames in leading.items():
        stage.say(f"dig           {', '.join(hostnames)} → {there}")
    for site in sites:
        stage.say(f"curl          {site}")
    tasks = (f"{name} {count[0]} of {count[1]}" for name, count in counts.items())
    stage.say(f"ecs           running: {', '.join(tasks)}")
    for kind, instances in index_instances(contract).items():
        states = witness.instances(instances)
        stage.say(f"ec2           {kind}: {', '.join(f'{name} {state}' for name, state in states.items())}")
    missing = {tenant["database"] for tenant in contract["tenants"].values()} - set(witness.databases(contract))
    short = [name for name, (running, desired) in counts.items() if running != desired or not desired]
    if missing or short:
        raise StoryError(
            f"the stack is incomplete: databases missing {sorted(missing)}, services short of tasks {short}"
        )
    _expect_no_finding(stage, *which, cwd=cwd)


def _expect_no_finding(stage: Stage, *which: str, cwd: Path | None) -> None:
    words = ["doctor", *which, "--json"]
    said = stage.run([sys.executable, "-P", "-m", "orchestrator", *words], "", cwd, nothing)
    events = [json.loads(line) for line in said if line.startswith("{")]
    if found := [one["detail"] for one in events if one["event"] == "finding-reported"]:
        raise StoryError(f"the doctor finds something: {found}")
    stage.say("orchestrate doctor finds nothing")


def _good_bye(stage: Stage, *, keep: bool) -> None:
    click.echo()
    click.secho(f"[{stage.elapsed()}] The demo is complete.", bold=True, nl=keep)
    if not keep:
        click.echo(" Everything has been taken down. To explore it: orchestrate demo --keep (make demo KEEP=1)")
        return
    click.echo("The cloud stays up. To use it, with aws, terraform, psql and orchestrate:")
    click.echo('    eval "$(orchestrate local env)"')
    chosen = stage.environ.get("TERRAFORM_BIN", "")
    if chosen and shutil.which("terraform") != chosen:
        click.echo(f"    export TERRAFORM_BIN={chosen}")
    click.echo(
        f"The stack's Terraform configuration is in {stage.folder}. To take everything down: orchestrate local down"
    )


def report(stage: Stage, failure: StoryError | OrchestratorError, story: str = "demo") -> None:
    """Why the story broke off, with the end of what was said."""
    for line in getattr(failure, "tail", ()):
        click.echo(f"       | {line}", err=True)
    click.secho(f"\n[{stage.elapsed()}] The {story} FAILED: {failure}", fg="red", err=True)
    if isinstance(failure, StoryError):
        click.echo("The end of the local cloud's log:", err=True)
        click.echo(state.log_tail(stage.cloud), err=True)
