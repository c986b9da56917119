from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from orchestrator.local.endpoint.client import PAGE, RECORDS
from orchestrator.local.toolchain import toolchain

settings.register_profile("untimed", deadline=None)  # a busy machine is no defect
settings.load_profile("untimed")

LONGEST_FIRST = (
    "test_lifecycle.py",
    "test_policy.py",
    "test_faults.py",
    "test_worlds.py",
    "test_stack.py",
    "test_scale.py",
    "test_hooks_for_real.py",
    "test_lifecycle_dumps.py",
    "test_backup.py",
    "test_policy_destroy_restore.py",
    "test_leftovers.py",
    "test_policy_aurora.py",
    "test_inferred_stack.py",
    "test_upgrade.py",
    "test_actions.py",
    "test_database_servers.py",
    "test_aurora_stack.py",
    "test_local_stack.py",
    "test_diagnose.py",
    "test_pause.py",
    "test_apply.py",
    "test_workflows.py",
    "test_crash.py",
    "test_background.py",
    "test_looking.py",
    "test_dns.py",
    "test_wait.py",
    "test_newcomer.py",
    "test_several_workers.py",
)
"""Files of minutes: when workers share the tests file by file, these must not come last."""


def pytest_configure() -> None:
    """Every cloud of the tests answers in pages of three items: a list that is read in one piece is seen to be wrong.

    Under nohup, or in a shell's background, signals are ignored, and by whatever is started from here too.
    """
    os.environ.setdefault(PAGE, "3")
    if line := os.environ.get("TERRAFORM"):
        _use(line)
    if RECORDS not in os.environ:
        os.environ[RECORDS] = tempfile.mkdtemp(prefix="aws-calls-")
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    # By itself it would end pytest without a fixture's end, and leave the clouds behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _use(release_line: str) -> None:
    """`make test TERRAFORM=1.15`: every test that doesn't name its Terraform runs on one of this line."""
    if release_line not in toolchain.RELEASE_LINES:
        raise pytest.UsageError(f"TERRAFORM={release_line}: choose {' or '.join(toolchain.RELEASE_LINES)}")
    found = toolchain.find_program(os.environ, toolchain.tool_folder(os.environ), say=print, release_line=release_line)
    os.environ["TERRAFORM_BIN"] = str(found.path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which xdist hands files out; stable within a file."""
    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(Path(item.path).name, len(ranks)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The whole run fails for a call of AWS that went around the pager, the batcher or the table of what is sent once.

    Every cloud of the run has left the record of its calls; xdist's workers end before this process looks.
    """
    if hasattr(session.config, "workerinput"):
        return
    from tests import recorded_calls  # noqa: PLC0415 - it imports moto

    found = recorded_calls.complaints(recorded_calls.read(Path(os.environ[RECORDS])))
    shutil.rmtree(os.environ[RECORDS], ignore_errors=True)
    if found:
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None
        reporter.write_sep("=", "calls of AWS that are made otherwise than they must be", red=True)
        for line in found:
            reporter.write_line(line)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
