"""session-manager-plugin gets what the AWS CLI would give it, and no token in its arguments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.aws.session_plugin import PROGRAM, RESPONSE, Plugin, arguments
from orchestrator.errors import Invalid

SESSION = {"SessionId": "s-1", "TokenValue": "very-secret-token", "StreamUrl": "wss://x"}
STAND_IN = f"""#!{sys.executable}
import json, os, sys
json.dump({{"arguments": sys.argv[1:], "response": os.environ.get("{RESPONSE}", "")}}, sys.stdout)
"""
BECOME = """
import json, os, sys
from orchestrator.aws.session_plugin import Plugin, arguments
given = arguments("i-0a", region="us-west-2", profile="prod", endpoint="https://ssm.us-west-2.amazonaws.com")
Plugin.find(dict(os.environ)).become(json.loads(sys.stdin.read()), given)
"""


def test_without_the_plugin_its_installation_is_the_fix(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="Install the Session Manager plugin"):
        Plugin.find({"PATH": str(tmp_path)})


def test_this_process_becomes_the_plugin(tmp_path: Path) -> None:
    plugin = tmp_path / PROGRAM
    plugin.write_text(STAND_IN)
    plugin.chmod(0o755)
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", BECOME],
        input=json.dumps(SESSION),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    handed = json.loads(done.stdout)
    assert json.loads(handed["response"]) == SESSION
    assert (
        handed["arguments"]
        == arguments("i-0a", region="us-west-2", profile="prod", endpoint="https://ssm.us-west-2.amazonaws.com")[1:]
    )
    assert SESSION["TokenValue"] not in " ".join(handed["arguments"])
