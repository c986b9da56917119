"""A double of docker that knows one container, `vespa`.

It does `ps [-a] [--format F]`, `inspect [-f F]`, `start`, `stop`, `restart`, `unpause`, `rm`, `run --name vespa …`,
`logs [--tail N] [--since T] [-t]`, `images [-q]`, `pull` and `info`. Left out: everything else (other containers and
images, networks), and all template fields but those named in `fields`. Nothing runs: what differs is only what `curl`
and the cloud's tasks see.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.local.ssm.tools import vespa

NAME, IMAGE = "vespa", "vespaengine/vespa"
FLAGS_WITH_VALUE = frozenset({"-f", "--format", "--filter", "--tail", "-n", "--since", "--time"})
OF_RUN = {"-p": "--publish", "-v": "--volume", "-e": "--env", "-h": "--hostname", "-m": "--memory"}
RUN_WITH_VALUE = frozenset({"--name", "--restart", "--ulimit", "--log-opt", "--network", *OF_RUN, *OF_RUN.values()})
SEEN = {vespa.SILENT: vespa.RUNNING, vespa.UNPULLED: vespa.ABSENT}
"""What docker says of states it has no word for."""
AFTER = {"start": vespa.RUNNING, "restart": vespa.RUNNING, "stop": vespa.EXITED, "kill": vespa.EXITED}
NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


def main(arguments: list[str]) -> int:
    """Exit status as docker's: 125 for a usage this double has not, 1 for no such container or no daemon."""
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    file = vespa.state_file()
    if not vespa.daemon_runs(file):
        return _fail(125 if verb == "run" else 1, f"docker: {NO_DAEMON}" if verb == "run" else NO_DAEMON)
    now = SEEN.get(vespa.state(file), vespa.state(file))
    if verb == "info":
        return 0
    if verb == "run":
        return _run(file, now, rest)
    if verb in {"images", "pull"}:
        return _image(verb, file, rest)
    flags = FLAGS_WITH_VALUE - ({"-f"} if verb in ("rm", "logs") else set()) | ({"-t"} if verb == "stop" else set())
    options, names = _split(rest, values=flags)
    if verb == "ps":
        return _ps(file, now, options, everything="-a" in rest or "--all" in rest)
    if verb not in {*AFTER, "rm", "inspect", "logs", "unpause"}:
        return _fail(125, f"docker: this double has no '{verb}'")
    if names != [NAME] or now == vespa.ABSENT:
        return _fail(1, f"Error response from daemon: No such container: {' '.join(names)}")
    return _on_container(verb, file, now, options)


def _on_container(verb: str, file: Path, now: str, options: dict[str, str]) -> int:
    if verb == "inspect":
        shown = _filled(options["-f"], file, now) if "-f" in options else json.dumps([_inspected(file, now)], indent=4)
        print(shown)  # noqa: T201
    elif verb == "logs":
        _say(file, options)
    elif verb == "unpause":
        return _fail(1, f"Error response from daemon: Container {NAME} is not paused")
    elif verb == "rm":
        if now == vespa.RUNNING and "-f" not in options:
            return _fail(1, "Error response from daemon: cannot remove container: container is running")
        vespa.change(file, vespa.ABSENT)
    else:
        if verb == "restart" or AFTER[verb] != now:
            vespa.change(file, AFTER[verb])
        print(NAME)  # noqa: T201
    return 0


def _run(file: Path, now: str, rest: list[str]) -> int:
    options, words = _options_of_run(rest)
    if options.get("--name") != [NAME] or not words:
        return _fail(125, f"docker: this double runs only --name {NAME}, and an image")
    if not ({"-d", "--detach"} & options.keys()):
        return _fail(125, "docker: this double has no terminal: --detach")
    if now != vespa.ABSENT:
        return _fail(125, f'docker: Error response from daemon: The container name "/{NAME}" is already in use.')
    ports = tuple(int(one.split(":")[-2]) for one in options.get("--publish", ()))
    restart = (options.get("--restart") or ["no"])[-1]
    vespa.make(file, vespa.ContainerSetup(words[0], ports, tuple(options.get("--volume", ())), restart))
    print("0" * 64)  # noqa: T201
    return 0


