"""What the strings of a contract look like, each in words too: a user never has to read a regular expression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LABEL = "([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
"""What may follow the first character of a DNS label."""

LINE = r"^[^\x00-\x1f\x7f]+$"
MARK = r"^[^\x00-\x08\x0e-\x1f\x7f]*$"
REGION = r"^[a-z]{2,5}(-[a-z]+)+-[0-9]+$"
ACCOUNT = r"^[0-9]{12}$"
TENANT = r"^[A-Za-z0-9][A-Za-z0-9_. -]*$"
PATH = r"^/[^\s#\x00-\x1f\x7f]*$"
INSTANCE = r"^i-[0-9a-f]+$"
CLUSTER = r"^[A-Za-z0-9_-]{1,255}$"
ARN = r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+$"
PLACE = r"^(arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+|/[A-Za-z0-9_./-]+)$"
HOSTNAME = rf"^([A-Za-z0-9_]{LABEL}\.)+[A-Za-z]{LABEL}\.?$"

WORDS: Mapping[str, str] = {
    LINE: "one line of text without control characters",
    MARK: "text without control characters",
    REGION: "an AWS region, such as us-west-2",
    ACCOUNT: "an account id of 12 digits",
    TENANT: "a name of letters, digits, spaces, dots, _ and -, beginning with a letter or digit",
    PATH: "a path that begins with /, without spaces or #",
    INSTANCE: "an instance id, such as i-0123456789abcdef0",
    CLUSTER: "a cluster's name: letters, digits, _ and -",
    ARN: "an ARN, such as arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE",
    PLACE: "the ARN of a secret or parameter, or a parameter's name that begins with /",
    HOSTNAME: "a host name with at least two labels, such as shop.example.com",
}
"""Pattern → what it asks for, with an example where that helps."""


def in_words(found: Mapping[str, Any]) -> str:
    """One of pydantic's errors as a message; `ctx` has the pattern that a string didn't match."""
    if found["type"] == "string_pattern_mismatch":
        return f"it must be {WORDS[found['ctx']['pattern']]}"
    message = str(found["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
