"""All processes of a site on one machine, as children of this one: started, watched, restarted, ended together."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.config import load_settings

log = logging.getLogger(__name__)
RESTART_AFTER = 1.0
END_SECONDS = 7.0  # of the ten that a site may take to end (C-5)


@dataclass
class Child:
    """One process that is kept running."""

    name: str
    command: Sequence[str]
    quiet: bool = False
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0


@dataclass
class Family:
    """The processes of a site. ``signal_end`` makes :meth:`watch` return."""

    environment: Mapping[str, str]
    children: list[Child] = field(default_factory=list)
    ending: bool = False

    def add(self, name: str, *command: str, quiet: bool = False) -> None:
        """Start a process and keep it running; a quiet one is heard only where it complains."""
        child = Child(name, command, quiet)
        self._start(child)
        self.children.append(child)

    def _start(self, child: Child) -> None:
        out = subprocess.DEVNULL if child.quiet else None
        child.process = subprocess.Popen(child.command, env=dict(self.environment), stdout=out, preexec_fn=_child)
        child.started = time.monotonic()

    def signal_end(self, *_: object) -> None:
        """End everything: the answer to SIGTERM and SIGINT."""
        self.ending = True

    def round(self) -> None:
        """Start again what ended by itself; what ends at once, in a later round, so that none waits for another."""
        for child in self.children:
            rested = time.monotonic() - child.started >= RESTART_AFTER
            if child.process and rested and not self.ending and child.process.poll() is not None:
                log.warning("%s ended with %s, starting it again", child.name, child.process.returncode)
                self._start(child)

    def watch(self) -> None:
        """Until told to end."""
        while not self.ending:
            self.round()
            time.sleep(0.2)

    def end(self) -> None:
        """End every child: politely, then not."""
        self.ending = True
        alive = [child.process for child in reversed(self.children) if child.process and child.process.poll() is None]
        for process in alive:
            process.terminate()
        limit = time.monotonic() + END_SECONDS
        for process in alive:
            try:
                process.wait(max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def die_with_parent() -> None:
    """Ask the kernel to end this process with the one that started it (Linux: prctl PR_SET_PDEATHSIG)."""
    try:
        ctypes.CDLL("libc.so.6", use_errno=True).prctl(1, signal.SIGTERM)
    except OSError:
        log.info("no prctl here: this process outlives its parent")


def _child() -> None:
    os.setpgid(0, 0)
    die_with_parent()


def antstack(*arguments: str) -> list[str]:
    """The command line of one of our own processes."""
    return [sys.executable, "-m", "app.cli", *arguments]


def add_site(family: Family, host: str, port: int, workers: int, plugins: Sequence[str]) -> None:
    """Add the processes of a site to a family."""
    family.add("web", *antstack("web", "--host", host, "--port", str(port)))
    for number in range(workers):
        family.add(f"worker-{number + 1}", *antstack("worker"))
    family.add("scheduler", *antstack("scheduler"))
    family.add("mirror", *antstack("mirror"))
    if "dns" in plugins:
        family.add("dns", *antstack("dns"))


def run_all(host: str, port: int, workers: int) -> int:
    """``antstack run``."""
    settings = load_settings()
    family = Family(os.environ)
    signal.signal(signal.SIGTERM, family.signal_end)
    signal.signal(signal.SIGINT, family.signal_end)
    try:
        add_site(family, host, port, workers, settings.plugins)
        family.watch()
    finally:
        family.end()
    return 0
