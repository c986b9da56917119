import pytest

from orchestrator.redact import Redactor, from_environment, from_secret, sounds_secret, strings_in, strings_of


@pytest.mark.parametrize(
    ("secrets", "text", "expected"),
    [
        ([], "nothing", "nothing"),
        (["hunter22"], "a hunter22, hunter22!", "a ***, ***!"),
        (["abcd", "abcdefgh"], "abcdefgh abcd", "*** ***"),
        (["first line\nsecond line"], "said: second line", "said: ***"),
        (['say "hi"\n'], 'echo "say \\"hi\\"\\n"', 'echo "***"'),
        (["a.c+"], "abcc a.c+", "abcc ***"),
        (["abc", "", "true"], "abc is true", "abc is true"),
    ],
)
def test_known_values_are_masked(secrets: list[str], text: str, expected: str) -> None:
    assert Redactor(secrets)(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("db_password", True),
        ("porkbun_api_key", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("secret_arn", False),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", False),
        ("region", False),
    ],
)
def test_names_tell(name: str, expected: bool) -> None:
    assert sounds_secret(name) is expected


def test_credentials_of_the_environment() -> None:
    environment = {
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
        "AWS_REGION": "us-west-2-and-long",
        "TF_VAR_db_password": "hunter2222",
        "TF_VAR_other_token": "test",
        "MY_PASSWORD": "not-terraforms",
        "PORKBUN_API_KEY": "pk1_0123456789",
        "PASSWORD_FILE": "/run/secrets/password",
    }
    assert list(from_environment(environment)) == ["wJalrXUtnFEMI", "hunter2222", "not-terraforms", "pk1_0123456789"]


def test_the_strings_of_an_expression() -> None:
    assert list(strings_in(r'{ a = "one", b = ["two", "thr\"ee"] }')) == ["one", "two", r"thr\"ee"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a plain token", ["a plain token"]),
        ('{"username": "onyx_root", "password": "hunter2222"}', ["hunter2222"]),
        ('{"username": "onyx_root", "credentials": {"a": ["one"], "b": 7}}', ["one", "7"]),
        ('["a", "list"]', ['["a", "list"]']),
        ("{", ["{"]),
    ],
)
def test_what_of_a_secret_is_hidden(value: str, expected: list[str]) -> None:
    assert list(from_secret(value)) == expected


def test_the_strings_of_a_value() -> None:
    assert list(strings_of({"a": ["one", {"b": 2, "c": None, "d": True}], "e": "three"})) == ["one", "2", "three"]


def test_one_knows_what_another_knows() -> None:
    redact = Redactor(["first-secret"])
    redact.include(Redactor(["second-secret", "a\nmultiline-secret"]))
    assert redact("first-secret second-secret multiline-secret") == "*** *** ***"


def test_what_is_learned_later_is_hidden_from_then_on() -> None:
    redact = Redactor(["first-secret"])
    assert redact("first-secret second-secret") == "*** second-secret"
    redact.learn(["second-secret"])
    assert redact("first-secret second-secret") == "*** ***"
