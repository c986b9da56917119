"""docs/reference/lifecycle.md: the guide's lifecycle tables, and beside them what the round trips have to show.

The guide's cells are read from its copy (tests/e2e/guide.md); ours are the claims of
orchestrator/local/stories/comparison.json, which the tests in `SHOWN_BY` compare with what they see. Where no test can
tell, the cell is in italics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.local.stories.comparison import ASPECTS, claimed

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "tests" / "e2e" / "guide.md"
DESTROY, PAUSE = "destroy and restore", "pause and resume"
KILLED = "tests/faults/test_lifecycle.py::test_a_round_trip_killed_in_each_phase"
SHOWN_BY: Mapping[str, Sequence[str]] = {
    DESTROY: ("tests/e2e/test_lifecycle.py::test_a_whole_life", KILLED),
    PAUSE: (KILLED,),
}
"""Trip → the tests that fail when it is not as claimed; beside `make roundtrip`."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Ours in one row: what becomes of these aspects, or words that no test shows, by trip."""

    aspects: Sequence[str] = ()
    said: Mapping[str, str] = field(default_factory=dict)

    def of(self, trip: str) -> str:
        """The cell."""
        claims = claimed(trip)
        told = [f"{ASPECTS[one]}: **{claims[one]}**" for one in self.aspects if one in claims]
        return "; ".join([*told, *([f"*{self.said[trip]}*"] if trip in self.said else [])])


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the guide: the heading above it, ours for each of its rows, and rows that it has not."""

    section: str
    rows: Mapping[str, Cells]
    more: Mapping[str, Cells] = field(default_factory=dict)


TABLES = (
    Table(
        "What Terraform Restores Automatically",
        {
            "VPC, Subnets, Security Groups": Cells(("network",)),
            "RDS PostgreSQL Instance": Cells(("database-server", "databases", "rows")),
            "ElastiCache Redis": Cells(("redis-name", "redis")),
            "Vespa EC2 + Docker": Cells(("instances", "documents")),
            "ECS Cluster, Service, Tasks": Cells(("services", "counts", "tasks")),
            "ALB, Listeners, Target Groups": Cells(("load-balancer", "target-groups", "sites")),
            "ACM Certificate": Cells(("certificate", "validation")),
            "S3 Bucket": Cells(("bucket", "files")),
            "IAM Roles and Policies": Cells(("roles",)),
        },
        {"Secrets": Cells(("secrets", "passwords"))},
    ),
    Table(
        "What Data Is Lost",
        {
            "User accounts, settings": Cells(("rows",)),
            "Uploaded documents": Cells(("files",)),
            "Document embeddings/vectors": Cells(("documents",)),
            "Chat history": Cells(("rows",)),
            "Connector configurations": Cells(("rows",)),
            "Session data": Cells(("redis",)),
        },
        {"Older versions of files": Cells(("older-files",))},
    ),
    Table(
        "Pause vs Destroy Comparison",
        {
            "Monthly cost while stopped": Cells(
                said={
                    PAUSE: "[an estimate](../explanation/pause-or-destroy.md#what-a-paused-stack-costs)",
                    DESTROY: "the storage of the backups",
                }
            ),
            "Restore time": Cells(
                said={
                    PAUSE: "the time RDS takes to start, then one start of the tasks",
                    DESTROY: "a complete apply, then the data",
                }
            ),
            "Data preserved": Cells(("rows", "files", "documents", "redis")),
            "DNS update needed": Cells(
                ("load-balancer", "records", "sites"), {DESTROY: "`orchestrate restore` updates it"}
            ),
            "Database creation needed": Cells(("databases",)),
            "Use case": Cells(
                said={
                    PAUSE: "nights, weekends, a week; longer with a daily `pause --keep-paused`",
                    DESTROY: "a month or more",
                }
            ),
        },
        {
            "Task counts": Cells(("counts",)),
            "Autoscaling": Cells(("autoscaling",), {DESTROY: "as Terraform configures it"}),
        },
    ),
)


def lines() -> Iterator[str]:
    """The page below its title."""
    yield "The guide's tables, and what happens to the same things here. What is in **bold** is tested: it is"
    yield "compared with what is there before and after, and the tests fail if anything else happens. (The tests and"
    yield "this page read the same file, `orchestrator/local/stories/comparison.json`.) What is in *italics* is not"
    yield "tested."
    yield ""
    for trip, names in SHOWN_BY.items():
        yield f"- **{trip}**: tested by {', '.join(f'`{name}`' for name in names)}"
    yield f"- **{DESTROY}**, with the real Terraform and terraform/: `make roundtrip`"
    yield ""
    for table in TABLES:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    head, *rows = _of_guide(table.section)
    yield f"## {table.section}"
    yield ""
    titles = [head[0], *(f"Guide: {title.lower()}" for title in head[1:])]
    yield _row([*titles, f"Here: {DESTROY}", f"Here: {PAUSE}"])
    yield f"|{'---|' * (len(titles) + 2)}"
    for row in rows:
        yield _row([*row, *_ours(table.rows[row[0]])])
    for name, cells in table.more.items():
        yield _row([name, *("" for _ in head[1:]), *_ours(cells)])
    yield ""


def _ours(cells: Cells) -> Iterator[str]:
    return (cells.of(trip) for trip in (DESTROY, PAUSE))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _of_guide(section: str) -> list[list[str]]:
    """The first table below a heading: its head and rows."""
    text = GUIDE.read_text(encoding="utf-8").partition(f"### {section}\n")[2]
    found = []
    for line in text.splitlines():
        if line.startswith("|"):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
        elif found:
            break
    return [row for row in found if set("".join(row)) != {"-"}]
