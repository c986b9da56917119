import json

import pytest

from orchestrator.terraform.stream import ChangeSummary, Diagnostic, StreamLine, document, parse

RESOURCE = {"addr": "terraform_data.x", "resource_type": "terraform_data"}
ACTION = {"addr": "action.local_command.run", "action_type": "local_command"}


def line(**said: object) -> str:
    return json.dumps(said)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("  \n", None),
        ("[command]/usr/bin/terraform apply", StreamLine("log", "[command]/usr/bin/terraform apply")),
        ("{half", StreamLine("log", "{half")),
        ("[1]", StreamLine("log", "[1]")),
        (line(type="version", **{"@message": "Terraform 1.11.4"}), StreamLine("version", "Terraform 1.11.4")),
        (
            line(type="apply_start", hook={"resource": RESOURCE, "action": "create"}, **{"@message": "Creating..."}),
            StreamLine("apply_start", "Creating...", "terraform_data.x", "create"),
        ),
        (
            line(type="apply_progress", hook={"resource": RESOURCE, "action": "create", "elapsed_seconds": 10}),
            StreamLine("apply_progress", "", "terraform_data.x", "create", 10.0),
        ),
        (
            line(
                type="provision_progress",
                hook={"resource": RESOURCE, "provisioner": "local-exec", "output": "hello"},
                **{"@message": "terraform_data.x: (local-exec): hello"},
            ),
            StreamLine("provision_progress", "hello", "terraform_data.x"),
        ),
        (
            line(type="planned_change", change={"resource": RESOURCE, "action": "replace"}),
            StreamLine("planned_change", "", "terraform_data.x", "replace"),
        ),
        (
            line(type="planned_action_invocation", invocation={"action_addr": ACTION}, **{"@message": "planned"}),
            StreamLine("planned_action_invocation", "planned", "action.local_command.run"),
        ),
        (
            line(type="action_start", hook={"action": ACTION, "lifecycle": {"resource": RESOURCE}}),
            StreamLine("action_start", "", "action.local_command.run"),
        ),
        (
            line(type="change_summary", changes={"add": 1, "change": 0, "remove": 0, "action_invocation": 2}),
            StreamLine("change_summary", "", changes=ChangeSummary(1, invoked=2)),
        ),
        (
            line(
                type="change_summary", changes={"add": 1, "change": 2, "remove": 3, "import": 4, "operation": "apply"}
            ),
            StreamLine("change_summary", "", changes=ChangeSummary(1, 2, 3, 4)),
        ),
        (
            line(
                type="diagnostic",
                diagnostic={
                    "severity": "error",
                    "summary": "It broke",
                    "detail": "badly",
                    "address": "terraform_data.x",
                    "range": {"filename": "main.tf", "start": {"line": 7}},
                },
            ),
            StreamLine(
                "diagnostic", "", diagnostic=Diagnostic("error", "It broke", "badly", "terraform_data.x", "main.tf:7")
            ),
        ),
        (
            line(type="diagnostic", diagnostic={"severity": "warning", "summary": "Careful"}),
            StreamLine("diagnostic", "", diagnostic=Diagnostic("warning", "Careful")),
        ),
    ],
)
def test_a_line_becomes_progress(text: str, expected: StreamLine | None) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("[command]/opt/terraform-bin output -json\n", "\n::debug::Terraform exited with code 0.\n"),
        ("Warning: { not json\n{also not}\n", "::debug::stdout: {%0A}\n::set-output name=stdout::{}\n"),
    ],
)
def test_json_is_found_between_a_wrappers_lines(before: str, after: str) -> None:
    said = {"site": {"value": 'a "quoted"\n{line}', "sensitive": False}}
    assert document(before + json.dumps(said, indent=2) + after) == said


@pytest.mark.parametrize("text", ["", "no json", "[1, 2]", '::debug:: {"a": 1}'])
def test_no_json_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        document(text)
