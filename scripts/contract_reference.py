"""docs/reference/contract.md and contract.schema.json: the keys of a contract, from its models."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from orchestrator.stack import contract, indexes, names, patterns
from orchestrator.stack.values import Section


def schema() -> dict[str, Any]:
    """The JSON schema. `schema` is required, although the models have a default for it."""
    made = contract.Stack.model_json_schema(by_alias=True)
    required = sorted({"schema", *made["required"]}, key=list(made["properties"]).index)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "required": required}


def lines() -> Iterator[str]:
    """The page below its title."""
    yield "What `orchestrate` needs to know about a stack: the Terraform output `orchestrator`, or the same as JSON"
    yield "with `--contract FILE`, on standard input (`--contract -`) or in the variable `ORCHESTRATE_CONTRACT`"
    yield "(JSON, or base64 of gzipped JSON). It holds names, ids and ARNs, never a secret. All defects are reported"
    yield "at once."
    yield ""
    yield "As a JSON schema: [contract.schema.json](contract.schema.json). The schema can't say that no two tenants"
    yield "may have the same `database`, `role`, `service`, `hostname` or `target_group_arn`, nor what PostgreSQL"
    yield "accepts as a name: 1 to 63 bytes of `a-z`, `0-9`, `_`, `-`, not beginning with a digit or `-`, and not"
    yield "reserved " + f"({', '.join(f'`{name}`' for name in sorted(names.RESERVED))}, `pg_*`)."
    yield ""
    whole = schema()
    yield from _section("The whole", whole, contract.Stack)
    for name, part in whole["$defs"].items():
        yield from _section(name, part, vars(contract).get(name) or vars(indexes)[name])


def _section(title: str, part: Mapping[str, Any], model: type[Section]) -> Iterator[str]:
    yield from (f"## {title}", "", " ".join(part["description"].split()), "")
    said = _said_of_keys(model)
    yield "| Key | Type | Required | Default | What it is |"
    yield "|---|---|---|---|---|"
    required = part.get("required", ())
    for key, shape in part["properties"].items():
        needed = "yes" if key in required else "no"
        yield f"| `{key}` | {_type(shape)} | {needed} | {_default(shape)} | {said.get(key, '')} |"
    yield ""


def _said_of_keys(model: type[Section]) -> dict[str, str]:
    """Key → the docstring below it in the source."""
    (found,) = ast.parse(inspect.getsource(model)).body
    body = found.body if isinstance(found, ast.ClassDef) else []
    said = {}
    for key, text in pairwise(body):
        named = isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name)
        if named and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            said[key.target.id.rstrip("_")] = " ".join(str(text.value.value).split())
    return said


def _default(shape: Mapping[str, Any]) -> str:
    return f"`{json.dumps(shape['default'])}`" if "default" in shape else ""


def _type(shape: Mapping[str, Any]) -> str:
    if "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in shape:
        return " or ".join(_type(one) for one in shape["anyOf"])
    if "const" in shape:
        return f"`{json.dumps(shape['const'])}`"
    if shape["type"] == "object":
        of = next(iter(shape.get("patternProperties", {}).values()), shape.get("additionalProperties"))
        return f"object: a tenant's name → {_type(of)}"
    if shape["type"] == "array":
        return f"list of: {_type(shape['items'])}"
    return _scalar(shape)


def _scalar(shape: Mapping[str, Any]) -> str:
    """A number or a text in words, with its limits."""
    if "minimum" in shape:
        return f"whole number from {shape['minimum']} to {shape['maximum']}"
    words = patterns.WORDS[shape["pattern"]] if "pattern" in shape else {"string": "text"}.get(shape["type"], "null")
    return words + (f", at most {shape['maxLength']} characters" if "maxLength" in shape else "")
