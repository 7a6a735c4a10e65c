"""The processes of a site as children of one: started, watched, restarted, ended together.

They are forked from it, after it has loaded everything and before it starts a thread, so that they share what they all
consist of; when one ends, its successor is forked from the same. Other programs, such as Redis, are started as such.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkProcess

from setproctitle import getproctitle, setproctitle

log = logging.getLogger(__name__)
RESTART_AFTER = 1.0
END_SECONDS = 7.0  # of the ten that a site may take to end (C-5)
NAME = "antstack"
getproctitle()  # finds where the title stands before the environment is changed


@dataclass
class Child:
    """One process that is kept running: a program, or work of our own in a fork of this process."""

    name: str
    start: Callable[[], subprocess.Popen[bytes] | ForkProcess]
    process: subprocess.Popen[bytes] | ForkProcess
    started: float

    @property
    def ended(self) -> int | None:
        """With which status it ended; None while it runs."""
        return self.process.poll() if isinstance(self.process, subprocess.Popen) else self.process.exitcode

    def wait(self, seconds: float) -> None:
        """Wait for its end, for so long."""
        if isinstance(self.process, subprocess.Popen):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        else:
            self.process.join(seconds)


@dataclass
class Family:
    """The processes of a site. ``signal_end`` makes :meth:`watch` return."""

    environment: Mapping[str, str]
    children: list[Child] = field(default_factory=list)
    ending: bool = False

    def add(self, name: str, *command: str) -> None:
        """Start a program and keep it running."""
        self._keep(name, lambda: subprocess.Popen(command, env=dict(self.environment), preexec_fn=_child))

    def fork(self, name: str, work: Callable[[], object]) -> None:
        """Do *work* in a fork of this process, and keep that running."""
        self._keep(name, lambda: forked(name, work))

    def _keep(self, name: str, start: Callable[[], subprocess.Popen[bytes] | ForkProcess]) -> None:
        self.children.append(Child(name, start, start(), time.monotonic()))

    def signal_end(self, *_: object) -> None:
        """End everything: the answer to SIGTERM and SIGINT."""
        self.ending = True

    def round(self) -> None:
        """Start again what ended by itself; what ends at once, in a later round, so that none waits for another."""
        for child in self.children:
            rested = time.monotonic() - child.started >= RESTART_AFTER
            if rested and not self.ending and child.ended is not None:
                log.warning("%s ended with %s, starting it again", child.name, child.ended)
                child.process, child.started = child.start(), time.monotonic()

    def watch(self) -> None:
        """Until told to end."""
        while not self.ending:
            self.round()
            time.sleep(0.5)

    def end(self) -> None:
        """End every child: politely, then not."""
        self.ending = True
        alive = [child for child in reversed(self.children) if child.ended is None]
        for child in alive:
            child.process.terminate()
        limit = time.monotonic() + END_SECONDS
        for child in alive:
            child.wait(max(0.1, limit - time.monotonic()))
            if child.ended is None:
                child.process.kill()
                child.wait(END_SECONDS)


def forked(name: str, work: Callable[[], object]) -> ForkProcess:
    """*work* in a fork of this process, under a name of its own."""
    process = multiprocessing.get_context("fork").Process(target=_forked, args=(name, work), name=name)
    process.start()
    return process


def _forked(name: str, work: Callable[[], object]) -> None:
    """A child begins: it is ended by signals as any program is, and has no connection of its parent's."""
    for caught in (signal.SIGTERM, signal.SIGINT):
        signal.signal(caught, signal.SIG_DFL)
    _child()
    setproctitle(f"{NAME} {name}")
    work()


def die_with_parent() -> None:
    """Ask the kernel to end this process with the one that started it (Linux: prctl PR_SET_PDEATHSIG)."""
    try:
        ctypes.CDLL("libc.so.6", use_errno=True).prctl(1, signal.SIGTERM)
    except OSError:
        log.info("no prctl here: this process outlives its parent")


def _child() -> None:
    os.setpgid(0, 0)
    die_with_parent()
