"""moto looks up the names of a service's methods for each request, by reflection: once for each class will do."""

from __future__ import annotations

from functools import cache

from moto.core import responses

from orchestrator.local.core.cloud import Cloud


def install(_cloud: Cloud) -> None:
    """The names are those of the class, which no longer changes after the corrections."""
    responses.method_names_from_class = cache(responses.method_names_from_class)  # type: ignore[attr-defined]
