"""How a container behaves: from the fault that was asked for, and from its command."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any

Obj = dict[str, Any]
ANNOTATION = "sandbox.antstack.io/fault"
_SLEEP = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?|infinity)\b")
_EXIT = re.compile(r"\bexit\s+(\d+)\b")
_SPAN = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m)?$")


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and how long it lasts where that matters."""

    kind: str = ""
    seconds: float = 0.0


def fault_of(pod: Obj) -> Fault:
    """The fault of a pod: its annotation, else a container's variable ``FAULT``."""
    text = (pod["metadata"].get("annotations") or {}).get(ANNOTATION, "")
    for container in pod["spec"].get("containers", ()):
        for variable in container.get("env", ()):
            if variable.get("name") == "FAULT" and not text:
                text = variable.get("value", "")
    kind, _, span = text.partition("=")
    found = _SPAN.match(span)
    factor = {"ms": 0.001, "m": 60.0}.get(found[2] or "s", 1.0) if found else 0.0
    return Fault(kind.strip(), float(found[1]) * factor if found else 0.0)


@dataclass(frozen=True)
class Run:
    """When a container ends, and how; None means that it goes on."""

    seconds: float | None
    code: int = 0


def run_of(pod: Obj, container: Obj) -> Run:
    """How a container runs. One that is started again when it ends is a server, unless its command says otherwise."""
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    text = " ".join(words)
    sleeps = _SLEEP.findall(text)
    code = int(_EXIT.findall(text)[-1]) if _EXIT.search(text) else 0
    if words and words[0] in ("false", "/bin/false"):
        code = 1
    policy = pod["spec"].get("restartPolicy", "Always")
    if "infinity" in sleeps or "while true" in text or "tail -f" in text:
        return Run(None)
    if policy == "Always" and not _EXIT.search(text) and (not words or words[0] not in ("true", "false")):
        return Run(None)
    return Run(sum(float(span) for span in sleeps) if sleeps else 1.0, code)


def output_of(pod: Obj, container: Obj) -> list[str]:
    """What a container writes at its start: what its command echoes, or a server's greeting."""
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    text = words[-1] if words else ""
    lines = []
    for part in re.split(r"[;\n]|&&", text):
        part = part.strip()
        if part.startswith("echo "):
            try:
                lines.append(" ".join(shlex.split(part)[1:]))
            except ValueError:
                lines.append(part[5:])
    if words and words[0] == "echo":
        lines.append(" ".join(words[1:]))
    if not lines:
        ports = ", ".join(str(port["containerPort"]) for port in container.get("ports", ()))
        lines = [f"starting {container['name']} ({container.get('image', '')})"]
        lines.append(f"listening on {ports}" if ports else "started")
    return lines
