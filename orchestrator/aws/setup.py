"""What an operator has set up for AWS, judged before anything is called: files, variables, end points, proxies.

botocore reads most of it only when it needs it, and answers a mistake with whatever Python raises there. Every defect
names the variable or the file's key. No value of a key, a token or a proxy's password is ever in a message.
"""

from __future__ import annotations

import configparser
import os
import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import botocore.session
from botocore import configprovider
from botocore.exceptions import BotoCoreError, ConfigParseError, ProfileNotFound

from orchestrator.aws.child import PROFILES
from orchestrator.aws.environment import proxies
from orchestrator.aws.errors import problem_of
from orchestrator.errors import Invalid, OrchestratorError, Problem, meant

_FILES = {"config_file": "AWS_CONFIG_FILE", "credentials_file": "AWS_SHARED_CREDENTIALS_FILE"}
_CHOICES = {
    "retry_mode": ("legacy", "standard", "adaptive"),
    "defaults_mode": ("legacy", "auto", "standard", "in-region", "cross-region", "mobile"),
    "sts_regional_endpoints": ("legacy", "regional"),
    "ec2_metadata_service_endpoint_mode": ("ipv4", "ipv6"),
}
_KEYS = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY", "token": "AWS_SESSION_TOKEN"}
_FIX = "correct it in ~/.aws/config, or the AWS_* variable"


def profile_of_environment(environment: Mapping[str, str]) -> str:
    """The profile that a variable names; empty: none does."""
    return next((environment[name] for name in PROFILES if environment.get(name)), "")


def profiles() -> Sequence[str]:
    """The names of all that are configured on this machine; none where the files can't be read."""
    try:
        return sorted(botocore.session.Session().available_profiles)
    except BotoCoreError:
        return ()


def regions() -> Sequence[str]:
    """Those in which there is ECS, of every partition, as far as botocore knows."""
    session = botocore.session.Session()
    return sorted({one for name in session.get_available_partitions() for one in _regions(session, name)})


def _regions(session: botocore.session.Session, partition: str) -> Sequence[str]:
    return session.get_available_regions("ecs", partition)


def require(session: Any, profile: str | None, source: str, environment: Mapping[str, str]) -> None:
    """Raise `Invalid` with everything that is wrong with a botocore session's surroundings."""
    if defects := tuple(_files(session)):
        raise Invalid(*defects)
    try:
        profiles: Mapping[str, Mapping[str, Any]] = session.full_config.get("profiles", {})
    except ConfigParseError as error:
        raise Invalid(_unparsable(error)) from None
    name = profile or next((source for source in PROFILES if environment.get(source)), "")
    wanted = profile or environment.get(name, "")
    if wanted and wanted not in profiles:
        raise Invalid(_no_profile(wanted, source if profile else name, list(profiles)))
    own = profiles.get(wanted or "default", {})
    place = f"profile {wanted or 'default'}"
    services = session.full_config.get("services", {}).get(str(own.get("services", "")), {})
    defects = (
        *_variables(session),
        *_endpoints(own, services, place, environment),
        *_proxies(environment),
        *_authorities(session, place, environment),
    )
    if defects:
        raise Invalid(*defects)


def _files(session: Any) -> Iterator[Problem]:
    for name, variable in _FILES.items():
        try:
            path = Path(os.path.expandvars(session.get_config_variable(name))).expanduser()
            # A device is as good as a file: AWS_CONFIG_FILE=/dev/null is how one does without.
            if path.is_dir() or (path.exists() and not os.access(path, os.R_OK)):
                how = "is a directory" if path.is_dir() else "can't be read"
                yield Problem("aws-setup-invalid", f"{path} {how}", variable, "make it a file that you may read")
        except (OSError, RuntimeError, ValueError):
            continue  # no home, or a path that no file system takes: botocore does without the file


def _no_profile(wanted: str, source: str, known: Sequence[str]) -> Problem:
    near = meant(wanted, known)
    there = f"did you mean {near!r}?" if near else f"there are: {', '.join(sorted(known)[:20]) or 'none'}"
    fix = f"correct {source}, or create the profile (`aws configure --profile NAME`); {there}"
    message = f"{source} names the AWS profile {wanted!r}, which is not configured on this machine"
    return Problem("aws-profile-unknown", message, source, fix)


def _unparsable(error: ConfigParseError) -> Problem:
    """Where it can't be read; never the line itself, which may hold a key."""
    kinds = {
        configparser.DuplicateSectionError: "a section that appears twice",
        configparser.DuplicateOptionError: "a key that appears twice in one section",
        configparser.MissingSectionHeaderError: "text before the first [section]",
        configparser.ParsingError: "a line that is not KEY = VALUE",
        UnicodeDecodeError: "something that is not UTF-8",
    }
    cause = error.kwargs.get("error")
    what = next(
        (text for kind, text in kinds.items() if isinstance(cause, kind)), "a nested line that is not KEY = VALUE"
    )
    path = str(error.kwargs.get("path", ""))
    number = getattr(cause, "lineno", None) or next((at for at, _ in getattr(cause, "errors", ())), None)
    place = f"{path}:{number}" if number else path
    if _has_mark(path):
        what = "a byte order mark, or UTF-16: it was saved by a Windows editor"
    return Problem("aws-setup-invalid", f"the file holds {what}", place, "correct the file; save it as plain UTF-8")


