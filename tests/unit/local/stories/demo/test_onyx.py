"""Which Onyx the demo is told with: its argument, what Terraform is told, and what the evidence looks at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator.cli import demo as command
from orchestrator.errors import Outcome
from orchestrator.local.stories import demo
from orchestrator.local.stories.demo.evidence import index_instances, service_names
from orchestrator.local.stories.demo.onyx import ONYX

TERRAFORM = Path(__file__).resolve().parents[5] / "terraform"
CONTRACT = {
    "vespa": {"old": {"instance_id": "i-1"}},
    "tenants": {
        "old": {"service": "old-service", "workers": {}, "index": None},
        "new": {
            "service": "new-service",
            "workers": {"background": {"service": "new-background"}},
            "index": {"opensearch": {"instance_id": "i-2"}},
        },
    },
}


@pytest.mark.parametrize(("words", "major"), [([], 2), (["--onyx", "2"], 2), (["--onyx", "4"], 4)])
def test_the_story_is_told_with_the_version_asked_for(
    words: list[str], major: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[demo.DemoOptions] = []

    def tell(telling: demo.DemoOptions, **_: object) -> Outcome:
        told.append(telling)
        return Outcome.SUCCEEDED

    monkeypatch.setattr(demo, "tell", tell)
    assert CliRunner().invoke(command.demo, words).exit_code == 0
    assert [one.onyx for one in told] == [major]


def test_another_version_is_refused() -> None:
    answer = CliRunner().invoke(command.demo, ["--onyx", "3"])
    assert answer.exit_code != 0
    assert "'3' is not one of '2', '4'" in answer.output


@pytest.mark.parametrize("major", ONYX)
def test_terraform_takes_a_version_of_that_major(major: int, tmp_path: Path) -> None:
    ONYX[major].choose(tmp_path)
    (file,) = tmp_path.glob("*.auto.tfvars")
    assert re.fullmatch(rf'onyx_version = "v{major}\.\d+\.\d+"\n', file.read_text())


def test_the_guides_version_is_the_default_of_terraform_too() -> None:
    (said,) = re.findall(
        r'variable "onyx_version" {.*?default\s+= "(.*?)"', (TERRAFORM / "variables.tf").read_text(), re.DOTALL
    )
    assert said == ONYX[2].version


def test_every_service_and_every_index_is_looked_at() -> None:
    assert service_names(CONTRACT) == ["old-service", "new-service", "new-background"]
    assert index_instances(CONTRACT) == {"Vespa": {"old": "i-1"}, "OpenSearch": {"new": "i-2"}}
    assert list(index_instances({**CONTRACT, "vespa": {}})) == ["OpenSearch"]
