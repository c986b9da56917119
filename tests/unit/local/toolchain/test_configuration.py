"""The configuration of Terraform that names a mirror."""

from __future__ import annotations

from pathlib import Path

from orchestrator.local.toolchain import mirror


def test_the_configuration_quotes_what_hcl_would_read_as_its_own() -> None:
    text = mirror.configuration({"hashicorp/aws": Path('/a "b" \\c/${d}/%{e}')}, "registry.terraform.io")
    assert r'path    = "/a \"b\" \\c/$${d}/%%{e}"' in text
