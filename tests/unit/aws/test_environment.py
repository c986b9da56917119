"""A session takes everything from the environment that it is given, and nothing from the process's."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import getproxies_environment

import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.aws.access import Access, _Resolver, nobody
from orchestrator.aws.environment import EnvironmentSession, proxies
from orchestrator.aws.session import Aws
from orchestrator.errors import Invalid

HERE, ELSEWHERE = "http://127.0.0.1:4566", "http://127.0.0.1:9"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAOURS", "AWS_SECRET_ACCESS_KEY": "ours"}


@pytest.fixture(autouse=True)
def _process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What must not be read."""
    for name, value in {
        "AWS_ENDPOINT_URL": ELSEWHERE,
        "AWS_ENDPOINT_URL_S3": ELSEWHERE,
        "AWS_ACCESS_KEY_ID": "AKIATHEPROCESS",
        "AWS_SECRET_ACCESS_KEY": "the process",
        "AWS_SESSION_TOKEN": "the process",
        "AWS_PROFILE": "the-process",
        "AWS_DEFAULT_REGION": "eu-north-1",
        "AWS_CONFIG_FILE": str(tmp_path / "missing"),
        "AWS_CA_BUNDLE": str(tmp_path / "missing.pem"),
        "REQUESTS_CA_BUNDLE": str(tmp_path / "missing.pem"),
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/the-process",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "missing.token"),
        "HTTPS_PROXY": ELSEWHERE,
        "http_proxy": ELSEWHERE,
        "HOME": str(tmp_path / "nowhere"),
    }.items():
        monkeypatch.setenv(name, value)


def client(environment: Mapping[str, str], service: str = "ecs", **more: Any) -> Any:
    return EnvironmentSession(environment).create_client(service, region_name="us-west-2", **more)


def transport(made: Any) -> Any:
    return made._endpoint.http_session


def home(folder: Path, config: str, credentials: str = "") -> dict[str, str]:
    (folder / ".aws").mkdir()
    (folder / ".aws" / "config").write_text(config)
    (folder / ".aws" / "credentials").write_text(credentials)
    return {"HOME": str(folder)}


def keys_of(environment: Mapping[str, str], profile: str | None = None) -> str:
    made = Access(environment, profile).session("us-west-2")
    return str(made.get_credentials().get_frozen_credentials().access_key)


def test_end_point_and_keys() -> None:
    made = Access({"AWS_ENDPOINT_URL": HERE, **KEYS}).session("us-west-2").client("ecs")
    assert made.meta.endpoint_url == HERE
    assert made._request_signer._credentials.access_key == "AKIAOURS"
    assert not made._request_signer._credentials.token


def test_an_end_point_of_one_service() -> None:
    environment = {"AWS_ENDPOINT_URL_S3": HERE, **KEYS}
    assert client(environment, "s3").meta.endpoint_url == HERE
    assert client(environment).meta.endpoint_url == "https://ecs.us-west-2.amazonaws.com"


def test_an_environment_without_anything_is_one() -> None:
    made = client(KEYS)
    assert made.meta.endpoint_url == "https://ecs.us-west-2.amazonaws.com"
    assert transport(made)._verify is True
    assert transport(made)._proxy_config._proxies == {}
    with pytest.raises(Invalid) as raised:
        Access({"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nowhere"}).session("us-west-2")
    assert [one.code for one in raised.value.problems] == ["credentials-missing"]


def test_the_profile_is_that_of_its_own_files(tmp_path: Path) -> None:
    config = "[profile ours]\nregion = ap-south-1\nendpoint_url = http://127.0.0.1:4566\n"
    environment = home(tmp_path, config, "[ours]\naws_access_key_id = AKIAFILE\naws_secret_access_key = x\n")
    assert keys_of({**environment, "AWS_PROFILE": "ours"}) == "AKIAFILE"
    assert keys_of({**environment, **KEYS}, "ours") == "AKIAFILE"
    made = EnvironmentSession(environment, "ours")
    assert made.get_config_variable("region") == "ap-south-1"
    assert made.create_client("ecs").meta.endpoint_url == HERE


def test_a_profile_that_takes_its_keys_from_the_environment(tmp_path: Path) -> None:
    config = "[profile ours]\nrole_arn = arn:aws:iam::123456789012:role/x\ncredential_source = Environment\n"
    environment = home(tmp_path, config) | KEYS
    resolver = _Resolver(EnvironmentSession(environment, "ours"), "", nobody, environment)
    source = resolver.get_provider("assume-role")._credential_sourcer.source_credentials("Environment")
    assert source.access_key == "AKIAOURS"


def test_a_credential_process_has_its_environment(tmp_path: Path) -> None:
    program = tmp_path / "keys"
    program.write_text('#!/bin/sh\nprintf \'{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "x"}\' "$SAID"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = home(tmp_path, f"[default]\ncredential_process = {program}\n")
    assert keys_of({**environment, "SAID": "AKIASAID"}) == "AKIASAID"


def test_a_role_of_a_web_identity(tmp_path: Path) -> None:
    resolver = (
        Access({"HOME": str(tmp_path), **KEYS}).session("us-west-2")._session.get_component("credential_provider")
    )
    provider = resolver.get_provider("assume-role-with-web-identity")
    assert provider._get_env_config("role_arn") is None
    ours = {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/ours", **KEYS}
    resolver = Access(ours).session("us-west-2")._session.get_component("credential_provider")
    provider = resolver.get_provider("assume-role-with-web-identity")
    assert provider._get_env_config("role_arn") == ours["AWS_ROLE_ARN"]


def test_authorities_and_proxies(tmp_path: Path) -> None:
    proxied = {**KEYS, "HTTPS_PROXY": "http://proxy:1", "NO_PROXY": ".internal"}
    assert transport(client(proxied))._proxy_config.proxy_url_for("https://ecs.amazonaws.com") == "http://proxy:1"
    assert transport(client({**proxied, "AWS_ENDPOINT_URL": "https://a.internal"}))._proxy_config._proxies == {}
    own = Config(proxies={"https": "http://own:1"})
    assert transport(client(proxied, config=own))._proxy_config.proxy_url_for("https://x.org") == "http://own:1"
    bundle = str(tmp_path / "ours.pem")
    assert transport(client({**KEYS, "AWS_CA_BUNDLE": bundle}))._verify == bundle
    assert transport(client({**KEYS, "REQUESTS_CA_BUNDLE": bundle}))._verify == bundle
    assert transport(client({**KEYS, "AWS_CA_BUNDLE": bundle}, verify=False))._verify is False


NAMES = st.sampled_from(
    ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "NO_PROXY", "no_proxy", "Http_Proxy"]
)


@given(said=st.lists(st.tuples(NAMES, st.sampled_from(["", "http://a:1", "http://b:2"])), unique_by=lambda one: one[0]))
@pytest.mark.parametrize("more", [{}, {"REQUEST_METHOD": "GET"}])
def test_proxies_are_read_as_python_reads_them(said: list[tuple[str, str]], more: dict[str, str]) -> None:
    environment = dict(said) | more
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.environ", environment)
        expected = getproxies_environment()
    assert (proxies(environment) or {}) == expected


def test_a_command_s_clients_too() -> None:
    aws = Aws("us-west-2", Access({"AWS_ENDPOINT_URL": HERE, "HOME": "/nowhere", **KEYS}))
    assert aws.client("rds").meta.endpoint_url == HERE
    assert aws.assumed("route53", "arn:aws:iam::123456789012:role/dns").meta.endpoint_url == HERE
