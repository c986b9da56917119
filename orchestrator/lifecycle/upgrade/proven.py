"""`documents-proven`: every document that is in Vespa is in OpenSearch too, by its id; both have as many.

Each chunk is known by the id of its document and its number in it. Both instances read all of theirs and give the
number, the sum of the ids' hashes, and of these the smallest: the same ones, where both have the same. So no id leaves
its instance, and where they differ, the sample tells about how many are missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.aws.ssm import Ssm
from orchestrator.engine.step import Blocked, Done, Step, Subject, Unread, Verdict, Verdicts, Wait, nothing_to_apply
from orchestrator.engine.subjects import attempt
from orchestrator.errors import Problem
from orchestrator.index import provider
from orchestrator.index.report import Contents
from orchestrator.stack.contract import Stack
from orchestrator.stack.indexes import OPENSEARCH, VESPA

AT_ONCE = 4


class ProofContext(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def ssm(self) -> Ssm:
        """The way into the indexes' instances."""
        ...


@dataclass(frozen=True, slots=True)
class IndexPair:
    """One tenant's two indexes."""

    vespa: Contents
    opensearch: Contents


@dataclass(frozen=True, slots=True)
class DocumentProofFacts:
    """By tenant that has both. `single`: those that have one."""

    pairs: Mapping[Subject, IndexPair]
    unread: Mapping[Subject, Unread] = field(default_factory=dict)
    single: frozenset[Subject] = frozenset()


def observe(context: ProofContext) -> DocumentProofFacts:
    """Two commands for each tenant, which read every document."""
    old, new = provider(VESPA), provider(OPENSEARCH)
    vespa, opensearch = old.of(context.stack), new.of(context.stack)

    def look(tenant: Subject) -> IndexPair:
        return IndexPair(
            old.contents(context.ssm, vespa[tenant], whole=True),
            new.contents(context.ssm, opensearch[tenant], whole=True),
        )

    both = vespa.keys() & opensearch.keys()
    seen = attempt(sorted(both), look, at_once=AT_ONCE)
    single = frozenset((vespa.keys() | opensearch.keys()) - both)
    return DocumentProofFacts(seen.results, Unread.each(seen.failures), single)


def decide(facts: DocumentProofFacts) -> Verdicts:
    """Per tenant."""
    unread = {tenant: one.verdict for tenant, one in facts.unread.items()}
    single: Verdicts = {tenant: Blocked(_one_index(tenant)) for tenant in facts.single}
    return {**single, **unread, **{tenant: _verdict(tenant, pair) for tenant, pair in facts.pairs.items()}}


def _one_index(tenant: Subject) -> Problem:
    fix = "name both in the contract (`vespa`, `tenants.NAME.index.opensearch`) until the upgrade is finished"
    return Problem("index-pair-incomplete", "there are not two indexes to compare", tenant, fix)


def _verdict(tenant: Subject, pair: IndexPair) -> Verdict:
    old, new = pair.vespa, pair.opensearch
    if (old.documents, old.keys) == (new.documents, new.keys) and (old.keys or not old.documents):
        return Done(f"{old.documents} chunks, each found by its id in both indexes")
    lost = missing(old, new)
    seen = f"; of a sample of {len(old.sample)} {lost} are not found in OpenSearch" if old.sample else ""
    fix = (
        "have Onyx index those documents again (its admin pages: Connectors, Re-index; orchestrate logs --tenant "
        f"{tenant} --grep migration tells which failed), then run the same command again; 4.x is not deployed before"
    )
    because = f"Vespa has {old.documents} chunks, OpenSearch {new.documents}{seen}"
    return Wait(because, "documents-differ", fix, progress=f"{new.documents} {lost}")


def missing(old: Contents, new: Contents) -> int:
    """How many of the old index's sample the new one hasn't, as far as its own smallest hashes reach. Pure."""
    whole = len(new.sample) < len(old.sample) or not new.sample
    last = max(new.sample, default="")
    return sum(one not in new.sample and (whole or one <= last) for one in old.sample)


STEP: Step[ProofContext, DocumentProofFacts] = Step(
    id="documents-proven",
    title="every document is in both indexes",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    timeout=900,
    poll=20,
)
