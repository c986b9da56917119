"""`make newest`: what is newer than the locked versions is named."""

from __future__ import annotations

from scripts.newest_dependencies import newer, pins

LOCKED = """# Made by …
boto3==1.43.1 \\
    --hash=sha256:aa
Jinja2==3.1.6 \\
    --hash=sha256:bb
networkx==3.6 ; python_full_version < '3' \\
    --hash=sha256:cc
networkx==3.7 ; python_full_version >= '3' \\
    --hash=sha256:dd
"""
NEWEST = "boto3==1.44.0\njinja2==3.1.6\nnetworkx==3.7\nnew_one==1.0\n-e file:///here\n"


def test_pins_are_read_under_the_names_that_an_index_compares() -> None:
    assert pins(LOCKED.splitlines()) == {"boto3": "1.43.1", "jinja2": "3.1.6", "networkx": "3.7"}
    assert pins(NEWEST.splitlines()) == {"boto3": "1.44.0", "jinja2": "3.1.6", "networkx": "3.7", "new-one": "1.0"}


def test_what_differs_is_named() -> None:
    locked, newest = pins(LOCKED.splitlines()), pins(NEWEST.splitlines())
    assert newer(locked, newest) == ["boto3: 1.43.1 → 1.44.0", "new-one: not locked → 1.0"]
    assert newer(newest, newest) == []