def _has_mark(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            return file.read(3).startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
    except OSError:
        return False


def none_found(where: str, environment: Mapping[str, str]) -> Invalid:
    """No provider gave any."""
    message, fix = (
        "no usable AWS credentials were found",
        "set AWS_PROFILE (or --profile), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )
    if environment.get("AWS_SECRET_ACCESS_KEY") and not environment.get("AWS_ACCESS_KEY_ID"):
        message += ": AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is not"
    return Invalid(Problem("credentials-missing", message, where, fix))


def unreadable(error: Exception, where: str) -> OrchestratorError:
    """An error of botocore's about what it was given."""
    if isinstance(error, ConfigParseError):
        return Invalid(_unparsable(error))
    if isinstance(error, ProfileNotFound):
        return Invalid(Problem("aws-profile-unknown", str(error), where, _FIX))
    return problem_of(error, where)


def _variables(session: Any) -> Iterator[Problem]:
    """Every setting of botocore that is no text, and those with a few values."""
    for name, (key, variable, _, conversion) in configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        place = " / ".join(
            filter(None, (variable if isinstance(variable, str) else "", key if isinstance(key, str) else ""))
        )
        if conversion is None and name not in _CHOICES:
            continue
        try:
            value = session.get_config_variable(name)
        except (ValueError, TypeError):
            yield Problem("aws-setup-invalid", "it is not a number", place, _FIX)
            continue
        choices = _CHOICES.get(name)
        if choices and value is not None and str(value).lower() not in choices:
            yield Problem("aws-setup-invalid", f"{value!r} is not one of {', '.join(choices)}", place, _FIX)


def _endpoints(
    own: Mapping[str, Any], services: Mapping[str, Any], place: str, environment: Mapping[str, str]
) -> Iterator[Problem]:
    given = {name: value for name, value in environment.items() if name.startswith("AWS_ENDPOINT_URL") and value}
    given |= {"AWS_EC2_METADATA_SERVICE_ENDPOINT": environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "")}
    given |= {f"{place}: endpoint_url": own.get("endpoint_url", "")}
    for service, keys in services.items():
        if isinstance(keys, Mapping):
            given |= {f"services: {service}: endpoint_url": keys.get("endpoint_url", "")}
    for name, url in given.items():
        if url and (why := _no_url(str(url))):
            fix = f"write {name} as http://HOST:PORT or https://HOST:PORT, or leave it out"
            yield Problem("aws-setup-invalid", f"{url!r} is not a usable endpoint URL: {why}", name, fix)


def _no_url(url: str) -> str:
    """Why; empty: it is one."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            return "it doesn't begin with http:// or https://"
        if not parts.hostname or any(letter.isspace() for letter in url):
            return "it names no host"
        port = parts.port
    except ValueError as error:
        return str(error)
    return "its port is 0" if port == 0 else ""


def _proxies(environment: Mapping[str, str]) -> Iterator[Problem]:
    """Those for http and https; one without a scheme counts as http. Shown without what signs in to it."""
    said = proxies(environment)
    found = getproxies() if said is None else said
    for scheme in ("http", "https"):
        if url := found.get(scheme, ""):
            why = _no_url(url if "://" in url else f"http://{url}")
            if why:
                name = f"{scheme.upper()}_PROXY"
                fix = f"write {name} as http://HOST:PORT, or leave it out (NO_PROXY lists the hosts to reach directly)"
                yield Problem("aws-setup-invalid", f"the proxy is not a usable URL: {why}", name, fix)


def _authorities(session: Any, place: str, environment: Mapping[str, str]) -> Iterator[Problem]:
    """The file of authorities; botocore says nothing of it but that the end point can't be reached."""
    name = "AWS_CA_BUNDLE" if environment.get("AWS_CA_BUNDLE") else f"{place}: ca_bundle"
    path = session.get_config_variable("ca_bundle")
    if path is None and environment.get("REQUESTS_CA_BUNDLE"):
        name, path = "REQUESTS_CA_BUNDLE", environment["REQUESTS_CA_BUNDLE"]
    if path is None:
        return
    fix = f"point {name} at a PEM file of CA certificates, or leave it out"
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        yield Problem("aws-setup-invalid", f"{path} holds no certificate (PEM)", name, fix)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        yield Problem("aws-setup-invalid", f"{path} can't be read: {why}", name, fix)


def require_sound(frozen: Any, method: str) -> None:
    """Raise `Invalid` for keys that can't stand in a request's header; they are named, not shown."""
    bad = [variable for part, variable in _KEYS.items() if not _sound(getattr(frozen, part) or "")]
    if bad:
        where = "the environment" if method == "env" else f"what {method} gave"
        fix = "set them again, without surrounding spaces, line breaks or quotation marks"
        message = f"white space, or a character that cannot be part of a key, is in {', '.join(bad)}"
        raise Invalid(Problem("credentials-malformed", message, where, fix))


def _sound(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def explained(error: Exception, environment: Mapping[str, str]) -> str:
    """What a provider of credentials stumbled over, in words."""
    if isinstance(error, TimeoutError):
        return f"its credential_process is unusable: {error}"
    if isinstance(error, UnicodeDecodeError):
        return "what was read is not UTF-8"
    if isinstance(error, OSError) and error.filename:
        named = next((f"{name}: " for name, value in environment.items() if value == str(error.filename)), "")
        return f"{named}{error.filename}: {error.strerror}"
    if isinstance(error, KeyError):
        return "a token cached on this machine can't be read: sign in again (`aws sso login`)"
    if isinstance(error, IndexError):
        return "its credential_process is empty"
    if isinstance(error, AttributeError | TypeError) or type(error).__name__ == "JSONDecodeError":
        return "its credential_process did not print the one JSON object that is expected"
    return str(error) or type(error).__name__
