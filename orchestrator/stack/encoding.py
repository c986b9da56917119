"""A contract as it is passed around: JSON, or base64 of gzip of JSON; alone, or among Terraform's outputs."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
from collections.abc import Mapping
from typing import Any

from orchestrator.errors import Invalid, Problem
from orchestrator.stack.contract import Stack, parse

OUTPUT = "orchestrator"
"""Terraform's."""
PROVENANCE = "provenance"
"""The key beside a printed contract's own, with where each value came from."""


def decode(given: str | bytes, source: str) -> Stack:
    """Read a contract: JSON, or base64 of gzip of JSON (one environment variable holds < 128 KiB).

    Bytes may be UTF-8, UTF-16 or UTF-32, with a byte order mark or without: PowerShell's `>` writes UTF-16.
    """
    text = ""
    try:
        text = given.decode(json.detect_encoding(given)) if isinstance(given, bytes) else given
        text = text.lstrip("\ufeff").strip()
        if not text.startswith(("{", '"')):
            text = gzip.decompress(base64.b64decode("".join(text.split()), validate=True)).decode("utf-8-sig")
        document = json.loads(text)
        if isinstance(document, str):  # what `terraform output -raw` of a jsonencode() is, quoted once more
            document = json.loads(document)
    except (binascii.Error, EOFError, OSError, ValueError, RecursionError) as error:
        fix = "give what `terraform output -json orchestrator` prints"
        raise Invalid(Problem("contract-unreadable", _not_json(text, error), source, fix)) from None
    return parse(unwrapped(_outputs_of(document, source)), source)


def _outputs_of(document: Any, source: str) -> Any:
    """Of a Terraform state, as it is stored, its outputs; anything else as it is. Raises `Invalid` without ours."""
    if not (isinstance(document, Mapping) and "terraform_version" in document and "serial" in document):
        return document
    outputs = document.get("outputs")
    if not isinstance(outputs, Mapping) or OUTPUT not in outputs:
        fix = f"add the output `{OUTPUT}` to its configuration, or name its directory, from which it can be inferred"
        message = f"this Terraform state has no output `{OUTPUT}`"
        raise Invalid(Problem("state-without-contract", message, source, fix))
    return outputs


def _not_json(text: str, error: Exception) -> str:
    """Why this is no contract, without a word of it."""
    if isinstance(error, UnicodeDecodeError):
        return f"this is not text: byte {error.start} is not {error.encoding}"
    if not text:
        return "there is nothing in it"
    if "<sensitive>" in text:
        return "this is Terraform's output for people, which hides the contract: <sensitive>"
    if "\0" in text:
        return "there is a NUL in it"
    where = f" (line {error.lineno} is not JSON)" if isinstance(error, json.JSONDecodeError) else ""
    return f"this is neither JSON nor base64 of gzipped JSON{where}"


def unwrapped(document: Any) -> Any:
    """Take the `orchestrator` output out of a whole `terraform output -json`, or leave the document as it is.

    What `orchestrate contract --json` adds is passed over: where each value came from; so is what Terraform puts
    around the value of a sensitive output.
    """
    if not isinstance(document, Mapping):
        return document
    if isinstance(output := document.get(OUTPUT), Mapping):
        return output.get("value", output)
    if "sensitive" in document and isinstance(document.get("value"), Mapping):
        return document["value"]
    return {key: value for key, value in document.items() if key != PROVENANCE}
