"""A Protocol stands where there are two who are meant: a second implementation, or a test's stand-in.

Beside these: the context of a step, which says what the step needs of those who run it; and, in the local cloud, what a
lower room has to know of one above it, or of moto's objects.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTEXT = "Context"
STANDINS = "tests.faults.scripted.Aws"
HOSTED = "tests.unit.steps.hosted.Context"
IMPLEMENTED: Mapping[str, tuple[str, ...]] = {
    "orchestrator.local.stories.documents.TenantDocuments": (
        "orchestrator.local.stories.documents.DocumentsInVespa",
        "orchestrator.local.stories.documents.DocumentsInOpenSearch",
    ),
    "orchestrator.aws.db_servers.DbServers": (
        "orchestrator.aws.rds.Rds",
        "orchestrator.aws.db_clusters.DbClusters",
        "orchestrator.aws.elsewhere.Elsewhere",
    ),
    "orchestrator.aws.snapshots.Snapshots": (
        "orchestrator.aws.snapshots.DbSnapshots",
        "orchestrator.aws.db_clusters.ClusterSnapshots",
        "orchestrator.aws.elsewhere.NoSnapshots",
    ),
    "orchestrator.database.lending.StoresParameters": (
        "orchestrator.aws.parameters.Parameters",
        "tests.unit.database.test_lending.Store",
    ),
    "orchestrator.database.server.Server": (
        "orchestrator.database.ssm.SsmServer",
        "orchestrator.database.direct.DirectServer",
    ),
    "orchestrator.database.ssm.LendsPasswords": (
        "orchestrator.database.ssm.NothingToLend",
        "orchestrator.database.lending.PasswordLender",
    ),
    "orchestrator.dns.certificates.Certificates": (
        "orchestrator.aws.acm.Acm",
        "tests.unit.dns.test_certificates.Acm",
    ),
    "orchestrator.dns.model.DnsProvider": (
        "orchestrator.dns.route53.Route53",
        "orchestrator.dns.porkbun.Porkbun",
        "orchestrator.dns.lexicon.Lexicon",
    ),
    "orchestrator.dns.resolve.Resolver": ("orchestrator.dns.resolve.AskServers", "orchestrator.dns.resolve.AskZones"),
    "orchestrator.engine.clock.Clock": ("orchestrator.engine.clock.SystemClock", "tests.faults.schedule.Schedule"),
    "orchestrator.engine.lock.Lock": ("orchestrator.engine.file_lock.FileLock", "orchestrator.engine.s3_lock.S3Lock"),
    "orchestrator.engine.s3_lock.Slot": (
        "orchestrator.aws.s3_object.S3Object",
        "tests.unit.engine.test_s3_lock.Unreliable",
    ),
    "orchestrator.inside.shell.Shells": ("orchestrator.aws.ssm.Ssm", "tests.shells.OneByOne"),
    "orchestrator.inside.shell.Shell": ("orchestrator.aws.ssm.Ssm", STANDINS),
    "orchestrator.inside.shell.ScriptOutput": (
        "orchestrator.aws.ssm.CommandOutput",
        "tests.unit.database.test_answers.Shell",
    ),
    "orchestrator.render.ci.Dialect": ("orchestrator.render.ci.GitHub", "orchestrator.render.ci.GitLab"),
    "orchestrator.rollout.progress.EcsCluster": ("orchestrator.aws.ecs.Ecs", STANDINS),
    "orchestrator.rollout.progress.ReadsLogTail": ("orchestrator.aws.logs.Logs", STANDINS),
    "orchestrator.rollout.progress.ReadsTargets": ("orchestrator.aws.elbv2.Elbv2", STANDINS),
    "orchestrator.rollout.tail.ReadsLogGroups": (
        "orchestrator.aws.logs.Logs",
        "tests.unit.rollout.test_tail.Groups",
    ),
    "orchestrator.site.visits.Definitions": ("orchestrator.aws.service_settings.ClusterServices", HOSTED),
    "orchestrator.site.visits.ReadsRunningTasks": ("orchestrator.aws.ecs.Ecs", HOSTED),
    "orchestrator.site.visits.ReadsTargetHealth": ("orchestrator.aws.elbv2.Elbv2", HOSTED),
    "orchestrator.stack.blueprint.tenancy.Addressed": (
        "orchestrator.stack.blueprint.resources.Resource",
        "orchestrator.stack.blueprint.changes.ResourceChange",
    ),
    "orchestrator.steps.dns_records.Balancers": ("orchestrator.aws.elbv2.Elbv2", HOSTED),
    "orchestrator.steps.redis_auth.FindsRedisUsers": ("orchestrator.lifecycle.other_users.OtherUsers", STANDINS),
    "orchestrator.steps.sites.ReadsRouting": ("orchestrator.aws.listeners.Listeners", HOSTED),
}
"""Protocol → two at least that are meant by it."""
SHAPES: Mapping[str, str] = {
    "orchestrator.cli.edge.Workflow": "functions, one for each command",
    "orchestrator.site.visits.Visitor": "functions: from here, and from the runner",
    "orchestrator.engine.s3_lock.StoredLock": "what a Slot gives",
    "orchestrator.local.core.cloud.DatabaseServers": "local/rds, which core does not know",
    "orchestrator.local.ecs.tasks.Application": "local/onyx, which ecs does not know",
    "orchestrator.local.ec2.reach.InVpc": "moto's task",
    "orchestrator.local.ecs.model.LivingService": "moto's service",
    "orchestrator.local.ecs.model.LivingTask": "moto's task",
}
"""Those that no class of ours is meant by, and what is."""


def modules(room: str) -> Iterator[str]:
    for file in sorted((ROOT / room).rglob("*.py")):
        yield ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def parsed(module: str) -> ast.Module:
    file = ROOT.joinpath(*module.split("."))
    path = file.with_suffix(".py") if file.with_suffix(".py").exists() else file / "__init__.py"
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def classes(module: str) -> Mapping[str, ast.ClassDef]:
    return {node.name: node for node in ast.walk(parsed(module)) if isinstance(node, ast.ClassDef)}


def found(name: str) -> ast.ClassDef:
    module, _, own = name.rpartition(".")
    return classes(module)[own]


def bases(module: str, node: ast.ClassDef) -> Iterator[str]:
    """Its base classes that are ours, by full name: those of its own module, or imported by name."""
    imported = {
        one.asname or one.name: f"{statement.module}.{one.name}"
        for statement in parsed(module).body
        if isinstance(statement, ast.ImportFrom)
        for one in statement.names
    }
    for base in node.bases:
        plain = ast.unparse(base).partition("[")[0]
        full = imported.get(plain, f"{module}.{plain}")
        if full.startswith(("orchestrator.", "tests.")) and full.rpartition(".")[2] in classes(full.rpartition(".")[0]):
            yield full


def members(name: str) -> set[str]:
    """Methods and attributes, by the text of the class and of what it inherits from."""
    module, node = name.rpartition(".")[0], found(name)
    names = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    names |= {
        name.id
        for one in node.body
        if isinstance(one, ast.Assign)
        for name in one.targets
        if isinstance(name, ast.Name)
    }
    names |= {one.target.id for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)}
    names |= {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store)}
    return names.union(*(members(base) for base in bases(module, node)))


def protocols() -> set[str]:
    return {
        f"{module}.{name}"
        for module in modules("orchestrator")
        for name, node in classes(module).items()
        if any(ast.unparse(base).partition("[")[0] == "Protocol" for base in node.bases)
    }


def test_each_is_a_steps_context_or_has_two_who_are_meant() -> None:
    """One with a single implementation is not needed: name the class."""
    others = {name for name in protocols() if not name.endswith(CONTEXT)}
    assert others == IMPLEMENTED.keys() | SHAPES.keys()


@pytest.mark.parametrize("name", IMPLEMENTED)
def test_they_are_as_it_says(name: str) -> None:
    assert len(set(IMPLEMENTED[name])) > 1
    for one in IMPLEMENTED[name]:
        assert members(name) <= members(one), one
