"""One terminal: the browser's WebSocket joined to the container's exec channel, until either side ends (K-34).

Rights and session are looked at again every few seconds while it is open.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from flask import current_app
from simple_websocket import ConnectionClosed
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from app import caller
from app.auth import decisions, sessions
from app.auth.models import ConsoleSession
from app.db import db, now
from app.errors import ConsoleError
from app.kube import paths
from app.kube.client import Kube
from app.web.language import t
from app.words import _
from plugins.captain import permissions
from plugins.captain.pods.channels import Said, Waiting

log = logging.getLogger(__name__)
IDLE_SECONDS = 900.0
LOOK_EVERY = 4.0
LAST_WORDS_SECONDS = 5.0  # in which a channel that takes nothing more may still say why
STDIN, STDOUT, STDERR, ERROR, RESIZE = 0, 1, 2, 3, 4
SHELLS = ("bash", "sh")
NOT_FOUND_WORDS = ("executable file not found", "no such file or directory", "stat /", "not found")
ENDED = {
    "idle": _("closed after 15 minutes without input"),
    "revoked": _("your session ended, or the right was taken away"),
    "exited": _("the shell ended"),
    "no-shell": _("the container has neither bash nor sh"),
    "lost": _("the connection to the container was lost"),
    "left": _("closed"),
    "unknown": _("the console could not look whether you may stay"),
    "failed": _("the console failed; its log says why"),
}


class Frame(msgspec.Struct):
    """What the page sends: keys that were typed, or the size of the terminal in characters."""

    type: Literal["input", "resize"]
    data: str = ""
    cols: int = 80
    rows: int = 24


_frame = msgspec.json.Decoder(Frame)


@dataclass(frozen=True, slots=True)
class Target:
    """The container that a shell is for."""

    cluster_id: str
    cluster: str
    namespace: str
    pod: str
    container: str


class Terminal:
    """Joins the browser's socket with the container's."""

    def __init__(self, socket: Any, client: Kube, target: Target) -> None:
        self._socket, self._client, self._target = socket, client, target
        socket.input_buffer = Waiting(socket.input_buffer)
        self._app = current_app._get_current_object()  # type: ignore[attr-defined]
        self._who = caller.current()
        self._ended = threading.Event()
        self._typed = time.monotonic()
        self._why = "left"
        self._size = (80, 24)

    def run(self) -> tuple[str, str]:
        """Serve until either side ends.

        :returns: why it ended (a key of ``ENDED``), and what the cluster said
        """
        detail = ""
        for program in SHELLS:
            stream, refusal = self._connect(program)
            if stream is None:
                return "lost", refusal
            detail = self._join(stream)
            if not (self._why == "exited" and any(word in detail.lower() for word in NOT_FOUND_WORDS)):
                return self._why, detail if self._why == "lost" else ""
        return "no-shell", ""

    def _connect(self, program: str) -> tuple[Any, str]:
        """The container's exec channel on a client of its own (kubernetes-client/python#928: shared ones get
        patched).
        """
        from kubernetes.client import ApiException  # slow to load: the first terminal does
        from kubernetes.stream.ws_client import websocket_call

        target = self._target
        path = paths.one("Pod", target.namespace, target.pod, "exec")
        query = [("command", program), *((flag, "true") for flag in ("stdin", "stdout", "stderr", "tty"))]
        query += [("container", target.container)] if target.container else []
        try:
            # A cluster that hangs is found out in bounded time before the handshake, which has none.
            self._client.get(paths.one("Pod", target.namespace, target.pod), timeout=3.0)
            own = self._client.own_client().configuration
            headers = {"authorization": token} if (token := own.get_api_key_with_prefix("BearerToken")) else {}
            made = websocket_call(
                own,
                "GET",
                f"{own.host.rstrip('/')}{path}",
                query_params=query,
                headers=headers,
                _preload_content=False,
                binary=True,
                capture_all=False,
            )
        except ConsoleError as error:
            return None, t(error.reason)
        except (ApiException, OSError) as error:
            # The library's own words are of headers; what the cluster said is in the answer to the handshake.
            body = getattr(error.__context__, "resp_body", None) or b""
            return None, (_status(body).get("message") or body.decode("utf-8", "replace") or str(error))[:80]
        return made, ""

    def _join(self, stream: Any) -> str:
        """Carry both directions until one ends; what the cluster said at the end."""
        self._ended.clear()
        self._why = "left"
        said: list[str] = []
        output = threading.Thread(target=self._output, args=(stream, said), daemon=True)
        output.start()
        try:
            if self._wrote(stream, RESIZE, self._measures()):
                self._input(stream)
        finally:
            self._ended.set()
            stream.close()
            output.join(5)
        return said[0] if said else ""

    def _output(self, stream: Any, said: list[str]) -> None:
        try:
            coming = Said(stream)
            while stream.is_open() and not self._ended.is_set():
                coming.wait(0.5)
                for channel in (STDOUT, STDERR):
                    if data := stream.read_channel(channel):
                        self._socket.send(data)
            status = _status(stream.read_channel(ERROR))
            said.append(str(status.get("message", "")))
            if not self._ended.is_set():
                self._why = "exited" if status else "lost"
        except ConnectionClosed:
            self._why = "left"
        except Exception as error:
            said.append(str(error))
            if not self._ended.is_set():
                self._why = "lost"
        finally:
            self._ended.set()

    def _input(self, stream: Any) -> None:
        looked = time.monotonic()
        while not self._ended.is_set():
            try:
                message = self._socket.receive(timeout=0.25)
            except ConnectionClosed:
                self._why = "left"
                return
            if message is not None and not self._take(stream, message):
                return
            if time.monotonic() - self._typed > IDLE_SECONDS:
                self._why = "idle"
                return
            if time.monotonic() - looked > LOOK_EVERY:
                looked = time.monotonic()
                if problem := self._problem():
                    self._why = problem
                    return

    def _take(self, stream: Any, message: str | bytes) -> bool:
        """Pass on what the page sent; what is no frame is left out.

        :returns: whether the container's side still takes anything
        """
        try:
            frame = _frame.decode(message)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return True
        if frame.type == "input":
            self._typed = time.monotonic()
            return self._wrote(stream, STDIN, frame.data.encode())
        self._size = (_between(frame.cols), _between(frame.rows))
        return self._wrote(stream, RESIZE, self._measures())

    def _wrote(self, stream: Any, channel: int, data: bytes) -> bool:
        """Write to the container; where that fails, what reads from it learns why, or it is lost."""
        from websocket import WebSocketException

        try:
            stream.write_channel(channel, data)
        except (WebSocketException, OSError):
            if not self._ended.wait(LAST_WORDS_SECONDS):
                self._why = "lost"
            return False
        return True

    def _measures(self) -> bytes:
        return msgspec.json.encode({"Width": self._size[0], "Height": self._size[1]})

    def _problem(self) -> str:
        """Why the terminal may not stay, a key of ``ENDED``; empty where it may."""
        try:
            return "" if self._may_stay() else "revoked"
        except SQLAlchemyError:
            log.exception("the session of a shell in %s", self._target.pod)
            return "unknown"

    def _may_stay(self) -> bool:
        """Whether the session is still there and the right still held; a terminal in use keeps its session awake."""
        with self._app.app_context():
            caller.become(self._who)
            try:
                row = db.session.scalar(select(ConsoleSession).where(ConsoleSession.id == self._who.session_id))
                principal = sessions.principal_of(row) if row is not None and row.expires_at > now() else None
                if principal is None:
                    return False
                if time.monotonic() - self._typed < LOOK_EVERY * 2:
                    touched = update(ConsoleSession).where(ConsoleSession.id == self._who.session_id)
                    db.session.execute(touched.values(last_seen_at=now()))
                    db.session.commit()
                place = {"cluster": self._target.cluster_id, "namespace": self._target.namespace}
                return decisions.decide(principal, permissions.POD_SHELL.name, place).allowed
            finally:
                db.session.remove()


def _between(value: int) -> int:
    return min(max(value, 1), 1000)


def _status(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
