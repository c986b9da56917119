"""What an operator has set up wrongly: one problem with a code, naming the variable or the file; never a traceback."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.unit.cli.command_line import Said, fresh, said_by

CONTRACT = json.loads((Path(__file__).parent / "contract.json").read_text(encoding="utf-8"))
KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
SECRET = "wJalr-never-shown"
CORP = {"AWS_PROFILE": "corp"}
ROLE = "role_arn = arn:aws:iam::123456789012:role/x\n"
STATIC = f"aws_access_key_id = a\naws_secret_access_key = {SECRET}\n"
SSO = "sso_start_url = https://corp\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = x\n"
TOKEN = f".aws/sso/cache/{hashlib.sha1(b'https://corp', usedforsecurity=False).hexdigest()}.json"


@dataclass(frozen=True)
class Case:
    """Surroundings, and what must be said of them. `config` is that of the profile corp, unless it has sections."""

    code: str
    names: str
    environment: Mapping[str, str] = field(default_factory=dict)
    config: str | bytes = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    argv: tuple[str, ...] = ()


def process(script: str) -> str:
    return f"credential_process = sh -c '{script}'\n"


def named(code: str, names: str, **environment: str) -> Case:
    """Variables beside good keys."""
    return Case(code, names, {**KEYS, **environment})


def corp(code: str, names: str, config: str | bytes, **files: bytes) -> Case:
    return Case(code, names, CORP, config, files)


ENDED = (
    'echo {\\"Version\\": 1, \\"AccessKeyId\\": \\"a\\", \\"SecretAccessKey\\": \\"b\\", \\"SessionToken\\": \\"c\\", '
)
CASES: Mapping[str, Case] = {
    "AWS_PROFILE": Case("aws-profile-unknown", "AWS_PROFILE names", {"AWS_PROFILE": "nobody"}),
    "AWS_DEFAULT_PROFILE": Case("aws-profile-unknown", "AWS_DEFAULT_PROFILE", {"AWS_DEFAULT_PROFILE": "nobody"}),
    "ORCHESTRATE_PROFILE": Case("aws-profile-unknown", "ORCHESTRATE_PROFILE", {"ORCHESTRATE_PROFILE": "nobody"}),
    "--profile": Case("aws-profile-unknown", "did you mean 'corp'", {}, STATIC, argv=("--profile", "crop")),
    "orchestrate.toml": Case("aws-profile-unknown", "toml", files={"work/orchestrate.toml": b'profile = "nobody"\n'}),
    "section twice": corp("aws-setup-invalid", "config:3", "[profile corp]\nregion = a\n[profile corp]\n"),
    "key twice": corp("aws-setup-invalid", "config:3", "[profile corp]\nregion = a\nregion = b\n"),
    "no key": corp("aws-setup-invalid", "config:2", f"[profile corp]\naws_secret_access_key {SECRET}\n"),
    "no section": corp("aws-setup-invalid", "config:1", "region = us-west-2\n[profile corp]\n"),
    "byte order mark": corp("aws-setup-invalid", "byte order mark", b"\xef\xbb\xbf[profile corp]\nregion = a\n"),
    "UTF-16": corp("aws-setup-invalid", "UTF-16", "[profile corp]\n".encode("utf-16")),
    "Latin-1": corp("aws-setup-invalid", "not UTF-8", b"[profile corp]\n# \xe9\xff\n"),
    "nested": corp("aws-setup-invalid", "config", "[profile corp]\ns3 =\n  addressing path\n"),
    "a directory": Case("aws-setup-invalid", "AWS_CONFIG_FILE", {**CORP, "AWS_CONFIG_FILE": "."}),
    "keys' file": Case("aws-setup-invalid", "keys:1", CORP, STATIC, {"keys": b"nonsense\n"}),
    "process says why": corp("credentials-missing", "run corp-login", process("echo run corp-login >&2; exit 3")),
    "process not there": corp("credentials-missing", "/no/such/program", "credential_process = /no/such/program\n"),
    "process is empty": corp("credentials-missing", "empty", "credential_process =\n"),
    "process without an end": corp("credentials-missing", "closing quotation", 'credential_process = sh -c "oops\n'),
    "process with a banner": corp("credentials-missing", "JSON", "credential_process = echo Welcome\n"),
    "process with a list": corp("credentials-missing", "JSON", "credential_process = echo []\n"),
    "process of version 2": corp("credentials-missing", "version '2'", 'credential_process = echo {\\"Version\\":2}\n'),
    "process without keys": corp("credentials-missing", "AccessKeyId", 'credential_process = echo {\\"Version\\":1}\n'),
    "process of no text": corp("credentials-missing", "JSON", process("head -c 9 /dev/zero")),
    "process is late": corp(
        "credentials-expired",
        "expired",
        f'credential_process = {ENDED}\\"Expiration\\": \\"2020-01-01T00:00:00Z\\"}}\n',
    ),
    "half a key": Case("credentials-missing", "AWS_SECRET_ACCESS_KEY", {"AWS_ACCESS_KEY_ID": "x"}),
    "the other half": Case("credentials-missing", "AWS_ACCESS_KEY_ID is not", {"AWS_SECRET_ACCESS_KEY": SECRET}),
    "half a profile": corp("credentials-missing", "aws_secret_access_key", "aws_access_key_id = x\n"),
    "source in a circle": corp(
        "aws-setup-invalid",
        "corp",
        f"[profile corp]\n{ROLE}source_profile = b\n[profile b]\n{ROLE}source_profile = corp\n",
    ),
    "source missing": corp("aws-setup-invalid", "nobody", f"{ROLE}source_profile = nobody\n"),
    "role without a source": corp("credentials-missing", "source_profile", ROLE),
    "unknown source": corp("aws-setup-invalid", "Moon", f"{ROLE}credential_source = Moon\n"),
    "two sources": corp(
        "aws-setup-invalid",
        "both",
        f"[profile corp]\n{ROLE}credential_source = Environment\nsource_profile = b\n[profile b]\n",
    ),
    "process of the source": corp(
        "credentials-missing",
        "run corp-login",
        f"[profile corp]\n{ROLE}source_profile = b\n[profile b]\n{process('echo run corp-login >&2; exit 1')}",
    ),
    "MFA without a terminal": corp(
        "mfa-needs-terminal",
        "mfa/me",
        f"[profile corp]\n{ROLE}mfa_serial = arn:aws:iam::123456789012:mfa/me\nsource_profile = b\n"
        f"[profile b]\n{STATIC}",
    ),
    "web identity": Case(
        "credentials-missing",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x"},
    ),
    "SSO session missing": corp(
        "aws-setup-invalid", '"my"', "sso_session = my\nsso_account_id = 123456789012\nsso_role_name = x\n"
    ),
    "SSO never signed in": corp("credentials-expired", "aws sso login", SSO),
    "SSO signed in long ago": Case(
        "credentials-expired",
        "aws sso login",
        CORP,
        SSO,
        {TOKEN: b'{"accessToken": "a", "expiresAt": "2020-01-01T00:00:00Z"}'},
    ),
    "SSO token cut short": Case("credentials-missing", "aws sso login", CORP, SSO, {TOKEN: b'{"accessTok'}),
    "end point without scheme": named("aws-setup-invalid", "AWS_ENDPOINT_URL", AWS_ENDPOINT_URL="127.0.0.1:4566"),
    "end point of a name": named("aws-setup-invalid", "AWS_ENDPOINT_URL", AWS_ENDPOINT_URL="localhost:4566"),
    "end point of FTP": named("aws-setup-invalid", "http", AWS_ENDPOINT_URL="ftp://127.0.0.1"),
    "end point's port": named("aws-setup-invalid", "AWS_ENDPOINT_URL", AWS_ENDPOINT_URL="http://127.0.0.1:99999"),
    "another's end point": named("aws-setup-invalid", "AWS_ENDPOINT_URL_ECS", AWS_ENDPOINT_URL_ECS="127.0.0.1:1"),
    "end point in the file": corp("aws-setup-invalid", "endpoint_url", f"{STATIC}endpoint_url = 127.0.0.1:4566\n"),
    "end point of a service": corp(
        "aws-setup-invalid",
        "services: sts",
        f"[profile corp]\n{STATIC}services = s\n[services s]\nsts =\n  endpoint_url = 127.0.0.1:4566\n",
    ),
    "services missing": corp("aws-setup-invalid", '"s"', f"{STATIC}services = s\n"),
    "no authorities": named("aws-setup-invalid", "AWS_CA_BUNDLE", AWS_CA_BUNDLE="/no/such.pem"),
    "authorities of no PEM": named("aws-setup-invalid", "AWS_CA_BUNDLE", AWS_CA_BUNDLE=__file__),
    "authorities of the file": corp("aws-setup-invalid", "ca_bundle", f"{STATIC}ca_bundle = /no/such.pem\n"),
    "proxy of words": named("aws-setup-invalid", "HTTPS_PROXY", HTTPS_PROXY="not a proxy"),
    "proxy's port": named("aws-setup-invalid", "HTTPS_PROXY", HTTPS_PROXY=f"http://me:{SECRET}@127.0.0.1:abc"),
    "proxy of SOCKS": named("aws-setup-invalid", "HTTPS_PROXY", HTTPS_PROXY="socks5://127.0.0.1:9"),
    "attempts": named("aws-setup-invalid", "AWS_MAX_ATTEMPTS", AWS_MAX_ATTEMPTS="many"),
    "retries": named("aws-setup-invalid", "AWS_RETRY_MODE", AWS_RETRY_MODE="wild"),
    "metadata's patience": Case("aws-setup-invalid", "METADATA", {"AWS_METADATA_SERVICE_TIMEOUT": "soon"}),
    "metadata's address": Case(
        "aws-setup-invalid",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "nowhere"},
    ),
    "metadata unreachable": Case(
        "credentials-missing",
        "AWS_PROFILE",
        {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"},
    ),
    "container's address": Case(
        "credentials-missing", "example.com", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/x"}
    ),
    "key with a line break": named("credentials-malformed", "AWS_ACCESS_KEY_ID", AWS_ACCESS_KEY_ID="AKIA\n"),
    "secret with a space": named("credentials-malformed", "AWS_SECRET_ACCESS_KEY", AWS_SECRET_ACCESS_KEY=f"{SECRET} "),
    "token in two lines": named("credentials-malformed", "AWS_SESSION_TOKEN", AWS_SESSION_TOKEN=f"{SECRET}\n{SECRET}"),
    "token of a word processor": named("credentials-malformed", "TOKEN", AWS_SESSION_TOKEN=f"„{SECRET}“"),
}


def surroundings(home: Path, case: Case) -> dict[str, str]:
    """HOME with the files of the case, and the environment."""
    config = case.config
    if isinstance(config, str) and config and not config.startswith("[") and not config.startswith("region"):
        config = f"[profile corp]\nregion = us-west-2\n{config}"
    files = {"config": config.encode() if isinstance(config, str) else config, **case.files}
    for name, content in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    (home / "work").mkdir(exist_ok=True)
    aws = {"AWS_CONFIG_FILE": str(home / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(home / "keys")}
    return {"HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", **aws, **case.environment}


def clear(said: Said, code: str, names: str) -> None:
    """One problem, its code and what it is about; no defect of ours, no secret, status 2."""
    assert "Traceback" not in said.text, said.text
    assert "bug in orchestrate" not in said.text, said.text
    assert SECRET not in said.text
    assert f"[{code}]" in said.text, said.text
    assert names in said.text, said.text
    assert "fix:" in said.text, said.text
    assert said.status == 2, said.text


@pytest.mark.parametrize("name", CASES)
def test_what_is_set_up_wrongly_is_named(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    environment = surroundings(tmp_path, case)
    argv = ("status", "--contract", "-", *case.argv)
    # Where tokens are kept is decided when botocore is imported.
    command = fresh if TOKEN in case.files else said_by
    said = command(argv, folder=tmp_path / "work", environment=environment, stdin=json.dumps(CONTRACT).encode())
    clear(said, case.code, case.names)


def test_a_device_is_as_good_as_a_file(tmp_path: Path) -> None:
    """AWS_CONFIG_FILE=/dev/null is how one does without. Found wrong is then only what comes after it."""
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    environment = surroundings(tmp_path, named("", "", **nothing, AWS_ENDPOINT_URL="here"))
    contract = json.dumps(CONTRACT).encode()
    said = said_by(("status", "--contract", "-"), folder=tmp_path / "work", environment=environment, stdin=contract)
    assert said.text.count("[aws-setup-invalid]") == 1, said.text
    assert "AWS_ENDPOINT_URL" in said.text


def test_all_defects_at_once(tmp_path: Path) -> None:
    wrong = {
        **KEYS,
        "AWS_ENDPOINT_URL": "here",
        "AWS_CA_BUNDLE": "/no/such",
        "HTTPS_PROXY": "a b",
        "AWS_RETRY_MODE": "x",
    }
    environment = surroundings(tmp_path, Case("", "", wrong))
    said = said_by(
        ("status", "--contract", "-"),
        folder=tmp_path / "work",
        environment=environment,
        stdin=json.dumps(CONTRACT).encode(),
    )
    assert said.text.count("[aws-setup-invalid]") == 4, said.text
    assert said.status == 2


# The contract, as other programs write it. Nobody is at the end point: only whether it is taken counts.

TEXT = json.dumps(CONTRACT)
WRAPPED = {"sensitive": True, "type": ["object", {}], "value": CONTRACT}
CAPITALS = TEXT.replace("shop-prod-alb-222222222.us", "Shop-Prod-ALB-222222222.us").replace("a.example", "A.Example")
PACKED = gzip.compress(TEXT.encode())
TAKEN: Mapping[str, bytes] = {
    "byte order mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "UTF-16 of PowerShell": TEXT.encode("utf-16"),
    "UTF-16 without a mark": TEXT.encode("utf-16-le"),
    "UTF-32": TEXT.encode("utf-32"),
    "lines of Windows": json.dumps(CONTRACT, indent=1).replace("\n", "\r\n").encode(),
    "sensitive": json.dumps(WRAPPED).encode(),
    "all outputs": json.dumps({"orchestrator": WRAPPED}).encode(),
    "quoted once more": json.dumps(TEXT).encode(),
    "base64 in lines": base64.encodebytes(PACKED),
    "base64 with a mark": b"\xef\xbb\xbf" + base64.b64encode(PACKED),
    "capitals in names": CAPITALS.encode(),
}
REFUSED: Mapping[str, tuple[bytes, str]] = {
    "empty": (b"", "nothing in it"),
    "blank": (b" \r\n", "nothing in it"),
    "NUL": (TEXT.encode() + b"\0", "NUL"),
    "Latin-1": (b'{"stack": "\xe9"}', "not text"),
    "no text": (b"\x80\x81{", "not text"),
    "hidden": (b"orchestrator = <sensitive>\n", "<sensitive>"),
    "HCL": (b'{\n  "schema" = 1\n}\n', "line 2"),
    "cut short": (TEXT.encode()[:200], "JSON"),
    "base64 cut short": (base64.b64encode(PACKED[:-20]), "base64"),
    "deep": (b"[" * 100_000, "JSON"),
}
NOBODY = {**KEYS, "AWS_ENDPOINT_URL": "here"}
"""Found wrong only after the contract was taken."""


@pytest.mark.parametrize("way", ["file", "stdin"])
@pytest.mark.parametrize("name", TAKEN)
def test_a_contract_is_taken_as_other_programs_write_it(tmp_path: Path, name: str, way: str) -> None:
    (tmp_path / "c.json").write_bytes(TAKEN[name])
    environment = surroundings(tmp_path, Case("", "", NOBODY))
    given = "-" if way == "stdin" else str(tmp_path / "c.json")
    said = said_by(
        ("status", "--contract", given), folder=tmp_path / "work", environment=environment, stdin=TAKEN[name]
    )
    clear(said, "aws-setup-invalid", "AWS_ENDPOINT_URL")
    assert "contract-" not in said.text


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_contract_is_called_what_it_is(tmp_path: Path, name: str) -> None:
    content, words = REFUSED[name]
    said = said_by(
        ("status", "--contract", "-"),
        folder=tmp_path,
        environment=surroundings(tmp_path, Case("", "", NOBODY)),
        stdin=content,
    )
    clear(said, "contract-unreadable", words)


@pytest.mark.parametrize("path", [".", "/no/such", "work/.."])
def test_a_contract_that_is_no_file(tmp_path: Path, path: str) -> None:
    environment = surroundings(tmp_path, Case("", "", NOBODY))
    clear(
        said_by(("status", "--contract", path), folder=tmp_path, environment=environment), "contract-unreadable", path
    )


def test_a_mark_before_the_settings_is_passed_over(tmp_path: Path) -> None:
    environment = surroundings(tmp_path, Case("", "", KEYS))
    (tmp_path / "work" / "orchestrate.toml").write_bytes(b'\xef\xbb\xbfprofile = "nobody"\n')
    said = said_by(
        ("status", "--contract", "-"), folder=tmp_path / "work", environment=environment, stdin=TEXT.encode()
    )
    clear(said, "aws-profile-unknown", "orchestrate.toml: profile")


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed(tmp_path: Path, closed: str) -> None:
    (tmp_path / "c.json").write_text(TEXT, encoding="utf-8")
    environment = {**surroundings(tmp_path, Case("", "", NOBODY)), "PATH": os.environ["PATH"]}
    command = f"{sys.executable} -m orchestrator run --contract c.json {closed}; echo ended: $? >> seen"
    subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=240)
    assert (tmp_path / "seen").read_text() == "ended: 2\n"
    (journal,) = (tmp_path / ".orchestrate" / "runs").glob("*.jsonl")
    assert all(json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines())


def test_a_directory_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    environment = {**surroundings(tmp_path, Case("", "", NOBODY)), "PATH": os.environ["PATH"]}
    command = f"rmdir ../gone; exec {sys.executable} -P -m orchestrator run"
    done = subprocess.run(
        ["sh", "-c", command], cwd=gone, env=environment, capture_output=True, check=False, timeout=240, text=True
    )
    assert (done.returncode, "directory-missing" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("language", [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"}])
def test_no_home_and_a_language_without_signs(tmp_path: Path, language: dict[str, str]) -> None:
    environment = surroundings(tmp_path, Case("", "", NOBODY)) | language
    del environment["HOME"]
    said = fresh(("run", "--contract", "-"), folder=tmp_path / "work", environment=environment, stdin=TEXT.encode())
    clear(said, "aws-setup-invalid", "AWS_ENDPOINT_URL")


def test_a_folder_that_cant_hold_the_record(tmp_path: Path) -> None:
    environment = surroundings(tmp_path, Case("", "", NOBODY))
    (tmp_path / "work" / ".orchestrate").write_text("a file")
    said = said_by(("run", "--contract", "-"), folder=tmp_path / "work", environment=environment, stdin=TEXT.encode())
    clear(said, "journal-unwritable", ".orchestrate")
