"""Where a stack's lock lives: beside the Terraform state that everybody who works on the stack shares."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.lock import Lock
from orchestrator.errors import Invalid, Problem

_BACKEND = re.compile(r'^[ \t]*(?:backend[ \t]+"(?!local")(\w+)"|(cloud))[ \t]*\{', re.MULTILINE)
_FIX = "name a folder that all runs on this stack share with --lock-dir"


def lock_of(directory: Path, environment: Mapping[str, str], lock_dir: Path | None) -> Lock:
    """The lock of the stack of `directory`. Raises `Invalid` (`lock-place-unknown`) where the backend has no place.

    Local state: a file beside it. S3: an object beside it. A folder without Terraform (the contract comes from
    elsewhere): a file in its `.orchestrate`. `lock_dir` overrides all.
    """
    if lock_dir:
        return FileLock(lock_dir / "orchestrate.lock")
    data = directory / environment.get("TF_DATA_DIR", ".terraform")
    configuration = _configuration(directory)
    if configuration is None and not data.exists() and not (directory / "terraform.tfstate").exists():
        return FileLock(directory / ".orchestrate" / "orchestrate.lock")
    kind, config = _backend(data / "terraform.tfstate", configuration or "", directory)
    workspace = environment.get("TF_WORKSPACE") or _selected(data / "environment")
    if kind == "local":
        state = directory / local_state(config, workspace)
        return FileLock(state.with_name(state.name + ".orchestrate.lock"))
    if kind == "s3":
        return _in_s3(config, workspace)
    raise _unknown(f"Terraform's backend {kind!r} offers no place for a lock", directory)


def local_state(config: Mapping[str, Any], workspace: str) -> Path:
    """The state's file, as Terraform's local backend names it."""
    path = Path(config.get("path") or "terraform.tfstate")
    if workspace == "default":
        return path
    return Path(config.get("workspace_dir") or "terraform.tfstate.d") / workspace / path.name


def s3_key(config: Mapping[str, Any], workspace: str) -> str:
    """The state's key, as Terraform's S3 backend names it."""
    key = str(config.get("key") or "").lstrip("/")
    prefix = str(config.get("workspace_key_prefix") or "env:").strip("/")
    return key if workspace == "default" else f"{prefix}/{workspace}/{key}"


def _in_s3(config: Mapping[str, Any], workspace: str) -> Lock:
    if config.get("assume_role") or config.get("role_arn") or config.get("assume_role_with_web_identity"):
        raise _unknown("the state's S3 backend assumes a role of its own", "backend s3")
    # boto3 takes half a second to import, and most stacks' locks are files.
    from orchestrator.aws import s3_object  # noqa: PLC0415
    from orchestrator.engine.s3_lock import S3Lock  # noqa: PLC0415

    endpoints = config.get("endpoints") or {}
    client = s3_object.connect(
        region=config.get("region"),
        profile=config.get("profile"),
        endpoint=endpoints.get("s3") or config.get("endpoint"),
        path_style=bool(config.get("use_path_style") or config.get("force_path_style")),
        keys=(config["access_key"], config["secret_key"]) if config.get("access_key") else None,
    )
    slot = s3_object.S3Object(client, str(config.get("bucket")), s3_key(config, workspace) + ".orchestrate-lock")
    return S3Lock(slot, _seconds)


def _seconds() -> float:
    """Seconds that pass while a laptop sleeps too, as they do for the lock; `time.monotonic` stops then."""
    asleep_too = getattr(time, "CLOCK_BOOTTIME", None)
    return time.time() if asleep_too is None else time.clock_gettime(asleep_too)


def _configuration(directory: Path) -> str | None:
    """Terraform's files, one after the other; None when there are none."""
    files = sorted((*directory.glob("*.tf"), *directory.glob("*.tofu")))
    return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files) if files else None


def _backend(file: Path, configuration: str, directory: Path) -> tuple[str, Mapping[str, Any]]:
    """What `terraform init` noted; without a note it is local, unless the configuration asks for another."""
    try:
        backend = json.loads(file.read_text(encoding="utf-8")).get("backend")
    except FileNotFoundError:
        backend = None
        if asked := _BACKEND.search(configuration):
            message = f"the directory is not initialised for its backend {asked[1] or asked[2]!r}"
            fix = f"run `terraform init`, or {_FIX}"
            raise Invalid(Problem("lock-place-unknown", message, str(directory), fix)) from None
    except (OSError, ValueError, AttributeError) as error:
        raise Invalid(Problem("lock-place-unknown", str(error), str(file), "run `terraform init` again")) from None
    if not isinstance(backend, Mapping):
        return "local", {}
    config = backend.get("config")
    return str(backend.get("type") or "local"), config if isinstance(config, Mapping) else {}


def _selected(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip() or "default"
    except OSError:
        return "default"


def _unknown(message: str, where: Path | str) -> Invalid:
    return Invalid(Problem("lock-place-unknown", message, str(where), _FIX))
