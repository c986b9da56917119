"""The table `[contract]` of orchestrate.toml: what the contract says, where neither outputs nor state do.

[contract]
stack = "onyx-prod"                                        # a value as it is
load_balancer.dns_name = { output = "alb.dns_name" }       # JMESPath over Terraform's outputs
database.resource = "aws_db_instance.main"                 # the part is what this resource is
database.admin_secret_arn = { resource = "aws_secretsmanager_secret.admin" }   # its arn (or `attribute = "…"`)
database.admin_password = { variable = "db_password" }     # never the password itself
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from orchestrator.errors import Problem
from orchestrator.stack.mapping_place import CONTRACT, FILE

if TYPE_CHECKING:
    from orchestrator.stack.blueprint.resources import Resources

PARTS = frozenset({"cluster", "database", "runner", "load_balancer", "certificate", "redis"})
"""What `resource` can choose; of a tenant its load balancer."""
NOT_TENANTS = "not_tenants"
"""A list of services behind a listener that are no tenants: `not_tenants = ["web"]`. Not a key of the contract."""
PASSWORDS = frozenset({"admin_password", "password"})
_DIRECTIVES = frozenset({"output", "variable", "resource"})

Key = tuple[str, ...]
"""`("tenants", "customer-a", "hostname")`."""


def dotted(key: Key) -> str:
    """As a person writes it."""
    return ".".join(key)


@dataclass(frozen=True, slots=True)
class Mapped:
    """What the table says: values with their source, chosen resources, passwords."""

    values: Mapping[Key, Any] = field(default_factory=dict)
    sources: Mapping[Key, str] = field(default_factory=dict)
    chosen: Mapping[Key, str] = field(default_factory=dict)
    passwords: Mapping[Key, tuple[SecretStr, str]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    place: str = FILE
    """Where the table stands."""

    @property
    def not_tenants(self) -> frozenset[str]:
        """Services that orchestrate.toml calls no tenants."""
        said = self.values.get((NOT_TENANTS,), [])
        return frozenset(map(str, said if isinstance(said, list) else [said]))

    def says(self, key: Key) -> bool:
        """Whether the key, or what is below it, is said."""
        said = (*self.values, *self.passwords, *self.chosen)
        return any(one[: len(key)] == key for one in said)


Variable = Callable[[str], str | None]


def read(
    table: Mapping[str, Any],
    place: str,
    *,
    outputs: Mapping[str, Any],
    state: Resources,
    variable: Variable = lambda _name: None,
) -> Mapped:
    """Evaluate the table. Every defect is a problem with its place; the rest is taken all the same."""
    reading = _MappingReading(place, outputs, state, variable)
    for key, value in leaves(table):
        reading.take(key, value)
    problems = tuple(reading.problems)
    return Mapped(reading.values, reading.sources, reading.chosen, reading.passwords, problems, place)


def leaves(table: Mapping[str, Any], above: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Each value of a table with its key; a directive (`{ resource = "…" }`) is a value."""
    for name, value in table.items():
        key = (*above, name)
        if isinstance(value, Mapping) and not _is_directive(value):
            yield from leaves(value, key)
        else:
            yield key, value


def _is_part(key: Key) -> bool:
    return (len(key) == 1 and key[0] in PARTS) or (key[0] == "tenants" and key[2:] == ("load_balancer",))


def _is_directive(value: Mapping[str, Any]) -> bool:
    return bool(value) and len(value.keys() & _DIRECTIVES) == 1 and value.keys() <= _DIRECTIVES | {"attribute"}


