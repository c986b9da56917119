"""Secrets Manager or Parameter Store; each is referenced correctly, and none is in a plain variable."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.checklist.facts import is_onyx, task_definition
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import Checklist, Evidence, Item, NotKnown, Remark, Status, TenantService
from orchestrator.engine.check import Severity
from orchestrator.redact import sounds_secret
from orchestrator.stack.blueprint.references import sources
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource

STORES = (":secretsmanager:", ":ssm:")
NEEDED = "POSTGRES_PASSWORD"
_HELD = re.compile(
    r"(pass(word|wd|phrase)|(^|_)pass|secret|token|api_?key|private_?key|credentials?"
    r"|(^|_)(secret|secret_access|master|encryption|signing|app)_?key(_base)?)(_?\d+)?$",
    re.IGNORECASE,
)
_SWITCHES = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null"})


def judge(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """By value; while the containers are unknown, by a root variable that is named like a secret and goes into them."""
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    if unit.definition.get("container_definitions") is UNKNOWN:
        plain = [
            one.attribute
            for one in sources(evidence.blueprint, unit.definition, "container_definitions")
            if one.resource == "var" and one.sure and sounds_secret(one.attribute)
        ]
        if not plain:
            raise NotKnown(unit.definition.address, "secrets")
        yield _plain(unit, unit.definition, sorted(plain), "var.")
        return
    definition = task_definition(unit.definition)
    said = definition.variables()
    plain = sorted(name for name, value in said.items() if holds_secret(name, value))
    if plain:
        yield _plain(unit, unit.definition, plain, "")
    if _lacks_password(definition):
        yield _wrong(unit, unit.definition, "secret-not-given", f"no container gets {NEEDED}", "(not set)")
    for container, name, value in definition.secrets():
        if not any(store in value for store in STORES) and value.startswith("arn:"):
            why = f"{name} of {container} is read from something that is not a secret store"
            yield _wrong(unit, unit.definition, "secret-reference-wrong", why, value)


def _lacks_password(definition: TaskDefinition) -> bool:
    """Whether Onyx signs in to PostgreSQL with a password (not by IAM) and gets none; others have their own words."""
    said = definition.variables()
    named = said.keys() | definition.secret_names()
    talks = any(name.startswith("POSTGRES_") for name in named) or any(
        "onyx-backend" in one.image for one in definition.containers
    )
    elsewhere = any(one.environment_files for one in definition.containers)
    return (
        talks
        and is_onyx(definition)
        and not elsewhere
        and NEEDED not in named
        and said.get("USE_IAM_AUTH", "").lower() != "true"
    )


def holds_secret(name: str, value: str) -> bool:
    """Whether a variable's value is a secret: its name ends with what it holds, or it is a URL with a password.

    A number, a switch, a path, an ARN or the URL of a page is none, whatever its name says.
    """
    try:
        url = urlsplit(value)
        if url.scheme and url.netloc:
            return bool(url.password)
    except ValueError:
        return False
    told = value.startswith(("/", "arn:")) or value.lower() in _SWITCHES or value.replace(".", "", 1).isdigit()
    return bool(value) and not told and _HELD.search(name) is not None


def _plain(unit: TenantService, definition: Resource, names: list[str], prefix: str) -> Remark:
    shown = ", ".join(f"{prefix}{name}" for name in names)
    return Remark(
        status=Status.FAILED,
        code="secret-in-environment",
        severity=Severity.WARNING,
        subject=unit.tenant,
        says="a password is in the task definition, where everybody who may describe it can read it",
        why=f"the containers get this as plain text: {shown}",
        address=definition.address,
        current=f"{shown} (a value)",
        wanted="an entry in `secrets` that names a secret of Secrets Manager",
        hcl="\n".join(
            f'{{ name = "{name.upper()}", valueFrom = aws_secretsmanager_secret.this.arn }} # in secrets'
            for name in names
        ),
    )


def _wrong(unit: TenantService, definition: Resource, code: str, why: str, current: str) -> Remark:
    return Remark(
        status=Status.FAILED,
        code=code,
        severity=Severity.BLOCKER,
        subject=unit.tenant,
        says="the tasks get no password, or can't start",
        why=why,
        address=definition.address,
        current=current,
        wanted="the ARN of a secret in Secrets Manager",
        hcl=f'{{ name = "{NEEDED}", valueFrom = "${{aws_secretsmanager_secret.tenant.arn}}:password::" }} # in secrets',
    )


ITEM = Item(
    id="secret-references",
    title="Passwords come from Secrets Manager",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "passwords come from a secret store"),
    lines=("All secrets are in Secrets Manager and referenced correctly in task definition",),
)
