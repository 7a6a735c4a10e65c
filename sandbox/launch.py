"""Starting a sandbox from another program: tests, and the demo."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Sandbox:
    """A sandbox that runs as a process of its own."""

    dir: Path
    kubeconfig: Path
    url: str
    registry: str
    token: str
    view_token: str
    process: subprocess.Popen[str]

    @property
    def ca(self) -> Path:
        """The certificate to trust."""
        return self.dir / "ca.crt"

    def stop(self, timeout: float = 5.0) -> None:
        """End it; its objects stay in its folder."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout:
            with contextlib.suppress(OSError):
                self.process.stdout.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _words(options: dict[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(option)
        elif isinstance(value, dict):
            for key, entry in value.items():
                words += [option.removesuffix("s"), f"{key}={entry}"]
        elif value is not None and value is not False:
            words += [option, str(value)]
    return words


def start(dir: Path | str, *, timeout: float = 20.0, log: Path | None = None, **options: Any) -> Sandbox:
    """Start a sandbox on a folder and wait until it serves.

    :param options: those of ``python -m sandbox`` (``nodes``, ``speed``, ``port``, ``seed``, ``tokens``, …);
        it ends with this process unless ``die_with_parent=False``
    :raises RuntimeError: it did not come up in time
    """
    folder = Path(dir).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    options.setdefault("die_with_parent", True)
    command = [sys.executable, "-m", "sandbox", "--dir", str(folder), *_words(options)]
    errors = open(log or folder / "sandbox.log", "a")  # noqa: SIM115 - the child keeps it
    root = Path(__file__).resolve().parent.parent
    with errors:
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=errors, text=True)
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    found: dict[str, str] = {}
    end = time.monotonic() + timeout
    while "ready" not in found:
        try:
            line = lines.get(timeout=max(end - time.monotonic(), 0.01))
        except queue.Empty:
            line = ""
        if not line:
            process.kill()
            process.wait()
            said = (log or folder / "sandbox.log").read_text()[-2000:]
            raise RuntimeError(f"the sandbox did not start: {said}")
        key, _, value = line.strip().partition(" ")
        found[key] = value
    tokens = json.loads((folder / "tokens.json").read_text())
    path = Path(options.get("kubeconfig") or folder / "kubeconfig")
    return Sandbox(folder, path, found["ready"], found["registry"], tokens["admin"], tokens["view"], process)


def _read(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stdout is not None
    with contextlib.suppress(ValueError):  # closed while we read
        for line in process.stdout:
            lines.put(line)
    lines.put("")