class _MappingReading:
    def __init__(self, place: str, outputs: Mapping[str, Any], state: Resources, variable: Variable) -> None:
        self._place, self._outputs, self._state, self._variable = place, outputs, state, variable
        self.values: dict[Key, Any] = {}
        self.sources: dict[Key, str] = {}
        self.chosen: dict[Key, str] = {}
        self.passwords: dict[Key, tuple[SecretStr, str]] = {}
        self.problems: list[Problem] = []

    def take(self, key: Key, value: Any) -> None:
        if key[-1] == "resource" and key[:-1]:
            self._choose(key[:-1], value, key)
        elif isinstance(value, Mapping) and "resource" in value and _is_part(key):
            self._choose(key, value["resource"], key)
        elif key[-1] in PASSWORDS:
            self._password(key, value)
        elif isinstance(value, Mapping):
            self._follow(key, value)
        else:
            self._say(key, value, self._place)

    def _say(self, key: Key, value: Any, source: str) -> None:
        if key == ("database", "host") and isinstance(value, str) and value.rpartition(":")[2].isdigit():
            # The classic output is RDS's endpoint: host:port.
            value, _, port = value.rpartition(":")
            self.values[("database", "port")] = int(port)
            self.sources[("database", "port")] = source
        self.values[key] = value
        self.sources[key] = source

    def _choose(self, key: Key, address: Any, place: Key) -> None:
        if not isinstance(address, str) or address not in self._state.by_address:
            fix = "name a resource as `terraform state list` does"
            self._wrong(place, "mapping-resource-unknown", f"the state has no resource {address!r}", fix)
        else:
            self.chosen[key] = address

    def _follow(self, key: Key, directive: Mapping[str, Any]) -> None:
        if "output" in directive:
            value = self._output(key, directive["output"])
            if value is not None:
                self._say(key, value, f"output {directive['output']}")
        elif "resource" in directive:
            self._attribute(key, directive["resource"], directive.get("attribute", "arn"))
        else:
            fix = (
                "a variable may hold a password: only database.admin_password and tenants.*.password are read that way"
            )
            self._wrong(key, "mapping-not-a-password", "`variable` is for passwords", fix)

    def _output(self, key: Key, expression: Any) -> Any:
        import jmespath  # noqa: PLC0415 - only for who maps outputs
        from jmespath.exceptions import JMESPathError  # noqa: PLC0415

        try:
            value = jmespath.search(str(expression), dict(self._outputs))
        except JMESPathError as error:
            self._wrong(key, "mapping-expression-invalid", " ".join(str(error).split())[:200], "see jmespath.org")
            return None
        if value is None:
            known = ", ".join(sorted(self._outputs)) or "none"
            message = f"{expression!r} finds nothing in Terraform's outputs"
            self._wrong(key, "mapping-output-missing", message, f"the outputs are: {known}")
        return value

    def _attribute(self, key: Key, address: Any, attribute: Any) -> None:
        resource = self._state.by_address.get(address) if isinstance(address, str) else None
        if resource is None:
            fix = "name a resource as `terraform state list` does"
            self._wrong(key, "mapping-resource-unknown", f"the state has no resource {address!r}", fix)
        elif resource.values.get(attribute) in (None, ""):
            self._wrong(key, "mapping-attribute-missing", f"{address} has no {attribute}", "name another attribute")
        else:
            self._say(key, resource.values[attribute], f"{address}: {attribute}")

    def _password(self, key: Key, value: Any) -> None:
        if not isinstance(value, Mapping) or not value.keys() & {"output", "variable"}:
            fix = 'say where it is: { variable = "NAME" } or { output = "NAME" }; better, keep it in Secrets Manager'
            self._wrong(key, "mapping-holds-password", "a password must not be written in a file", fix)
            return
        if "output" in value:
            found, source = self._output(key, value["output"]), f"output {value['output']}"
        else:
            found, source = self._variable(str(value["variable"])), f"variable {value['variable']}"
            if found is None:
                fix = "set it in terraform.tfvars, in *.auto.tfvars or as TF_VAR_…"
                self._wrong(key, "mapping-variable-missing", f"there is no value for {source}", fix)
        if found is not None:
            self.passwords[key] = (SecretStr(str(found)), source)

    def _wrong(self, key: Key, code: str, message: str, fix: str) -> None:
        self.problems.append(Problem(code, message, f"{self._place}: {CONTRACT}.{dotted(key)}", fix))
