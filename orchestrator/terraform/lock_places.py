"""Where a stack's lock lives: beside the Terraform state that everybody who works on the stack shares."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.lock import Lock
from orchestrator.errors import Invalid, Problem

_BACKEND = re.compile(r'^[ \t]*(?:backend[ \t]+"(?!local")(\w+)"|(cloud))[ \t]*\{', re.MULTILINE)
_FIX = (
    "name a place that all runs on this stack share: --lock s3://BUCKET/KEY for runs on any machine, --lock-dir "
    "FOLDER for those on machines that share the folder"
)

BESIDE = ".orchestrate-lock"
"""What is added to a key in S3: whoever has the state's URL and whoever has its configuration share one lock."""
_WEB = "backend s3, assume_role_with_web_identity"

Sign = Callable[[], Any]
"""Gives the command's own `aws.access.Access`, when it is needed."""


def lock_of(
    directory: Path,
    environment: Mapping[str, str],
    lock_dir: Path | None,
    *,
    lock: tuple[str, str] | None = None,
    access: Sign = lambda: None,
    contract: str | None = None,
) -> Lock:
    """The lock of the stack of `directory`. Raises `Invalid` (`lock-place-unknown`) where the backend has no place.

    Local state: a file beside it. S3: an object beside it. A folder without Terraform (the contract comes from
    elsewhere): an object beside `contract` where that is s3://BUCKET/KEY, else a file in its `.orchestrate`. `lock`
    (bucket and key) overrides all, then `lock_dir`.
    """
    region = {"region": environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")}
    if lock:
        return _object(region, *lock, environment=environment, access=access)
    if lock_dir:
        return FileLock(lock_dir / "orchestrate.lock")
    data = directory / (environment.get("TF_DATA_DIR") or ".terraform")
    configuration = _configuration(directory)
    if configuration is None and not data.exists() and not (directory / "terraform.tfstate").exists():
        if contract and contract.startswith("s3://"):
            bucket, _, key = contract.removeprefix("s3://").partition("/")
            return _object(region, bucket, key + BESIDE, environment=environment, access=access)
        return FileLock(directory / ".orchestrate" / "orchestrate.lock")
    kind, config = _backend(data / "terraform.tfstate", configuration or "", directory)
    workspace = environment.get("TF_WORKSPACE") or _selected(data / "environment")
    if kind == "local":
        state = directory / local_state(config, workspace)
        return FileLock(state.with_name(state.name + ".orchestrate.lock"))
    if kind == "s3":
        return _in_s3(config, workspace, environment, access)
    raise _unknown(f"Terraform's {kind!r} backend can't hold orchestrate's lock", directory)


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


def _in_s3(config: Mapping[str, Any], workspace: str, environment: Mapping[str, str], access: Sign) -> Lock:
    identity = web_identity_of(config, environment)
    key = s3_key(config, workspace) + BESIDE
    return _object(config, str(config.get("bucket")), key, environment=environment, access=access, identity=identity)


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """A role that an S3 backend is given for a token; `given` is what else AssumeRoleWithWebIdentity is told."""

    role: str
    token: Callable[[], str] = field(compare=False)
    given: Mapping[str, Any] = field(default_factory=dict)


def web_identity_of(config: Mapping[str, Any], environment: Mapping[str, str]) -> WebIdentity | None:
    """What the backend's block says; what it leaves out, Terraform takes from the environment. None: no such block.

    Raises `Invalid` where either is missing: Terraform itself doesn't come to its state then.
    """
    said = _block(config, "assume_role_with_web_identity")
    if not any(said.values()):
        return None
    role = str(said.get("role_arn") or environment.get("AWS_ROLE_ARN") or "")
    file = str(said.get("web_identity_token_file") or environment.get("AWS_WEB_IDENTITY_TOKEN_FILE") or "")
    text = str(said.get("web_identity_token") or "")
    if not role or not (file or text):
        missing = "the token" if role else "the role"
        raise _unknown(f"the state's S3 backend assumes a role with a web identity, and {missing} is missing", _WEB)
    given = {
        "RoleSessionName": said.get("session_name") or environment.get("AWS_ROLE_SESSION_NAME"),
        "Policy": said.get("policy"),
        "PolicyArns": [{"arn": arn} for arn in said.get("policy_arns") or ()],
    }
    token = partial(_token_in, Path(file)) if file and not text else lambda: text
    return WebIdentity(role, token, {name: value for name, value in given.items() if value})


def _token_in(file: Path) -> str:
    """Raises `Invalid` where it can't be read. What is in it is a secret."""
    try:
        return file.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        fix = "have the token's issuer write it there (web_identity_token_file, AWS_WEB_IDENTITY_TOKEN_FILE)"
        message = f"the token of the state's web identity can't be read: {why}"
        raise Invalid(Problem("web-identity-token-unreadable", message, str(file), fix)) from None


def _object(
    config: Mapping[str, Any],
    bucket: str,
    key: str,
    *,
    environment: Mapping[str, str],
    access: Sign,
    identity: WebIdentity | None = None,
) -> Lock:
    """The object, reached and written as a backend with this configuration reaches and writes its state."""
    # boto3 takes half a second to import, and most stacks' locks are files.
    from orchestrator.aws import s3_object
    from orchestrator.aws.session import lazily
    from orchestrator.engine.s3_lock import S3Lock

    endpoints = _block(config, "endpoints")
    arn, given = (identity.role, identity.given) if identity else role_of(config)
    sts = endpoints.get("sts") or config.get("sts_endpoint")

    def connected() -> Any:
        return s3_object.connect(
            environment,
            region=config.get("region"),
            profile=config.get("profile"),
            endpoint=endpoints.get("s3") or config.get("endpoint"),
            path_style=bool(config.get("use_path_style") or config.get("force_path_style")),
            keys=(config["access_key"], config["secret_key"]) if config.get("access_key") else None,
            files=_files(config),
            role=s3_object.AssumedRole(arn, given, sts, identity.token if identity else None) if arn else None,
            access=access(),
        )

    accounts: list[Any] = list(config.get("allowed_account_ids") or ())
    owner = str(accounts[0]) if len(accounts) == 1 else ""
    slot = s3_object.S3Object(lazily(connected), bucket, key, written=written_as(config), owner=owner)
    return S3Lock(slot, _seconds)


def role_of(config: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The role that an S3 backend assumes (empty: none), and what else AssumeRole is told; Terraform has two forms."""
    block = _block(config, "assume_role")
    said = block or {name.removeprefix("assume_role_"): value for name, value in config.items()}
    tags = [{"Key": key, "Value": value} for key, value in (said.get("tags") or {}).items()] if block else []
    given = {
        "RoleSessionName": said.get("session_name"),
        "ExternalId": said.get("external_id"),
        "Policy": said.get("policy"),
        "PolicyArns": [{"arn": arn} for arn in said.get("policy_arns") or ()],
        "SourceIdentity": said.get("source_identity"),
        "Tags": tags,
        "TransitiveTagKeys": list(said.get("transitive_tag_keys") or ()),
        "DurationSeconds": said.get("duration_seconds"),
    }
    return str(said.get("role_arn") or ""), {name: value for name, value in given.items() if value}


def written_as(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """How an S3 backend writes its state, which the bucket's policy may demand of whatever is written there."""
    said = {"ACL": config["acl"]} if config.get("acl") else {}
    if config.get("sse_customer_key"):
        key = base64.b64decode(str(config["sse_customer_key"]))
        return said | {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}
    if config.get("kms_key_id"):
        return said | {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": str(config["kms_key_id"])}
    return said | ({"ServerSideEncryption": "AES256"} if config.get("encrypt") else {})


def _files(config: Mapping[str, Any]) -> dict[str, str]:
    """Botocore's names of the files of profiles that a backend names."""
    shared = [*(config.get("shared_credentials_files") or ()), config.get("shared_credentials_file")]
    configs = list(config.get("shared_config_files") or ())
    named = {"credentials_file": next(filter(None, shared), ""), "config_file": next(filter(None, configs), "")}
    return {name: str(path) for name, path in named.items() if path}


def _block(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A block as Terraform notes it: an object, or a list of one."""
    said = config.get(name)
    said = said[0] if isinstance(said, list) and said else said
    return said if isinstance(said, Mapping) else {}


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
            message = f"the directory is not initialized for its backend {asked[1] or asked[2]!r}"
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
