"""A botocore session for which a mapping is all the environment there is: two of them in one process share nothing.

botocore takes variables from the process by itself, at many places. Each of them is given the mapping here: settings,
end points, proxies, authorities, and the providers of credentials. What stays the process's: the home directory of
the caches of `aws sso login` and `aws login`, `$NAME` inside a path, and on macOS the system's own proxies.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import botocore.session
from botocore import configprovider
from botocore.config import Config

from orchestrator.aws import foreign_answers

_HOME = "~/"
_PROXY = "_proxy"


class EnvironmentSession(botocore.session.Session):
    """`environment` is every variable there is. `profile` is one that was named: it outdoes keys in variables.

    Its credentials are `access`'s to find, by providers that are bound to the same environment.
    """

    def __init__(self, environment: Mapping[str, str], profile: str | None = None) -> None:
        super().__init__(profile=profile)
        self.environment = environment
        self.register_component("config_store", configprovider.ConfigValueStore(mapping=self._values()))
        foreign_answers.register(self)

    def _values(self) -> dict[str, Any]:
        """As `configprovider.create_botocore_default_config_mapping`, whose chains read the process's environment."""
        chains: Any = configprovider.ConfigChainFactory(session=self, environ=self.environment)
        home = self.environment.get("HOME")

        def chain(name: str, key: Any, variable: Any, default: Any, conversion: Any) -> Any:
            if home and isinstance(default, str) and default.startswith(_HOME):
                default = f"{home}/{default.removeprefix(_HOME)}"
            return chains.create_config_chain(
                instance_name=name,
                env_var_names=variable,
                config_property_names=key,
                default=default,
                conversion_func=conversion,
            )

        def all_of(variables: Any) -> dict[str, Any]:
            return {name: chain(name, *said) for name, said in variables.items()}

        sections = {
            "s3": configprovider.DEFAULT_S3_CONFIG_VARS,
            "proxies_config": configprovider.DEFAULT_PROXIES_CONFIG_VARS,
        }
        found = {
            name: configprovider.SectionConfigProvider(name, self, all_of(said)) for name, said in sections.items()
        }
        return all_of(configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES) | found

    def _add_configured_endpoint_provider(self, client_name: str, config_store: Any) -> None:
        """As botocore's own, which reads the process's environment."""
        provider: Any = configprovider.ConfiguredEndpointProvider(
            full_config=self.full_config,
            scoped_config=self.get_scoped_config(),
            client_name=client_name,
            environ=self.environment,
        )
        config_store.set_config_provider("endpoint_url", provider)

    def create_client(self, service_name: str, *given: Any, **options: Any) -> Any:
        """As botocore's own, with proxies and authorities of this environment."""
        make: Any = super().create_client
        if options.get("verify") is None and self.get_config_variable("ca_bundle") is None:
            options["verify"] = self.environment.get("REQUESTS_CA_BUNDLE") or True
        config: Any = options.pop("config", None) or Config()
        found = proxies(self.environment)
        if config.proxies is not None or found is None:
            return make(service_name, *given, config=config, **options)
        made = make(service_name, *given, config=config.merge(Config(proxies=found)), **options)
        if found and proxy_bypass_environment(urlsplit(made.meta.endpoint_url).netloc, found):
            return make(service_name, *given, config=config.merge(Config(proxies={})), **options)
        return made


def proxies(environment: Mapping[str, str]) -> dict[str, str] | None:
    """By scheme, and `no`: where none is used; as `urllib.request.getproxies_environment` reads them.

    None: the system says which, on macOS where no variable does.
    """
    named = [(name, value) for name, value in environment.items() if name.lower().endswith(_PROXY)]
    found = {name[: -len(_PROXY)].lower(): value for name, value in named if value}
    if "REQUEST_METHOD" in environment:
        found.pop("http", None)  # of a CGI program that variable is a header of the visitor's
    for name, value in named:
        if name.endswith(_PROXY):  # written so it wins, and empty it takes away
            found.pop(scheme := name.removesuffix(_PROXY).lower(), None)
            found |= {scheme: value} if value else {}
    return found or (None if sys.platform == "darwin" else {})


def bind(provider: Any, environment: Mapping[str, str]) -> None:
    """Let a provider of credentials read the mapping."""
    for attribute in ("environ", "_environ"):
        if hasattr(provider, attribute):
            setattr(provider, attribute, environment)
    if hasattr(provider, "_get_env_config"):
        _bind_web_identity(provider, environment)
    fetcher: Any = getattr(provider, "_role_fetcher", None)
    if hasattr(fetcher, "_disabled"):
        fetcher._disabled = environment.get("AWS_EC2_METADATA_DISABLED", "false").lower() == "true"


def _bind_web_identity(provider: Any, environment: Mapping[str, str]) -> None:
    def get(key: str) -> str | None:
        variable = None if provider._disable_env_vars else provider._CONFIG_TO_ENV_VAR.get(key)
        return environment.get(variable) if variable else None

    provider._get_env_config = get
