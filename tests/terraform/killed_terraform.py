"""`make killed-terraform`: kill -9 in the middle of creating each kind of terraform/, and then on to the end."""

from __future__ import annotations

import logging

import pytest

from orchestrator.local.core import api
from orchestrator.local.world import hosted_zone
from orchestrator.terraform.resource_kinds import KINDS
from tests.terraform.conftest import Terraform
from tests.terraform.killing import CREATES, Sweep, door

DEMO = "-var-file=examples/demo.tfvars"
LOG = logging.getLogger(__name__)
pytestmark = [pytest.mark.cloud, pytest.mark.terraform]


def test_nothing_is_made_twice(stack: Terraform) -> None:
    hosted_zone(api.client(stack.environment, "route53"), "vigilon.app")
    with door(stack.environment["AWS_ENDPOINT_URL"]) as between:
        sweep = Sweep(stack.directory, stack.environment, between, (DEMO,))
        ended = sweep.through(CREATES)
        LOG.info("imported: %s", dict(sweep.imported))
        ended.succeeded()
        assert set(sweep.interrupted) == set(CREATES)
        assert set(sweep.imported) == KINDS.keys()
        assert sweep.miscounted() == {}
        unchanged(stack)

        # The same once more, of everything at once: the state itself is lost.
        (stack.directory / "terraform.tfstate").unlink()
        sweep.run("plan", "--import-blocks", "imports.tf")
        sweep.run("apply", "--auto-approve").succeeded()
        assert sweep.miscounted() == {}
        unchanged(stack)


def unchanged(stack: Terraform) -> None:
    planned = stack.run("plan", "-no-color", "-detailed-exitcode", DEMO, ok=False)
    assert planned.returncode == 0, planned.stdout
