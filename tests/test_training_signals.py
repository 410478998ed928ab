"""Signals: handled while one call computes for minutes, and the process ends without waiting."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from training.signals import Interrupted, interruptible, raise_on_signal

# A call that no signal interrupts: it waits for a lock that is held.
DEADLOCK = """
import ctypes
libc, lock = ctypes.CDLL(None), ctypes.create_string_buffer(64)
libc.pthread_mutex_lock(lock)
"""


@pytest.fixture
def endless() -> Iterator[Callable[[], object]]:
    """A call as long as it takes, deaf to signals, that ends with the test or after a while."""
    scope: dict[str, ctypes.CDLL] = {}
    exec(DEADLOCK, scope)
    libc, lock = scope["libc"], scope["lock"]
    release = threading.Timer(20, libc.pthread_mutex_unlock, [lock])
    release.start()
    yield lambda: libc.pthread_mutex_lock(lock)
    release.cancel()
    libc.pthread_mutex_unlock(lock)


def test_a_signal_is_handled_while_one_call_computes(endless: Callable[[], object]) -> None:
    began = time.monotonic()
    threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGTERM]).start()
    with raise_on_signal(), pytest.raises(Interrupted) as stopped:
        interruptible(endless)
    assert stopped.value.number == signal.SIGTERM
    assert time.monotonic() - began < 10


def test_what_interruptible_work_gives_or_raises_is_passed_on() -> None:
    assert interruptible(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 / 0)


def test_a_process_ends_with_its_code_though_the_work_goes_on() -> None:
    code = f"""{DEADLOCK}
from training.signals import Interrupted, end_process, interruptible, raise_on_signal
try:
    with raise_on_signal():
        print("computing", flush=True)
        interruptible(lambda: libc.pthread_mutex_lock(lock))
except Interrupted as stop:
    print("stopped")
    end_process(128 + stop.number)
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "computing\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=60)[0] == "stopped\n"
    assert process.returncode == 128 + signal.SIGTERM
