"""The double of OpenSearch refuses, fails and keeps documents as the original does, over TLS in earnest."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3

from orchestrator.local.opensearch.node import OPENS, READY, NodeSetup, OpenSearchNode
from tests.waiting import CLOSELY, until

PASSWORD = "Str0ng-enough"  # a password of the double's alone
LONG_AGO = 1_000_000.0
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


@dataclass
class Container:
    """The container the node is in, as its instance would run it."""

    folder: Path
    started: float | None = LONG_AGO
    password: str | None = PASSWORD
    environment: dict[str, str] = field(default_factory=dict)
    now: float = 2 * LONG_AGO

    def setup(self) -> NodeSetup:
        return NodeSetup(
            self.folder,
            lambda: self.started,
            lambda: self.password,
            lambda: self.environment,
            now=lambda: self.now,
        )


@dataclass
class Client:
    """Whoever asks it, as a rule with the right password."""

    node: OpenSearchNode
    container: Container
    user: str | None = f"admin:{PASSWORD}"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        pool = urllib3.HTTPSConnectionPool("127.0.0.1", self.node.port, cert_reqs="CERT_NONE", assert_hostname=False)
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        known = urllib3.make_headers(basic_auth=self.user) if self.user else {}
        sent = {"Content-Type": "application/json", **known, **headers}
        with pool:
            answer = pool.request(method, path, body=text, headers=sent, retries=False)
        said = answer.data.decode()
        return answer.status, json.loads(said) if said.startswith(("{", "[")) else said

    def kind(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        status, said = self.ask(method, path, body)
        return status, said["error"]["type"]

    def count(self, index: str = "_all") -> int:
        return int(self.ask("GET", f"/{index}/_count")[1]["count"])


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path / "data")


@pytest.fixture
def client(container: Container) -> Iterator[Client]:
    node = OpenSearchNode(container.setup())
    yield Client(node, container)
    node.close()


def lines(*actions: Mapping[str, Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in actions)


def filled(client: Client, number: int = 3) -> None:
    actions = [it for key in range(number) for it in ({"index": {"_id": str(key)}}, {"text": f"t{key}", "n": key})]
    status, said = client.ask("POST", "/chunks/_bulk?refresh=true", lines(*actions))
    assert (status, said["errors"]) == (200, False)


def test_documents_are_kept_found_counted_and_gone(client: Client) -> None:
    assert client.ask("PUT", "/chunks", {"settings": {"index.number_of_replicas": 0}})[0] == 200
    filled(client)
    assert client.count("chunks") == 3
    status, said = client.ask("GET", "/chunks/_doc/1")
    assert (status, said["_source"], said["_version"]) == (200, {"text": "t1", "n": 1}, 1)
    ids = {"query": {"ids": {"values": ["2", "7"]}}}
    assert [it["_id"] for it in client.ask("POST", "/chunks/_search", ids)[1]["hits"]["hits"]] == ["2"]
    assert client.ask("PUT", "/chunks/_doc/1?refresh=true", {"text": "new"})[1]["result"] == "updated"
    term = {"query": {"bool": {"filter": [{"term": {"text": "new"}}], "must_not": {"term": {"_id": "2"}}}}}
    assert client.ask("POST", "/chunks/_count", term)[1]["count"] == 1
    assert client.ask("DELETE", "/chunks/_doc/1?refresh=true")[0] == 200
    assert client.ask("DELETE", "/chunks/_doc/1")[0] == 404
    assert client.ask("GET", "/chunks/_doc/1") == (404, {"_index": "chunks", "_id": "1", "found": False})
    assert client.count() == 2
    assert client.ask("DELETE", "/chunks")[0] == 200
    assert client.kind("GET", "/chunks/_count") == (404, "index_not_found_exception")


def test_a_scroll_gives_everything_once(client: Client) -> None:
    filled(client, 7)
    status, page = client.ask("POST", "/chunks/_search?scroll=1m&size=3", {"_source": ["n"]})
    seen: list[Any] = []
    while page["hits"]["hits"]:
        seen += page["hits"]["hits"]
        status, page = client.ask("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": page["_scroll_id"]})
    assert status == 200
    assert sorted(it["_id"] for it in seen) == [str(key) for key in range(7)]
    assert seen[0]["_source"] == {"n": 0}
    assert client.kind("POST", "/_search/scroll", {"scroll_id": "?"}) == (404, "search_context_missing_exception")


def test_a_search_finds_what_was_written_a_second_later(client: Client) -> None:
    """Or at once after a refresh; by its id at once in any case."""
    filled(client)
    assert client.ask("PUT", "/chunks/_doc/new", {"n": 9})[0] == 201
    assert client.ask("GET", "/chunks/_doc/new")[0] == 200
    until("the index refreshes itself", lambda: client.count() == 4, often=CLOSELY)


def test_health_tells_what_one_node_can_not_have(client: Client) -> None:
    def colour() -> str:
        return str(client.ask("GET", "/_cluster/health")[1]["status"])

    assert colour() == "green"
    client.ask("PUT", "/chunks", {"settings": {"number_of_replicas": 0}})
    assert colour() == "green"
    client.ask("PUT", "/other")
    assert colour() == "yellow", "a replica is assigned to nobody"
    (client.container.folder / "shard.damaged").touch()
    assert colour() == "red"


@pytest.mark.parametrize(
    ("method", "path", "body", "refusal"),
    [
        ("GET", "/none/_doc/1", None, (404, "index_not_found_exception")),
        ("PUT", "/Chunks", {}, (400, "invalid_index_name_exception")),
        ("PUT", "/chunks", {}, (400, "resource_already_exists_exception")),
        ("PUT", "/chunks/_create/1", {}, (409, "version_conflict_engine_exception")),
        ("POST", "/_bulk", '{"index": {"_index": "chunks"}}\n{}', (400, "illegal_argument_exception")),
        ("POST", "/_bulk", '{"move": {}}\n', (400, "illegal_argument_exception")),
        ("POST", "/_bulk", '{"index": {}}\n{}\n', (400, "action_request_validation_exception")),
        ("POST", "/chunks/_search", {"size": 10_001}, (400, "illegal_argument_exception")),
        ("POST", "/chunks/_search", {"query": {"knn": {}}}, (400, "parsing_exception")),
        ("PUT", "/chunks/_doc/1", "{not json", (400, "parse_exception")),
        ("PUT", "/_snapshot/s3", {"type": "s3"}, (400, "repository_exception")),
        ("PUT", "/_snapshot/fs", {"type": "fs", "settings": {"location": "/b"}}, (500, "repository_exception")),
        ("GET", "/_snapshot/fs/one", None, (404, "repository_missing_exception")),
    ],
)
def test_what_can_not_be_is_refused(
    client: Client, method: str, path: str, body: Any, refusal: tuple[int, str]
) -> None:
    filled(client)
    assert client.kind(method, path, body) == refusal
    assert client.count() == 3


def test_what_nobody_has(client: Client) -> None:
    assert client.ask("GET", "/chunks/_nothing")[0] == 400
    assert client.ask("GET", "/_bulk")[0] == 405
    assert client.ask("PUT", "/chunks/_doc/1", "{}", **{"Content-Type": "text/plain"})[0] == 406


def test_a_disk_that_is_nearly_full_is_read_only(client: Client) -> None:
    """Indexes can still be read and deleted; when there is room again the block goes by itself."""
    filled(client)
    disk = client.container.folder / "disk.percent"
    disk.write_text("96")
    assert client.kind("PUT", "/chunks/_doc/new", {}) == (429, "cluster_block_exception")
    said = client.ask("POST", "/chunks/_bulk", lines({"index": {"_id": "9"}}, {}))[1]
    assert (said["errors"], said["items"][0]["index"]["status"]) == (True, 429)
    assert client.count() == 3
    disk.write_text("93")
    assert client.ask("PUT", "/chunks/_doc/new", {})[0] == 429, "below the flood stage alone it stays"
    disk.write_text("80")
    assert client.ask("PUT", "/chunks/_doc/new", {})[0] == 201


def test_only_who_knows_the_first_password_comes_in(client: Client) -> None:
    filled(client)
    client.container.password = "An0ther-one"  # the environment's next one: the data folder has its own by now
    assert client.count() == 3
    for user in (None, "admin:An0ther-one", f"root:{PASSWORD}"):
        client.user = user
        assert client.ask("GET", "/_cluster/health") == (401, "Unauthorized")


@pytest.mark.parametrize("password", [None, "short1A", "nodigitsOrSigns"])
def test_without_a_good_password_it_never_serves(client: Client, password: str | None) -> None:
    client.container.password = password
    with pytest.raises(urllib3.exceptions.HTTPError):
        client.ask("GET", "/")


def test_a_stranger_s_certificate_and_plain_http(client: Client) -> None:
    pool = urllib3.HTTPSConnectionPool("localhost", client.node.port, ssl_context=ssl.create_default_context())
    with pytest.raises(urllib3.exceptions.SSLError), pool:
        pool.request("GET", "/", retries=False)
    plain = urllib3.HTTPConnectionPool("127.0.0.1", client.node.port)
    with pytest.raises(urllib3.exceptions.ProtocolError), plain:
        plain.request("GET", "/", retries=False)


def test_what_is_written_outlasts_the_container(client: Client) -> None:
    filled(client)
    _, page = client.ask("POST", "/chunks/_search?scroll=1m&size=1")
    client.container.started = None
    with pytest.raises(urllib3.exceptions.HTTPError):
        client.ask("GET", "/")
    client.container.started = LONG_AGO + 1
    assert client.count() == 3
    assert client.ask("POST", "/_search/scroll", {"scroll_id": page["_scroll_id"]})[0] == 404, "scrolls do not"


def test_it_takes_its_time(client: Client) -> None:
    client.container.now = LONG_AGO + OPENS / 2
    with pytest.raises(urllib3.exceptions.HTTPError):
        client.ask("GET", "/")
    client.container.now = LONG_AGO + (OPENS + READY) / 2
    assert client.ask("GET", "/") == (503, "OpenSearch Security not initialized.")
    client.container.now = LONG_AGO + READY
    assert client.ask("GET", "/")[0] == 200


def test_a_snapshot_brings_back_what_was(client: Client) -> None:
    client.container.environment["path.repo"] = "/usr/share/opensearch/backup"
    filled(client)
    place = {"type": "fs", "settings": {"location": "/usr/share/opensearch/backup/a"}}
    assert client.ask("PUT", "/_snapshot/a", place)[0] == 200
    taken = client.ask("PUT", "/_snapshot/a/one?wait_for_completion=true", {"indices": "chunks"})
    assert (taken[0], taken[1]["snapshot"]["state"]) == (200, "SUCCESS")
    assert client.kind("PUT", "/_snapshot/a/one") == (400, "invalid_snapshot_name_exception")
    assert client.kind("POST", "/_snapshot/a/one/_restore") == (500, "snapshot_restore_exception")
    client.ask("DELETE", "/chunks")
    assert client.ask("POST", "/_snapshot/a/one/_restore")[0] == 200
    assert client.count("chunks") == 3
    assert client.ask("DELETE", "/_snapshot/a/one")[0] == 200
    assert client.kind("GET", "/_snapshot/a/one") == (404, "snapshot_missing_exception")
