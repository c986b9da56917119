"""A tenant's documents, written and read on its index's own instance, without the orchestrator's code.

Each of both is a shell script for the instance. A password gets to no command line: the instance reads it in its
secret, and curl takes it from standard input.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

INDEX = "danswer_chunk_nomic_ai_nomic_embed_text_v1"
"""The name that Onyx gives its index in OpenSearch with its default embedding model."""
MANY = 10_000
_LOGIN = """import json, sys
said = json.load(sys.stdin)
print("user = " + json.dumps(said["username"] + ":" + said["password"], ensure_ascii=False))"""
"""A line of curl's configuration, which takes UTF-8 as it is."""


class TenantDocuments(Protocol):
    """Where a tenant's documents are."""

    @property
    def instance(self) -> str:
        """The id of the instance that the scripts are for."""

    def write(self, numbers: Sequence[int]) -> str:
        """A script that writes these."""

    def read(self) -> str:
        """A script that prints all there are."""

    def found(self, said: str) -> Iterator[str]:
        """Each document of what `read` printed, with its id."""


def documents_of(contract: Mapping[str, Any], tenant: str) -> TenantDocuments:
    """In OpenSearch where the tenant has one, else in Vespa."""
    index = (contract["tenants"][tenant].get("index") or {}).get("opensearch")
    if index is None:
        return DocumentsInVespa(tenant, contract["vespa"][tenant]["instance_id"])
    return DocumentsInOpenSearch(tenant, index["instance_id"], index["secret_arn"], contract["region"])


def _fields(tenant: str, number: int, chunk: str) -> Mapping[str, Any]:
    """What Onyx keeps of a document's first chunk, whose number is in the field `chunk`."""
    known = {"document_id": f"{tenant}-{number}", "content": f"{tenant} knows {number}", "embedding": [number, 0.5]}
    return {chunk: 0, **known}


@dataclass(frozen=True, slots=True)
class DocumentsInVespa:
    """By its document API."""

    tenant: str
    instance: str

    def write(self, numbers: Sequence[int]) -> str:
        """One request for each."""
        return "\n".join(["set -e", *(self._put(number) for number in numbers)])

    def _put(self, number: int) -> str:
        document = json.dumps({"fields": _fields(self.tenant, number, "chunk_id")})
        url = f"http://localhost:8081/document/v1/default/danswer_chunk/docid/{self.tenant}-{number}"
        return f"curl -sf -o /dev/null -X POST -H 'Content-Type: application/json' -d {shlex.quote(document)} {url}"

    def read(self) -> str:
        """A visit."""
        return f"curl -sf 'http://localhost:8081/document/v1/?wantedDocumentCount={MANY}'"

    def found(self, said: str) -> Iterator[str]:
        """As Vespa writes them."""
        yield from (json.dumps(one, sort_keys=True) for one in json.loads(said)["documents"])


@dataclass(frozen=True, slots=True)
class DocumentsInOpenSearch:
    """By its REST API."""

    tenant: str
    instance: str
    secret: str
    region: str

    def write(self, numbers: Sequence[int]) -> str:
        """One bulk request; the script fails if any of it does."""
        lines: list[Mapping[str, Any]] = []
        for number in numbers:
            lines += [{"index": {"_id": f"{self.tenant}-{number}"}}, _fields(self.tenant, number, "chunk_index")]
        body = "".join(f"{json.dumps(line)}\n" for line in lines)
        asked = f"-X POST -H 'Content-Type: application/x-ndjson' --data-binary {shlex.quote(body)}"
        check = "import json,sys; sys.exit(json.load(sys.stdin)['errors'])"
        return f"{self._ask(f'{INDEX}/_bulk?refresh=true', asked)} | python3 -c {shlex.quote(check)}"

    def read(self) -> str:
        """One search for everything."""
        query = json.dumps({"size": MANY, "query": {"match_all": {}}})
        return self._ask(f"{INDEX}/_search", f"-X POST -H 'Content-Type: application/json' -d {shlex.quote(query)}")

    def found(self, said: str) -> Iterator[str]:
        """Id and fields; raises KeyError for an answer that isn't a search's."""
        for hit in json.loads(said)["hits"]["hits"]:
            yield json.dumps({"id": hit["_id"], "fields": hit["_source"]}, sort_keys=True)

    def _ask(self, path: str, options: str) -> str:
        value = (
            f"aws secretsmanager get-secret-value --region {self.region} --secret-id {self.secret} "
            "--query SecretString --output text"
        )
        login = f"{value} | python3 -c {shlex.quote(_LOGIN)}"
        return f"set -e -o pipefail\n{login} | curl -sfk -K - {options} 'https://localhost:9200/{path}'"
