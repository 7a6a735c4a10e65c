"""The terminal of an interactive shell: prompt, echo, line editing and history."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from sandbox.kubelet.shell import Result, Shell

if TYPE_CHECKING:
    from sandbox.api.streams import Session

STDOUT = 1
_KEYS = {
    "\x1b[A": "up",
    "\x1b[B": "down",
    "\x1b[C": "right",
    "\x1b[D": "left",
    "\x1b[H": "home",
    "\x1b[F": "end",
    "\x1b[3~": "delete",
}
_KEYS |= {"\x1bOA": "up", "\x1bOB": "down", "\x1bOC": "right", "\x1bOD": "left", "\x1bOH": "home", "\x1bOF": "end"}
_CONTROL = {"\x01": "home", "\x05": "end", "\x02": "left", "\x06": "right", "\x10": "up", "\x0e": "down"}


class Terminal:
    """Reads keys, shows what is typed, runs lines."""

    def __init__(self, session: Session, shell: Shell, name: str) -> None:
        self.session = session
        self.shell = shell
        self.name = name
        self.line = ""
        self.at = 0
        self.history: list[str] = []
        self.place = 0
        self.escape = ""

    @property
    def prompt(self) -> str:
        """What stands before the line."""
        if self.name == "bash":
            where = "~" if self.shell.cwd == self.shell.env["HOME"] else self.shell.cwd
            return f"root@{self.shell.hostname}:{where}# "
        return f"{self.shell.cwd} # "

    async def write(self, text: str) -> None:
        """Show something."""
        await self.session.send(STDOUT, text.encode())

    async def run(self) -> int:
        """Until ``exit``, end of file, or the client leaves; the exit code."""
        await self.write(self.prompt)
        while True:
            data = await self.session.input.get()
            if data is None:
                return self.shell.last
            for key in self._keys(data.decode(errors="replace")):
                if await self._press(key):
                    return self.shell.exited if self.shell.exited is not None else self.shell.last

    def _keys(self, text: str) -> list[str]:
        """Single keys; an escape sequence is one of them."""
        found = []
        for char in text:
            if self.escape or char == "\x1b":
                self.escape += char
                if len(self.escape) > 2 and (char.isalpha() or char == "~"):
                    found.append(_KEYS.get(self.escape, ""))
                    self.escape = ""
                elif len(self.escape) > 6:
                    self.escape = ""
                continue
            found.append(_CONTROL.get(char, char))
        return found

    async def _press(self, key: str) -> bool:
        """One key; True where the session is over."""
        if key in ("\r", "\n"):
            await self.write("\r\n")
            return await self._enter()
        if key == "\x04" and not self.line:
            await self.write("exit\r\n" if self.name == "bash" else "\r\n")
            return True
        if key == "\x03":
            self.line, self.at = "", 0
            self.shell.last = 130
            await self.write("^C\r\n" + self.prompt)
        elif key == "\x0c":
            await self.write("\x1b[H\x1b[2J" + self.prompt + self.line)
        elif key == "\t":
            await self._complete()
        else:
            await self._edit(key)
        return False

    async def _edit(self, key: str) -> None:  # noqa: PLR0912 - one branch per key
        if key in ("\x7f", "\x08"):
            if self.at:
                await self._replace(self.line[: self.at - 1] + self.line[self.at :], self.at - 1)
        elif key == "delete":
            await self._replace(self.line[: self.at] + self.line[self.at + 1 :], self.at)
        elif key == "\x15":
            await self._replace(self.line[self.at :], 0)
        elif key == "\x0b":
            await self._replace(self.line[: self.at], self.at)
        elif key == "\x17":
            head = self.line[: self.at].rstrip().rpartition(" ")
            kept = head[0] + head[1]
            await self._replace(kept + self.line[self.at :], len(kept))
        elif key in ("left", "right", "home", "end"):
            at = {"left": self.at - 1, "right": self.at + 1, "home": 0, "end": len(self.line)}[key]
            await self._replace(self.line, min(max(at, 0), len(self.line)))
        elif key in ("up", "down"):
            self.place = min(max(self.place + (1 if key == "down" else -1), 0), len(self.history))
            text = self.history[self.place] if self.place < len(self.history) else ""
            await self._replace(text, len(text))
        elif key.isprintable() and key:
            if self.at == len(self.line):
                self.line, self.at = self.line + key, self.at + 1
                await self.write(key)
            else:
                await self._replace(self.line[: self.at] + key + self.line[self.at :], self.at + 1)

    async def _replace(self, line: str, at: int) -> None:
        """Show another line with the cursor somewhere in it."""
        self.line, self.at = line, at
        back = len(line) - at
        await self.write(f"\r\x1b[K{self.prompt}{line}" + (f"\x1b[{back}D" if back else ""))

    async def _complete(self) -> None:
        word = self.line[: self.at].rpartition(" ")[2]
        folder, _, start = word.rpartition("/")
        base = self.shell.path(folder or ("/" if word.startswith("/") else "."))
        prefix = base.rstrip("/") + "/"
        names = {f[len(prefix) :].split("/", 1)[0] for f in self.shell.files if f.startswith(prefix + start)}
        if len(names) == 1:
            rest = names.pop()[len(start) :]
            await self._replace(self.line[: self.at] + rest + self.line[self.at :], self.at + len(rest))

    async def _enter(self) -> bool:
        line, self.line, self.at = self.line.strip(), "", 0
        if line:
            self.history.append(line)
            self.shell.size = self.session.size
            result = await self._interruptible(line)
            await self.write((result.out + result.err).replace("\n", "\r\n"))
        self.place = len(self.history)
        if self.shell.exited is not None:
            return True
        await self.write(self.prompt)
        return False

    async def _interruptible(self, line: str) -> Result:
        """Run a line; Ctrl-C stops it."""
        task = asyncio.create_task(self.shell.script(line))
        while not task.done():
            getter = asyncio.create_task(self.session.input.get())
            await asyncio.wait({task, getter}, return_when=asyncio.FIRST_COMPLETED)
            if not getter.done():
                getter.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await getter
                break
            data = getter.result()
            if data is None or b"\x03" in data:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
                if data is None:
                    self.session.input.put_nowait(None)
                self.shell.last = 130
                return Result("^C\n", "", 130)
            self.session.input.put_nowait(data) if task.done() else None
        return await task
