"""A double of systemctl that knows one unit, docker: `start`, `stop`, `restart`, `enable [--now]`, `is-active`.

Left out: every other unit (exit status 5, as systemd's) and everything else. With dockerd its container comes back, as
`--restart unless-stopped` has it, unless it had been stopped itself.
"""

from __future__ import annotations

import sys

from orchestrator.local.ssm.tools import containers

UNITS = frozenset({"docker", "docker.service"})
ON = {"start": True, "restart": True, "stop": False}


def main(arguments: list[str]) -> int:
    """Exit status as systemctl's: 5 for a unit it has not, 3 for one that is not active."""
    words = [word for word in arguments if not word.startswith("-")]
    verb, units = (words[0], set(words[1:])) if words else ("", set())
    if not units or not units <= UNITS:
        name = ", ".join(sorted(units - UNITS))
        return _say(5, f"Failed to {verb} {name}: Unit {name} not found.")
    file = containers.state_file()
    if verb == "is-active":
        print("active" if containers.daemon_runs(file) else "inactive")  # noqa: T201
        return 0 if containers.daemon_runs(file) else 3
    if verb in ON or (verb == "enable" and "--now" in arguments):
        containers.switch_daemon(file, on=ON.get(verb, True))
        return 0
    return 0 if verb == "enable" else _say(1, f"Unknown command verb '{verb}', this double has it not.")


def _say(status: int, message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
