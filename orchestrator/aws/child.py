"""Whose calls terraform, and whatever it starts, makes: the same identity's as ours. No boto3 in here, and no call.

Terraform's provider takes keys of the environment before a profile, and never asks a person for a code.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
PROFILES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
"""In the order in which boto3 takes them."""
_ASKING = ("mfa_serial", "login_session")


def environment_of(environment: Mapping[str, str], profile: str | None) -> dict[str, str]:
    """The environment in which `profile` counts, as it does for us: keys and other profiles are out of it."""
    if not profile:
        return dict(environment)
    kept = {name: value for name, value in environment.items() if name not in (*KEYS, *PROFILES)}
    return kept | {"AWS_PROFILE": profile}


def wants_a_person(environment: Mapping[str, str]) -> bool:
    """Whether the profile that counts there, or one that it leads to, asks for a code or a browser.

    A file that can't be read asks for nothing: what is wrong with it is said where it is used.
    """
    if environment.get("AWS_ACCESS_KEY_ID"):
        return False
    sections = _sections(environment)
    name, seen = next((environment[one] for one in PROFILES if environment.get(one)), "default"), set()
    while name and name not in seen:
        seen.add(name)
        section = sections.get(name, {})
        if any(section.get(key) for key in _ASKING):
            return True
        name = section.get("source_profile", "")
    return False


def with_keys(environment: Mapping[str, str], keys: tuple[str, str, str | None], region: str | None) -> dict[str, str]:
    """The environment in which these keys count, and no profile; the region that the profile named stays."""
    access, secret, token = keys
    kept = {name: value for name, value in environment.items() if name not in (*KEYS, *PROFILES)}
    given = {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token or ""}
    if region and not (kept.get("AWS_REGION") or kept.get("AWS_DEFAULT_REGION")):
        given["AWS_REGION"] = region
    return kept | {name: value for name, value in given.items() if value}


def _sections(environment: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Profile → its keys, of both files."""
    found: dict[str, dict[str, str]] = {}
    home = environment.get("HOME", "~")
    for variable, name in (("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")):
        parser = configparser.RawConfigParser()
        try:
            parser.read(Path(environment.get(variable) or f"{home}/.aws/{name}").expanduser(), encoding="utf-8")
        except (configparser.Error, ValueError, RuntimeError):
            continue
        for section in parser.sections():
            found.setdefault(section.removeprefix("profile ").strip(), {}).update(parser.items(section))
    return found
