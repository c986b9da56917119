"""Measures what we promise: `orchestrate --help` costs at most 1.3 times a bare click program that loads as lazily.

Processor time is compared, and the two are run in turns: on a busy machine the time on the clock says little. Exit
status 1 when the promise is broken.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROMISED = 1.3
RUNS = 25

BARE = '''
import sys

import click

COMMANDS = dict.fromkeys(("apply", "plan", "run", "status", "demo", "local", "version"), "What it does, in a line.")


class Lazy(click.Group):
    def list_commands(self, ctx):
        return list(COMMANDS)

    def get_command(self, ctx, name):
        return click.Command(name, short_help=COMMANDS[name])


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def program():
    """A program that does nothing."""


program.main(prog_name="program")
'''


def seconds(command: list[str]) -> float:
    """Of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        commands = {
            "bare lazy click": [sys.executable, str(bare), "--help"],
            "orchestrate --help": [str(Path(sys.executable).with_name("orchestrate")), "--help"],
        }
        for command in commands.values():  # the first run compiles
            seconds(command)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(RUNS):
            for name, command in commands.items():
                times[name].append(seconds(command))
    for name, measured in times.items():
        print(f"{name:<20} median {1000 * statistics.median(measured):6.0f} ms   best {1000 * min(measured):6.0f} ms")
    bare_times, ours = times.values()
    ratio = statistics.median(one / other for one, other in zip(ours, bare_times, strict=True))
    print(f"{'ratio':<20} median {ratio:.2f}, promised <= {PROMISED}")
    return int(ratio > PROMISED)


if __name__ == "__main__":
    sys.exit(main())
