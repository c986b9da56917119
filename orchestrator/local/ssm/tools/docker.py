"""A double of docker that knows two containers, `vespa` and `opensearch`.

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

from orchestrator.local.ssm.tools import containers

FLAGS_WITH_VALUE = frozenset({"-f", "--format", "--filter", "--tail", "-n", "--since", "--time"})
OF_RUN = {"-p": "--publish", "-v": "--volume", "-e": "--env", "-h": "--hostname", "-m": "--memory", "-u": "--user"}
RUN_WITH_VALUE = frozenset(
    {"--name", "--restart", "--ulimit", "--log-opt", "--network", "--env-file", *OF_RUN, *OF_RUN.values()}
)
SEEN = {containers.SILENT: containers.RUNNING, containers.UNPULLED: containers.ABSENT}
"""What docker says of states it has no word for."""
AFTER = {
    "start": containers.RUNNING,
    "restart": containers.RUNNING,
    "stop": containers.EXITED,
    "kill": containers.EXITED,
}
NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


def main(arguments: list[str]) -> int:
    """Exit status as docker's: 125 for a usage this double has not, 1 for no such container or no daemon."""
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if not containers.daemon_runs(containers.state_file()):
        return _fail(125 if verb == "run" else 1, f"docker: {NO_DAEMON}" if verb == "run" else NO_DAEMON)
    if verb == "info":
        return 0
    if verb == "run":
        return _run(rest)
    if verb in {"images", "pull"}:
        return _image(verb, rest)
    flags = FLAGS_WITH_VALUE - ({"-f"} if verb in ("rm", "logs") else set()) | ({"-t"} if verb == "stop" else set())
    options, names = _split(rest, values=flags)
    if verb == "ps":
        return _ps(options, everything="-a" in rest or "--all" in rest)
    if verb not in {*AFTER, "rm", "inspect", "logs", "unpause"}:
        return _fail(125, f"docker: this double has no '{verb}'")
    if len(names) != 1 or names[0] not in containers.REPOSITORIES or _seen(names[0]) == containers.ABSENT:
        return _fail(1, f"Error response from daemon: No such container: {' '.join(names)}")
    return _on_container(verb, names[0], options)


def _seen(name: str) -> str:
    """What docker says of the container's state."""
    state = containers.state(containers.state_file(name))
    return SEEN.get(state, state)


def _on_container(verb: str, name: str, options: dict[str, str]) -> int:
    file, now = containers.state_file(name), _seen(name)
    if verb == "inspect":
        shown = _filled(options["-f"], name) if "-f" in options else json.dumps([_inspected(name)], indent=4)
        print(shown)  # noqa: T201
    elif verb == "logs":
        _say(file, options)
    elif verb == "unpause":
        return _fail(1, f"Error response from daemon: Container {name} is not paused")
    elif verb == "rm":
        if now == containers.RUNNING and "-f" not in options:
            return _fail(1, "Error response from daemon: cannot remove container: container is running")
        containers.change(file, containers.ABSENT)
    else:
        if verb == "restart" or AFTER[verb] != now:
            containers.change(file, AFTER[verb])
        print(name)  # noqa: T201
    return 0


def _run(rest: list[str]) -> int:
    options, words = _options_of_run(rest)
    ((name,), known) = options.get("--name") or [""], containers.REPOSITORIES
    if name not in known or not words:
        return _fail(125, f"docker: this double runs only --name {' or '.join(known)}, and an image")
    if not ({"-d", "--detach"} & options.keys()):
        return _fail(125, "docker: this double has no terminal: --detach")
    if _seen(name) != containers.ABSENT:
        return _fail(125, f'docker: Error response from daemon: The container name "/{name}" is already in use.')
    ports = tuple(int(one.split(":")[-2]) for one in options.get("--publish", ()))
    restart = (options.get("--restart") or ["no"])[-1]
    volumes, variables = tuple(options.get("--volume", ())), tuple(options.get("--env", ()))
    how = containers.ContainerSetup(words[0], ports, volumes, restart, variables)
    containers.make(containers.state_file(name), how)
    print("0" * 64)  # noqa: T201
    return 0


def _image(verb: str, rest: list[str]) -> int:
    """Of the repository that is named, without one of Vespa's."""
    named = next((word for word in rest if not word.startswith("-")), "").partition(":")[0]
    name = next((it for it, image in containers.REPOSITORIES.items() if image == named), containers.VESPA)
    file = containers.state_file(name)
    there = containers.state(file) != containers.UNPULLED and (name == containers.VESPA or file.exists())
    if verb == "pull" and not there:
        containers.change(file, containers.ABSENT)
    if verb == "images" and there:
        image, _, tag = containers.OF_USER_DATA[name].image.partition(":")
        print("0" * 12 if "-q" in rest else f"{image}   {tag}   000000000000   5 weeks ago   1.9GB")  # noqa: T201
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
    lines = [line.partition(" ") for line in containers.lines(file)]
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


def _ps(options: dict[str, str], everything: bool) -> int:
    template = options.get("-f", "")
    if not template:
        print("CONTAINER ID   IMAGE               STATUS    NAMES")  # noqa: T201
        template = "000000000000   {{.Image}}   {{.Status}}   {{.Names}}"
    for name in containers.REPOSITORIES:
        now = _seen(name)
        if now == containers.RUNNING or (everything and now == containers.EXITED):
            print(_filled(template, name))  # noqa: T201
    return 0


def _inspected(name: str) -> dict[str, object]:
    now, made = _seen(name), containers.made(containers.state_file(name))
    running = now == containers.RUNNING
    return {
        "Name": f"/{name}",
        "Config": {"Image": made.image},
        "HostConfig": {
            "PortBindings": _bindings(made),
            "Binds": list(made.volumes),
            "RestartPolicy": {"Name": made.restart},
        },
        "State": {"Status": now, "Running": running, "ExitCode": 0 if running else 137},
    }


def _bindings(made: containers.ContainerSetup) -> dict[str, list[dict[str, str]]]:
    return {f"{port}/tcp": [{"HostIp": "", "HostPort": str(port)}] for port in made.ports}


def _filled(template: str, name: str) -> str:
    file, now = containers.state_file(name), _seen(name)
    running, made = now == containers.RUNNING, containers.made(file)
    fields = {
        ".Names": name,
        ".Name": f"/{name}",
        ".Image": made.image,
        ".Config.Image": made.image,
        ".State": now,
        ".Status": "Up 5 minutes" if running else "Exited (137) 1 minute ago",
        ".State.Status": now,
        ".State.Running": "true" if running else "false",
        ".State.ExitCode": "0" if running else "137",
        ".State.StartedAt": containers.changed_at(file).isoformat().replace("+00:00", "Z"),
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
