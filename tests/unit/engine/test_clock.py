"""A request to stop is heard at any instant: also by the very thread that is just going to sleep."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from orchestrator.engine.clock import SystemClock
from orchestrator.errors import Interrupted
from tests.waiting import until

STORM = """
import random, signal
from orchestrator.engine.clock import SystemClock
from orchestrator.errors import Interrupted

chance = random.Random(1)
for _ in range(400):
    clock = SystemClock()
    signal.signal(signal.SIGALRM, lambda *_: clock.interrupt())
    signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, 3e-4))
    try:
        while True:
            clock.sleep(1e-6)
    except Interrupted:
        continue
"""
"""Signals that come while the main thread goes to sleep or wakes up. With a `threading.Event` for a flag, one of the
first two hundred or so is waited for without end."""


def test_a_signal_is_heard_whenever_it_comes() -> None:
    subprocess.run([sys.executable, "-c", STORM], check=True, timeout=300)


def test_every_sleeper_wakes() -> None:
    clock, woken = SystemClock(), []

    def sleeper() -> None:
        with pytest.raises(Interrupted):
            clock.sleep(600)
        woken.append(threading.current_thread().name)

    threads = [threading.Thread(target=sleeper, daemon=True) for _ in range(20)]
    for thread in threads:
        thread.start()
    clock.interrupt()
    until("all are awake", lambda: len(woken) == len(threads))


def test_who_was_asked_to_stop_sleeps_no_more() -> None:
    clock = SystemClock()
    clock.sleep(0)
    assert not clock.interrupted
    clock.interrupt()
    clock.interrupt()
    for _ in range(3):
        with pytest.raises(Interrupted):
            clock.sleep(0)
    assert clock.interrupted