def _image(verb: str, file: Path, rest: list[str]) -> int:
    if verb == "pull" and vespa.state(file) == vespa.UNPULLED:
        vespa.change(file, vespa.ABSENT)
    if verb == "images" and vespa.state(file) != vespa.UNPULLED:
        print("0" * 12 if "-q" in rest else f"{IMAGE}   8.609.39   000000000000   5 weeks ago   1.9GB")  # noqa: T201
    return 0


def _options_of_run(rest: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Options by their long names, and the image with its command: what follows it is no option of docker's."""
    options: dict[str, list[str]] = {}
    words = iter(rest)
    for word in words:
        if not word.startswith("-"):
            return options, [word, *words]
        option, equals, value = word.partition("=")
        followed = option in RUN_WITH_VALUE and not equals
        options.setdefault(OF_RUN.get(option, option), []).append(next(words, "") if followed else value)
    return options, []


def _split(rest: list[str], values: frozenset[str] | set[str]) -> tuple[dict[str, str], list[str]]:
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


def _say(file: Path, options: dict[str, str]) -> None:
    """Vespa's lines, as docker shows them: those since a time or for a duration, the last so many of them."""
    lines = [line.partition(" ") for line in vespa.lines(file)]
    since = _instant(options["--since"]) if options.get("--since") else None
    kept = [line for line in lines if since is None or datetime.fromisoformat(line[0]) >= since]
    tail = options.get("--tail") or options.get("-n") or "all"
    kept = kept if tail == "all" else kept[len(kept) - min(int(tail), len(kept)) :]
    stamped = bool({"-t", "--timestamps"} & options.keys())
    for stamp, _, text in kept:
        print(f"{stamp} {text}" if stamped else text)  # noqa: T201


def _instant(text: str) -> datetime:
    """A Go duration (`1h30m`) before now, or a time."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return datetime.now(UTC) - timedelta(**{UNITS[unit]: float(number) for number, unit in parts})
    return datetime.fromisoformat(text)


def _ps(file: Path, now: str, options: dict[str, str], everything: bool) -> int:
    shown = now == vespa.RUNNING or (everything and now == vespa.EXITED)
    template = options.get("-f", "")
    if not template:
        print("CONTAINER ID   IMAGE               STATUS    NAMES")  # noqa: T201
        template = "000000000000   {{.Image}}   {{.Status}}   {{.Names}}"
    if shown:
        print(_filled(template, file, now))  # noqa: T201
    return 0


def _inspected(file: Path, now: str) -> dict[str, object]:
    running, made = now == vespa.RUNNING, vespa.made(file)
    return {
        "Name": f"/{NAME}",
        "Config": {"Image": made.image},
        "HostConfig": {
            "PortBindings": _bindings(made),
            "Binds": list(made.volumes),
            "RestartPolicy": {"Name": made.restart},
        },
        "State": {"Status": now, "Running": running, "ExitCode": 0 if running else 137},
    }


def _bindings(made: vespa.ContainerSetup) -> dict[str, list[dict[str, str]]]:
    return {f"{port}/tcp": [{"HostIp": "", "HostPort": str(port)}] for port in made.ports}


def _filled(template: str, file: Path, now: str) -> str:
    running, made = now == vespa.RUNNING, vespa.made(file)
    fields = {
        ".Names": NAME,
        ".Name": f"/{NAME}",
        ".Image": made.image,
        ".Config.Image": made.image,
        ".State": now,
        ".Status": "Up 5 minutes" if running else "Exited (137) 1 minute ago",
        ".State.Status": now,
        ".State.Running": "true" if running else "false",
        ".State.ExitCode": "0" if running else "137",
        ".State.StartedAt": vespa.changed_at(file).isoformat().replace("+00:00", "Z"),
        "json .HostConfig.PortBindings": json.dumps(_bindings(made)),
        "json .HostConfig.Binds": json.dumps(list(made.volumes)),
        ".HostConfig.RestartPolicy.Name": made.restart,
    }
    return re.sub(r"\{\{\s*((?:json )?[.\w]+)\s*\}\}", lambda found: fields.get(found[1], "<no value>"), template)


def _fail(status: int, message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
