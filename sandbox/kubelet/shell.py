"""A small shell with a small file system, good enough to look around in a container."""

from __future__ import annotations

import asyncio
import base64
import posixpath
import re
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.kubelet import commands
from sandbox.kubelet.files import files_of

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(\?))")
_SPLIT = re.compile(r"(\|\||&&|;|\||\n)(?=(?:[^\"']|\"[^\"]*\"|'[^']*')*$)")


@dataclass
class Result:
    """What a command wrote, and how it ended."""

    out: str = ""
    err: str = ""
    code: int = 0


class Shell:
    """One shell in one container."""

    def __init__(self, cluster: Cluster, pod: Obj, container: Obj, size: tuple[int, int]) -> None:
        self.cluster = cluster
        self.pod = pod
        self.container = container
        self.size: tuple[int, int] = size
        self.started = time.time()
        self.env = self._environment()
        self.files = files_of(cluster, pod, container)
        self.cwd: str = container.get("workingDir") or "/"
        self.last = 0
        self.exited: int | None = None

    def _environment(self) -> dict[str, str]:
        made = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOSTNAME": self.hostname,
            "HOME": "/root",
            "TERM": "xterm",
            "KUBERNETES_SERVICE_HOST": "10.96.0.1",
            "KUBERNETES_SERVICE_PORT": "443",
        }
        for variable in self.container.get("env") or ():
            made[variable["name"]] = self._value(variable)
        return made

    def _value(self, variable: Obj) -> str:
        source = variable.get("valueFrom") or {}
        if not source:
            return str(variable.get("value", ""))
        meta, status = self.pod["metadata"], self.pod.get("status", {})
        path = (source.get("fieldRef") or {}).get("fieldPath", "")
        facts = {
            "metadata.name": meta["name"],
            "metadata.namespace": meta["namespace"],
            "metadata.uid": meta["uid"],
            "spec.nodeName": self.pod["spec"].get("nodeName", ""),
            "spec.serviceAccountName": self.pod["spec"].get("serviceAccountName", ""),
            "status.podIP": status.get("podIP", ""),
            "status.hostIP": status.get("hostIP", ""),
        }
        if path in facts:
            return str(facts[path])
        if found := re.match(r"metadata\.(labels|annotations)\['(.+)'\]", path):
            return str((meta.get(found[1]) or {}).get(found[2], ""))
        for key, kind in (("secretKeyRef", "/secrets"), ("configMapKeyRef", "/configmaps")):
            reference = source.get(key)
            obj = self.cluster.get(kind, meta["namespace"], reference["name"]) if reference else None
            if obj and reference:
                text = (obj.get("data") or {}).get(reference["key"], "")
                return base64.b64decode(text).decode(errors="replace") if kind == "/secrets" else str(text)
        return ""

    @property
    def hostname(self) -> str:
        """The pod's host name."""
        return str(self.pod["spec"].get("hostname") or self.pod["metadata"]["name"])

    def has(self, name: str) -> bool:
        """Whether there is such a program."""
        base = name.rsplit("/", 1)[-1]
        return base in commands.COMMANDS or base in ("sh", "bash", "ash", "exit", "cd", "export")

    def path(self, name: str) -> str:
        """An absolute path."""
        return posixpath.normpath(posixpath.join(self.cwd, name or "."))

    def expand(self, text: str) -> str:
        """Variables replaced by their values."""

        def value(found: re.Match[str]) -> str:
            return str(self.last) if found[3] else self.env.get(found[1] or found[2], "")

        return _VARIABLE.sub(value, text)

    async def script(self, text: str, given: str = "") -> Result:
        """Run a line, with ``;``, ``&&``, ``||``, pipes and ``>``."""
        total = Result()
        pieces = _SPLIT.split(text)
        before, piped = ";", given
        for index in range(0, len(pieces), 2):
            piece = pieces[index].strip()
            after = pieces[index + 1] if index + 1 < len(pieces) else ";"
            skip = (before == "&&" and self.last != 0) or (before == "||" and self.last == 0)
            if not piece or piece.startswith("#") or skip:
                before = after if not skip else before
                continue
            result = await self._line(piece, piped)
            piped = ""
            total.err += result.err
            if after == "|":
                piped = result.out
            else:
                total.out += result.out
            self.last = total.code = result.code
            before = after
            if self.exited is not None:
                total.code = self.exited
                break
        return total

    async def _line(self, text: str, given: str) -> Result:
        target, append = "", False
        if found := re.search(r"\s*(?:2>&1|2>\s*/dev/null)\s*$", text):
            text = text[: found.start()]
        if found := re.search(r"(>>?)\s*([^\s>|&]+)\s*$", text):
            target, append, text = found[2], found[1] == ">>", text[: found.start()]
        try:
            quoted = "'" in text
            words = shlex.split(text if quoted else self.expand(text))
        except ValueError:
            return Result(err="sh: syntax error: unterminated quoted string\n", code=2)
        if not words:
            return Result()
        while words and re.fullmatch(r"\w+=.*", words[0], re.S):
            name, _, value = words.pop(0).partition("=")
            self.env[name] = value
        result = await self.run(words, given) if words else Result()
        if target and result.code == 0 and target != "/dev/null":
            place = self.path(target)
            self.files[place] = (self.files.get(place, "") if append else "") + result.out
        if target:
            result.out = ""
        return result

    async def run(self, words: list[str], given: str = "") -> Result:
        """Run one command."""
        name, arguments = words[0].rsplit("/", 1)[-1], words[1:]
        if name == "exit":
            self.exited = int(arguments[0]) if arguments and arguments[0].isdigit() else self.last
            return Result(code=self.exited)
        if name == "cd":
            place = self.path(arguments[0] if arguments else self.env["HOME"])
            if not commands.is_folder(self, place):
                return Result(err=f"sh: cd: can't cd to {arguments[0]}: No such file or directory\n", code=1)
            self.cwd = place
            return Result()
        if name == "export":
            for word in arguments:
                key, _, value = word.partition("=")
                self.env[key] = value
            return Result()
        if name in ("sh", "bash", "ash") and "-c" in arguments:
            return await self.script(arguments[arguments.index("-c") + 1], given)
        if name == "sleep":
            await asyncio.sleep(min(float(arguments[0]) if arguments else 0, 3600))
            return Result()
        command = commands.COMMANDS.get(name)
        if command is None:
            return Result(err=f"sh: {words[0]}: not found\n", code=127)
        out, err, code = command(self, arguments, given)
        return Result(out, err, code)
