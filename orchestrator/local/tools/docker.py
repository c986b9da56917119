"""A double of docker that knows one container, `vespa`.

It does `ps [-a] [--format F]`, `inspect [-f F]`, `start`, `stop`, `restart`, `rm`, `run --name vespa …`, `logs`,
`images [-q]`, `pull` and `info`. Left out: everything else (other containers and images, networks, volumes), and all
template fields but those named in `fields`. Nothing runs: what differs is only what `curl` and the cloud's tasks see.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from orchestrator.local.tools import vespa

NAME, IMAGE = "vespa", "vespaengine/vespa"
FLAGS_WITH_VALUE = frozenset({"-f", "--format", "--filter", "--tail", "-n", "--since", "-t", "--time"})
SOCKET = "unix:///var/run/docker.sock"
SEEN = {vespa.SILENT: vespa.RUNNING, vespa.UNPULLED: vespa.ABSENT}
"""What docker says of states it has no word for."""
AFTER = {"start": vespa.RUNNING, "restart": vespa.RUNNING, "stop": vespa.EXITED, "kill": vespa.EXITED}


def main(arguments: list[str]) -> int:
    """Exit status as docker's: 125 for a usage this double has not, 1 for no such container."""
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    file = vespa.state_file()
    now = SEEN.get(vespa.state(file), vespa.state(file))
    if now == vespa.DOCKER_OFF:
        return _fail(1, f"Cannot connect to the Docker daemon at {SOCKET}. Is the docker daemon running?")
    options, names = _split(rest, values=FLAGS_WITH_VALUE - ({"-f"} if verb == "rm" else set()))
    if verb == "info":
        return 0
    if verb == "run":
        return _run(file, now, rest)
    if verb in {"images", "pull"}:
        return _image(verb, file, rest)
    if verb == "ps":
        return _ps(now, options, everything="-a" in rest or "--all" in rest)
    if verb not in {*AFTER, "rm", "inspect", "logs"}:
        return _fail(125, f"docker: this double has no '{verb}'")
    if names != [NAME] or now == vespa.ABSENT:
        return _fail(1, f"Error response from daemon: No such container: {' '.join(names)}")
    return _on_container(verb, file, now, options)


def _on_container(verb: str, file: Path, now: str, options: dict[str, str]) -> int:
    if verb == "inspect":
        print(_filled(options["-f"], now) if "-f" in options else json.dumps([_inspected(now)], indent=4))  # noqa: T201
    elif verb == "rm":
        if now == vespa.RUNNING and "-f" not in options:
            return _fail(1, "Error response from daemon: cannot remove container: container is running")
        vespa.change(file, vespa.ABSENT)
    elif verb in AFTER:
        vespa.change(file, AFTER[verb])
        print(NAME)  # noqa: T201
    return 0


def _run(file: Path, now: str, rest: list[str]) -> int:
    if "--name" not in rest or rest[rest.index("--name") + 1 :][:1] != [NAME]:
        return _fail(125, f"docker: this double runs only --name {NAME}")
    if now != vespa.ABSENT:
        return _fail(125, f'docker: Error response from daemon: The container name "/{NAME}" is already in use.')
    vespa.change(file, vespa.RUNNING)
    print("0" * 64)  # noqa: T201
    return 0


def _image(verb: str, file: Path, rest: list[str]) -> int:
    if verb == "pull" and vespa.state(file) == vespa.UNPULLED:
        vespa.change(file, vespa.ABSENT)
    if verb == "images" and vespa.state(file) != vespa.UNPULLED:
        print("0" * 12 if "-q" in rest else f"{IMAGE}   8.609.39   000000000000   5 weeks ago   1.9GB")  # noqa: T201
    return 0


def _split(rest: list[str], values: frozenset[str]) -> tuple[dict[str, str], list[str]]:
    """Options (`--format` becomes `-f`; `values` are those followed by one) and names."""
    options: dict[str, str] = {}
    names: list[str] = []
    words = iter(rest)
    for word in words:
        option, equals, value = word.partition("=")
        if not word.startswith("-"):
            names.append(word)
            continue
        followed = option in values and not equals
        options["-f" if option == "--format" else option] = next(words, "") if followed else value
    return options, names


def _ps(now: str, options: dict[str, str], everything: bool) -> int:
    shown = now == vespa.RUNNING or (everything and now == vespa.EXITED)
    template = options.get("-f", "")
    if not template:
        print("CONTAINER ID   IMAGE               STATUS    NAMES")  # noqa: T201
        template = "000000000000   {{.Image}}   {{.Status}}   {{.Names}}"
    if shown:
        print(_filled(template, now))  # noqa: T201
    return 0


def _inspected(now: str) -> dict[str, object]:
    running = now == vespa.RUNNING
    return {"Name": f"/{NAME}", "State": {"Status": now, "Running": running, "ExitCode": 0 if running else 137}}


def _filled(template: str, now: str) -> str:
    running = now == vespa.RUNNING
    fields = {
        ".Names": NAME,
        ".Name": f"/{NAME}",
        ".Image": IMAGE,
        ".State": now,
        ".Status": "Up 5 minutes" if running else "Exited (137) 1 minute ago",
        ".State.Status": now,
        ".State.Running": "true" if running else "false",
        ".State.ExitCode": "0" if running else "137",
    }
    return re.sub(r"\{\{\s*([.\w]+)\s*\}\}", lambda found: fields.get(found[1], "<no value>"), template)


def _fail(status: int, message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
