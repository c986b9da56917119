"""Secret values wherever they are: in Secrets Manager or among SSM's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.aws.parameters import Parameters
from orchestrator.aws.secrets import Secrets, Shape
from orchestrator.aws.value_from import parse


class SecretValues:
    """Both stores as one; a place is what `valueFrom` says."""

    def __init__(self, secrets: Secrets, parameters: Parameters) -> None:
        self._secrets = secrets
        self._parameters = parameters

    def value(self, place: str) -> str:
        """The whole value. The caller must not let it reach anything that is recorded."""
        return self._secrets.value(place) if parse(place).is_secret else self._parameters.value(place)

    def shapes(self, places: Sequence[str]) -> Mapping[str, Shape]:
        """Of each its shape. A parameter has no keys, and ECS reads none of it."""
        secrets = [one for one in places if parse(one).is_secret]
        troubles = self._parameters.troubles([one for one in places if not parse(one).is_secret])
        found = {place: _of_parameter(trouble) for place, trouble in troubles.items()}
        return {**(self._secrets.shapes(secrets) if secrets else {}), **found}


def _of_parameter(trouble: str) -> Shape:
    return Shape(exists=not trouble.startswith("Parameter"), trouble=trouble)
