"""Whether what a site answered is what a site that is up answers: one row an answer."""

from __future__ import annotations

import pytest

from orchestrator.probe import Probe, Reached
from orchestrator.site import answers
from orchestrator.stack.contract import Healthy

NAME = "demo.example.org"
UP = '{"success": true, "message": "ok", "data": null}'
LOGIN = Healthy(path="/", statuses=(302,), mark="https://login.example.org/")
PAGE = Healthy(path="/", statuses=(200, 204), mark="")


def answer(status: int, body: str = "", location: str = "") -> Probe:
    return Probe("192.0.2.1", Reached.ANSWERED, status, location=location, body=body)


@pytest.mark.parametrize(
    ("probe", "expected", "code"),
    [
        (answer(200, UP), Healthy(), ""),
        (answer(200, '{"success": false}'), Healthy(), "site-other-answer"),
        (answer(200, "<h1>We are back soon</h1>"), Healthy(), "site-other-answer"),
        (answer(200, "[" * 100_000), Healthy(), "site-other-answer"),
        (answer(200), Healthy(), "site-other-answer"),
        (answer(401), Healthy(), "site-refuses"),
        (answer(403, "<html>WAF</html>"), Healthy(), "site-refuses"),
        (answer(404), Healthy(), "site-http-error"),
        (answer(503), Healthy(), "site-http-error"),
        (answer(302, location="https://login.example.org/authorize"), Healthy(), "site-redirects"),
        (answer(302, location="https://login.example.org/authorize"), LOGIN, ""),
        (answer(302, location="https://elsewhere.example/"), LOGIN, "site-redirects"),
        (answer(302, location="/signin"), LOGIN, ""),
        (answer(302, location=f"http://{NAME}/"), LOGIN, "site-redirects"),
        (answer(301, location=f"https://{NAME}/app"), Healthy(), "site-redirects"),
        (answer(204), PAGE, ""),
    ],
)
def test_only_the_expected_answer_is_a_site_that_is_up(probe: Probe, expected: Healthy, code: str) -> None:
    found = answers.wrong(NAME, probe, expected)
    assert (found.code if found else "") == code
    if found:
        assert found.fix
        assert NAME in found.message


def test_a_long_answer_is_shortened() -> None:
    found = answers.wrong(NAME, answer(200, "x " * 10_000), Healthy())
    assert found is not None
    assert len(found.message) < 250
