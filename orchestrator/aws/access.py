"""How a command reaches AWS: one boto3 session, judged before its first call, so that what is wrong is said by name.

What the operator has set up (profiles, credential processes, end points, proxies, authorities) is read by botocore at
very different moments, and where it can't be read botocore raises whatever Python does. Here it is read at once, and
whatever goes wrong becomes a Problem.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.credentials import create_credential_resolver
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError, ProfileNotFound
from botocore.utils import JSONFileCache

from orchestrator.aws import child, setup
from orchestrator.aws.environment import EnvironmentSession, bind
from orchestrator.aws.errors import problem_of
from orchestrator.aws.roles import assuming
from orchestrator.errors import Expired, Invalid, OrchestratorError, Problem

CACHE = ".aws/cli/cache"
"""Below home; the AWS CLI's: who has answered for a code there is not asked again here, nor the other way round."""
PATIENCE = 120.0
"""Seconds a credential_process may take; some open a browser."""

Ask = Callable[[str], str]
"""Asks a person, and gives the answer. Raises `OrchestratorError` where nobody can answer."""


def nobody(prompt: str) -> str:
    """There is no terminal to ask on."""
    fix = "run it in a terminal; or sign in beforehand (`aws sts get-caller-identity`): the AWS CLI's cache is shared"
    raise Invalid(Problem("mfa-needs-terminal", f"the profile asks for a code: {prompt.strip(' :')}", "profile", fix))


def _not_now(prompt: str) -> str:
    fix = "run the same command again: it asks for the code, and continues where it stopped"
    raise Expired(Problem("credentials-expired", f"the session has ended: {prompt.strip(' :')}", "profile", fix))


class Access:
    """One session for a whole command. Made when it is first used; may be shared between threads.

    `profile` is what was chosen by `source` (a flag, a variable, a file's key); None: as the AWS_* variables say.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        profile: str | None = None,
        source: str = "--profile",
        ask: Ask = nobody,
        files: Mapping[str, str] | None = None,
        *,
        role: str | None = None,
    ) -> None:
        """`environment` is every variable there is. `role` (an ARN) is assumed with the credentials found there.

        `files` are others than ~/.aws/config and credentials: botocore's `config_file` and `credentials_file`.
        """
        self.environment = environment
        self.profile = profile
        self.ask_for_code = ask
        self._files = files or {}
        self.role = role
        self._source = source
        self._ask = ask
        self._lock = threading.RLock()
        self._session: Any = None
        self._method = ""
        self.generation = 0
        """How often it was forgotten: a client of an earlier one is out of date."""

    def session(self, region: str = "") -> Any:
        """The boto3 session, with credentials. Raises `Invalid` with every defect that can be seen at once.

        `region` is for what names none; the first one counts.
        """
        with self._lock:
            if self._session is None:
                self._session = self._made(region)
            return self._session

    def signed(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The environment in which a child process signs with our very keys: it is asked for nothing."""
        made = self.session()
        keys = made.get_credentials().get_frozen_credentials()
        return child.with_keys(environment, (keys.access_key, keys.secret_key, keys.token), made.region_name)

    @property
    def renewable(self) -> bool:
        """Whether somebody who signs in elsewhere can help: variables of ours stay what they are."""
        return self._method not in ("env", "explicit")

    def forget(self) -> None:
        """Credentials are read anew at the next use: somebody may have signed in again meanwhile.

        Nobody is asked for a code then: it would be in the middle of something.
        """
        with self._lock:
            self._session, self._ask = None, _not_now
            self.generation += 1

    def _made(self, region: str) -> Any:
        session: Any = EnvironmentSession(self.environment, self.profile)
        for name, path in self._files.items():
            session.set_config_variable(name, path)
        with _setting_up(self._where):
            setup.require(session, self.profile, self._source, self.environment)
            if region:
                session.set_config_variable("region", region)
            session.register_component(
                "credential_provider", _Resolver(session, self._where, self._ask, self.environment)
            )
            made = boto3.Session(botocore_session=session)
        credentials = session.get_credentials()
        if credentials is None:
            raise setup.none_found(self._where, self.environment)
        self._method = credentials.method
        credentials.get_frozen_credentials()
        return self._in_role(made) if self.role else made

    def _in_role(self, session: Any) -> Any:
        """A session in `role`; that it can be assumed is seen at once."""
        made = assuming(session, str(self.role))
        with _retrieving(f"role {self.role}", self.environment):
            made.get_credentials().get_frozen_credentials()
        return made

    @property
    def _where(self) -> str:
        """Which profile, for people."""
        named = self.profile or setup.profile_of_environment(self.environment)
        return f"profile {named}" if named else "the default profile and the AWS_* variables"


