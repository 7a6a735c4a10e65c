"""``exec`` and ``attach`` over WebSocket (``v5.channel.k8s.io`` and ``v4.channel.k8s.io``).

Every message starts with its channel: 0 stdin, 1 stdout, 2 stderr, 3 the status at the
end, 4 the terminal's size; 255 (v5 only) closes the channel that follows.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from sandbox.api.logs import choose
from sandbox.api.request import Target, flag
from sandbox.errors import ApiError, bad_request
from sandbox.kubelet.output import lines_of
from sandbox.kubelet.shell import Shell
from sandbox.kubelet.terminal import Terminal
from sandbox.times import seconds_of

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


def _status(code: int, message: str = "") -> bytes:
    body: Obj = {"metadata": {}, "status": "Success"}
    if code:
        text = message or f"command terminated with non-zero exit code: exit status {code}"
        body |= {"status": "Failure", "message": text}
        if not message:
            causes = [{"reason": "ExitCode", "message": str(code)}]
            body |= {"reason": "NonZeroExitCode", "details": {"causes": causes}}
        else:
            body |= {"reason": "InternalError", "code": 500}
    return json.dumps(body).encode()


class Session:
    """One WebSocket with a command at its other end."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self.tty = flag(request, "tty")
        self.wants_stdin = flag(request, "stdin")
        self.input: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.size = (80, 24)

    async def send(self, channel: int, data: bytes) -> None:
        """Write on one channel."""
        if data and not self.socket.closed:
            await self.socket.send_bytes(bytes([channel]) + data)

    async def read(self) -> None:
        """Take in what the client sends, until it leaves."""
        async for message in self.socket:
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                continue
            data = message.data if isinstance(message.data, bytes) else message.data.encode()
            if not data:
                continue
            channel, rest = data[0], data[1:]
            if channel == STDIN:
                self.input.put_nowait(rest)
            elif channel == RESIZE:
                try:
                    size = json.loads(rest)
                    self.size = (int(size.get("Width", 80)), int(size.get("Height", 24)))
                except (ValueError, AttributeError):
                    continue
            elif channel == CLOSE and rest[:1] == bytes([STDIN]):
                self.input.put_nowait(None)
        self.input.put_nowait(None)


def _runs(pod: Obj, container: Obj) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses", ())
    return any(one["name"] == container["name"] and "running" in one.get("state", {}) for one in statuses)


def _check(request: web.Request, target: Target) -> None:
    """Refuse what cannot be run.

    :raises ApiError: the command is missing, or the client speaks another protocol
    """
    if target.subresource == "exec" and "command" not in request.query:
        raise bad_request("you must specify at least one command for the container")
    offered = [p.strip() for p in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if not any(protocol in PROTOCOLS for protocol in offered):
        why = f"client supports {offered}, server accepts {list(PROTOCOLS)}"
        raise bad_request(f"unable to upgrade: unable to negotiate protocol: {why}")


async def respond(cluster: Cluster, request: web.Request, target: Target) -> web.StreamResponse:
    """Run a command, or join the main one.

    :raises ApiError: the pod cannot run it, or the protocol is not spoken
    """
    if target.subresource == "portforward":
        raise ApiError(501, "NotImplemented", "the sandbox does not forward ports")
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise bad_request("Upgrade request required")
    pod = cluster.writer.load(target.resource, target.namespace, target.name)
    container = choose(pod, request.query.get("container", ""))
    if not _runs(pod, container):
        return web.Response(status=500, text=f'container not found ("{container["name"]}")')
    _check(request, target)
    socket = web.WebSocketResponse(protocols=PROTOCOLS, heartbeat=30.0)
    await socket.prepare(request)
    session = Session(socket, request)
    reader = asyncio.create_task(session.read())
    try:
        shell = Shell(cluster, pod, container, session.size)
        if target.subresource == "attach":
            code, message = await _attach(cluster, session, pod, container)
        else:
            code, message = await _run(session, shell, request.query.getall("command"))
        await session.send(STATUS, _status(code, message))
    finally:
        if not socket.closed:
            await socket.close()
        reader.cancel()
    return socket


async def _run(session: Session, shell: Shell, command: list[str]) -> tuple[int, str]:
    """Run one command; a shell without ``-c`` reads its commands from the input."""
    name = command[0].rsplit("/", 1)[-1]
    if name not in ("sh", "bash", "ash"):
        return await _once(session, shell, command)
    if "-c" in command[1:]:
        script = command[command.index("-c") + 1] if command.index("-c") + 1 < len(command) else ""
        result = await shell.script(script, await _all_input(session))
        await session.send(STDOUT, _ends(session, result.out))
        await session.send(STDERR if not session.tty else STDOUT, _ends(session, result.err))
        return result.code, ""
    if not shell.has(command[0]):
        return 1, _no_such(command[0])
    if session.tty:
        return await Terminal(session, shell, name).run(), ""
    return await _piped(session, shell), ""


async def _once(session: Session, shell: Shell, command: list[str]) -> tuple[int, str]:
    if not shell.has(command[0]):
        return 1, _no_such(command[0])
    result = await shell.run(command, await _all_input(session) if session.wants_stdin else "")
    await session.send(STDOUT, _ends(session, result.out))
    await session.send(STDERR if not session.tty else STDOUT, _ends(session, result.err))
    return result.code, ""


def _no_such(name: str) -> str:
    return (
        "Internal error occurred: Internal error occurred: error executing command in container: "
        f'failed to exec in container: failed to start exec "{secrets.token_hex(32)}": '
        "OCI runtime exec failed: exec failed: unable to start container process: "
        f'exec: "{name}": executable file not found in $PATH'
    )


def _ends(session: Session, text: str) -> bytes:
    return (text.replace("\n", "\r\n") if session.tty else text).encode()


async def _all_input(session: Session) -> str:
    """All of the input where it is piped in; a terminal's is left alone."""
    if not session.wants_stdin or session.tty:
        return ""
    parts: list[bytes] = []
    while True:
        try:
            part = await asyncio.wait_for(session.input.get(), 0.3 if not parts else 1.0)
        except TimeoutError:
            break
        if part is None:
            break
        parts.append(part)
    return b"".join(parts).decode(errors="replace")


async def _piped(session: Session, shell: Shell) -> int:
    """A shell whose commands come line by line without a terminal."""
    code, rest = 0, ""
    while True:
        part = await session.input.get()
        if part is None:
            lines, rest = [rest] if rest else [], ""
        else:
            *lines, rest = (rest + part.decode(errors="replace")).split("\n")
        for line in lines:
            result = await shell.script(line)
            await session.send(STDOUT, result.out.encode())
            await session.send(STDERR, result.err.encode())
            code = result.code
            if shell.exited is not None:
                return shell.exited
        if part is None:
            return code


async def _attach(cluster: Cluster, session: Session, pod: Obj, container: Obj) -> tuple[int, str]:
    """Show what the main command writes until the client leaves or the pod is gone."""
    since = time.time()
    one: Obj = next((s for s in pod["status"]["containerStatuses"] if s["name"] == container["name"]), {})
    begin = seconds_of(one.get("state", {}).get("running", {}).get("startedAt"))
    while not session.socket.closed:
        await asyncio.sleep(0.5)
        record = cluster.store.find("/pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
        if record is None or record.pod.finished:
            return 0, ""
        now = time.time()
        rows = [text for stamp, text in lines_of(record.load(), container, begin, now) if since <= stamp < now]
        await session.send(STDOUT, _ends(session, "".join(row + "\n" for row in rows)))
        since = now
    return 0, ""
