"""`backup-verified`: what the manifest says is there, as it says."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.engine.step import STACK, Blocked, Done, Step, Verdicts, nothing_to_apply
from orchestrator.errors import Problem, counted
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.verify import judge, look


@dataclass(frozen=True, slots=True)
class BackupVerifiedFacts:
    """The manifest, and all that is wrong with what it names."""

    manifest: Manifest
    problems: tuple[Problem, ...]


def observe(tools: Tools) -> BackupVerifiedFacts:
    """Two listings and the sampled objects."""
    manifest = tools.vault.get(tools.manifest.id)
    return BackupVerifiedFacts(manifest, judge(manifest, look(manifest, tools.snapshots, tools.volumes, tools.buckets)))


def decide(facts: BackupVerifiedFacts) -> Verdicts:
    """Good, or not: all that is wrong in one."""
    if facts.problems:
        said = "; ".join(one.message for one in facts.problems)
        return {STACK: Blocked(replace(facts.problems[0], message=said))}
    files = facts.manifest.files
    sampled = f", {len(files.samples)} of {counted(files.count, 'object')} read in full" if files else ""
    return {STACK: Done(f"backup {facts.manifest.id} is good{sampled}")}


STEP: Step[Tools, BackupVerifiedFacts] = Step(
    id="backup-verified",
    title="the backup is good",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    needs=("backup-sealed",),
    timeout=1800,
)
