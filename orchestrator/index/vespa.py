"""Vespa, as Onyx 2 uses it.

Onyx serves queries on 8081, once the api has deployed its application package there: that proves nothing about a fresh
Vespa. What counts as healthy is the config server, which takes the package.
"""

from __future__ import annotations

from typing import Any

from orchestrator.index.provider import IndexProvider, TaskSetting
from orchestrator.stack.indexes import VESPA, Vespa

_PROBE = """
curl -sf -m 5 -o /dev/null "http://localhost:$2/state/v1/health" && healthy=true || healthy=false
count="http://localhost:$1/search/?yql=select%20*%20from%20sources%20*%20where%20true&hits=0"
counted=$(curl -sf -m 10 "$count" || true)"""


def _documents(counted: Any) -> int | None:
    root = counted.get("root") if isinstance(counted, dict) else None
    number = root.get("fields", {}).get("totalCount") if isinstance(root, dict) and "errors" not in root else None
    return number if isinstance(number, int) else None


def _settings(index: Vespa) -> dict[str, TaskSetting]:
    return {
        "VESPA_HOST": TaskSetting(index.host),
        "VESPA_PORT": TaskSetting(str(index.port), "8081"),
        "VESPA_TENANT_PORT": TaskSetting(str(index.config_port), "19071"),
    }


PROVIDER: IndexProvider[Vespa] = IndexProvider(
    name=VESPA,
    title="Vespa",
    image="vespaengine/vespa",
    data="/opt/vespa/var",
    mounted="/opt/vespa",
    answerer="its config server",
    host_variable="VESPA_HOST",
    port_variable="VESPA_PORT",
    guide_section="Vespa Vector Search Issues",
    probe=_PROBE,
    documents=_documents,
    counter="count_vespa.py",
    words=lambda index: (str(index.port), str(index.config_port)),
    ports=lambda index: (index.port, index.config_port),
    settings=_settings,
)
