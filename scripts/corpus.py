"""Makes the corpus anew: `python scripts/corpus.py [STACK …]` (all without names; about two minutes each).

Each stack of tests/corpus is planned and applied by the real Terraform on a local cloud of its own; `plan.json` and
`state.json` are what `terraform show -json` then says, on one line. A stack with a folder `then` is planned once more
with those files over its own: `then.json` is that plan, of a change that hurts (or that must not). expected.json is
written by hand, never from here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.local.core import api
from orchestrator.local.endpoint import client
from orchestrator.local.toolchain import toolchain

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "corpus"
OURS = "ours"
"""The project's own stack: terraform/ with the example's values."""
ZONE = "vigilon.app"
LARGE = 60_000
"""Bytes from which a document is kept gzipped."""


def main(names: list[str]) -> None:
    """Make the named stacks, or all."""
    known = [OURS, *sorted(file.parent.name for file in CORPUS.glob("*/main.tf"))]
    for name in names or known:
        began = time.monotonic()
        make(name)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


def make(name: str) -> None:
    """Plan, apply, and write down what Terraform says."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TF_VAR_", "TF_CLI_AR"))}
    base = toolchain.prepare(clean).environment({**clean, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"})
    with tempfile.TemporaryDirectory(prefix="corpus-") as scratch:
        directory, arguments = _sources(name, Path(scratch))
        running = client.up("corpus", Path(scratch) / "cloud", speed=300)
        try:
            environment = base | client.ask(running, "env")
            _zone(environment)
            _record(name, directory, arguments, environment)
        finally:
            client.down(Path(scratch) / "cloud")


def _sources(name: str, scratch: Path) -> tuple[Path, list[str]]:
    ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.json", "*.gz")
    if name != OURS:
        shutil.copytree(CORPUS, scratch / "corpus", ignore=ignored)
        return scratch / "corpus" / name, []
    for part in ("terraform", "hooks"):
        shutil.copytree(ROOT / part, scratch / part, ignore=ignored)
    return scratch / "terraform", ["-var-file=examples/demo.tfvars"]


def _zone(environment: Mapping[str, str]) -> None:
    """A hosted zone that no stack owns."""
    api.client(environment, "route53").create_hosted_zone(Name=ZONE, CallerReference="corpus")


def _record(name: str, directory: Path, arguments: list[str], environment: Mapping[str, str]) -> None:
    def terraform(*words: str, ok: bool = True) -> str:
        done = subprocess.run(
            [environment["TERRAFORM_BIN"], *words],
            cwd=directory,
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
        )
        if ok and done.returncode:
            sys.exit(f"{name}: terraform {words[0]} failed\n{done.stdout}\n{done.stderr}")
        return done.stdout

    folder = CORPUS / name
    folder.mkdir(exist_ok=True)
    terraform("init", "-no-color")
    terraform("plan", "-no-color", "-out=the.plan", *arguments)
    write(folder / "plan.json", json.loads(terraform("show", "-json", "the.plan")))
    # A stack may be meant to fail half way: what it then left in its state is what counts.
    terraform("apply", "-no-color", "-parallelism=5", "the.plan", ok=not (folder / "breaks").exists())
    write(folder / "state.json", json.loads(terraform("show", "-json")))
    if (folder / "then").is_dir():
        shutil.copytree(folder / "then", directory, dirs_exist_ok=True)
        terraform("plan", "-no-color", "-out=then.plan", *arguments)
        write(folder / "then.json", json.loads(terraform("show", "-json", "then.plan")))


def write(file: Path, document: Any) -> None:
    """On one line, without the moment it was made; gzipped when large."""
    import gzip  # noqa: PLC0415 - for one stack of them

    document.pop("timestamp", None)
    text = json.dumps(document, separators=(",", ":")) + "\n"
    packed = file.with_name(file.name + ".gz")
    for one in (file, packed):
        one.unlink(missing_ok=True)
    if len(text) > LARGE:
        packed.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