class _Cache(JSONFileCache):  # type: ignore[misc, unused-ignore]
    """The CLI's cache. One that can't be read or written is none."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(str(folder or os.devnull))

    def __contains__(self, cache_key: str) -> bool:
        try:
            return isinstance(self[cache_key]["Credentials"]["Expiration"], str)
        except (KeyError, TypeError):
            return False

    def __setitem__(self, cache_key: str, value: Any) -> None:
        try:
            super().__setitem__(cache_key, value)
        except OSError:
            return


def _cache_of(environment: Mapping[str, str]) -> Path | None:
    """The CLI's cache; None where there is no home."""
    if environment.get("HOME"):
        return Path(environment["HOME"], CACHE)
    try:
        return Path("~", CACHE).expanduser()
    except RuntimeError:
        return None


class _Resolver:
    """botocore's chain of providers, with the CLI's cache, a person to ask, and every error a Problem."""

    def __init__(self, session: Any, where: str, ask: Ask, environment: Mapping[str, str]) -> None:
        self._where = where
        self._environment = environment
        cache: Any = _Cache(_cache_of(environment))
        self._chain: Any = create_credential_resolver(session, cache=cache)
        roles: Any = self._chain.get_provider("assume-role")
        roles._prompter = ask
        builder = roles._profile_provider_builder
        make = builder.providers
        builder.providers = lambda *given, **more: [self._bound(one) for one in make(*given, **more)]
        for one in (*self._chain.providers, *roles._credential_sourcer._providers):
            self._bound(one)

    def _bound(self, provider: Any) -> Any:
        """It reads our environment; a credential_process runs in it, and doesn't take for ever."""
        bind(provider, self._environment)
        return _limited(provider, self._environment) if provider.METHOD == "custom-process" else provider

    def get_provider(self, name: str) -> Any:
        """One of the chain."""
        return self._chain.get_provider(name)

    def load_credentials(self) -> Any:
        """The credentials; None where there are none."""
        with _retrieving(self._where, self._environment):
            found = self._chain.load_credentials()
        return found and _Credentials(found, self._where, self._environment)


class _Credentials:
    """Credentials whose renewal says why it failed; keys that no request can carry are refused, and not shown."""

    def __init__(self, inner: Any, where: str, environment: Mapping[str, str]) -> None:
        self._inner = inner
        self._where = where
        self._environment = environment

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def get_frozen_credentials(self) -> Any:
        """As botocore's, with their three parts looked at."""
        with _retrieving(self._where, self._environment):
            frozen = self._inner.get_frozen_credentials()
        setup.require_sound(frozen, self._inner.method)
        return frozen


def _limited(provider: Any, environment: Mapping[str, str]) -> Any:
    """A credential_process in this environment; one that doesn't end is ended."""
    begin = provider._popen
    provider._popen = lambda *argv, **options: _Limited(begin(*argv, env=dict(environment), **options))
    return provider


class _Limited:
    """A process whose output is awaited for `PATIENCE` seconds."""

    def __init__(self, process: Any) -> None:
        self._process = process

    @property
    def returncode(self) -> int:
        """Its exit status."""
        return int(self._process.returncode)

    def communicate(self) -> Any:
        """Its output and its complaints. Raises TimeoutError, and kills it, when it takes too long."""
        try:
            return self._process.communicate(timeout=PATIENCE)
        except Exception:  # noqa: BLE001 - it can only be its time-out, whose class is that of the module that starts processes
            self._process.kill()
            raise TimeoutError(f"it did not end within {PATIENCE:.0f} s") from None


@contextmanager
def _setting_up(where: str) -> Iterator[None]:
    try:
        yield
    except OrchestratorError:
        raise
    except (ClientError, BotoCoreError) as error:
        raise setup.unreadable(error, where) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fix = "correct it in ~/.aws/config, or the AWS_* variable"
        raise Invalid(Problem("aws-setup-invalid", str(error) or type(error).__name__, where, fix)) from None


@contextmanager
def _retrieving(where: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Whatever a provider of credentials raises as a Problem; it never quotes what a provider has printed."""
    try:
        yield
    except OrchestratorError:
        raise
    except CredentialRetrievalError as error:
        said = str(error).replace(
            "Error when retrieving credentials from custom-process:", "its credential_process said:"
        )
        raise _not_had(said.strip()[:600], where) from None
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ProfileNotFound):
            raise setup.unreadable(error, where) from None
        raise problem_of(error, f"credentials of {where}") from None
    except RuntimeError as error:
        fix = "sign in again where these credentials come from, and run the same command"
        raise Expired(Problem("credentials-expired", str(error), where, fix)) from None
    except Exception as error:  # noqa: BLE001 - what the operator's files and programs give botocore makes it raise anything
        raise _not_had(setup.explained(error, environment), where) from None


def _not_had(why: str, where: str) -> Invalid:
    fix = "fix that first; `aws sts get-caller-identity` with the same profile must work first"
    return Invalid(Problem("credentials-missing", f"the credentials could not be obtained: {why}", where, fix))
