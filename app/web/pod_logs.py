"""Logs of containers: read once, followed, or downloaded; always text that a page can show (K-34).

A follower remembers the time stamp of the last line, so that it goes on where it
was after a lost connection, and streams can be ended after a while to free their
threads without anybody noticing.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from flask import Response, request, stream_with_context

from app.contracts.shapes import doc
from app.errors import ConsoleError, ErrorCode, invalid
from app.kube import paths
from app.kube.client import NETWORK, Kube, Silent
from app.kube.errors import INVALID_OBJECT, NO_OBJECT
from app.web.api import In
from app.web.headers import HEADERS
from app.words import Text, _

MOST_STREAMS = 24
STREAM_SECONDS = 55.0
SILENCE = 10.0
MOST_LINES = 5_000
LONGEST_LINE = 16_000
DOWNLOAD_LIMIT = 50 * 1024 * 1024
# Escape sequences of terminals (ECMA-48) and other control characters have no place on a page.
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$")
# What a kubelet answers, with status 200 and no time stamp, for a container that it removed.
REMOVED = b"unable to retrieve container logs for "
NOT_STARTED = ErrorCode(
    "KUBE/LOG_NOT_THERE",
    409,
    _("There is no log to show: {detail}"),
    _("Wait until the container has started, or look at the pod's events."),
)
ERRORS = (NOT_STARTED,)


class LogQuery(In):
    """Which log: ``after`` is the time stamp of the last line that is known already."""

    container: Annotated[str, doc("Name of the container; of a pod with one it may be left out.")] = ""
    previous: Annotated[bool, doc("Whether the log is of the container that ran before the last restart.")] = False
    tail: Annotated[int, doc("At most so many lines from the end.")] = 500
    since: Annotated[int, doc("Only lines of the last so many seconds; 0 for all.")] = 0
    timestamps: Annotated[bool, doc("Whether each line begins with its time.")] = False
    after: Annotated[str, doc("Time stamp of the last line that is known already: only later ones are answered.")] = ""


@dataclass(slots=True)
class Line:
    """A line and when it was written, as the kubelet stamped it."""

    at: str
    text: str


@dataclass
class Streams:
    """How many followers hold a thread of this process."""

    most: int = MOST_STREAMS
    held: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Take a place if one is free."""
        with self.lock:
            if self.held >= self.most:
                return False
            self.held += 1
            return True

    def free(self) -> None:
        """Give it back."""
        with self.lock:
            self.held -= 1


STREAMS = Streams()


def checked(query: LogQuery) -> LogQuery:
    """The query if it can be asked.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    problems: dict[str, Text] = {}
    if not 0 <= query.tail <= MOST_LINES:
        problems["tail"] = _("Between 0 and {most_lines}.").format(most_lines=MOST_LINES)
    if query.since < 0:
        problems["since"] = _("Seconds, 0 or more.")
    if query.after and not STAMP.match(query.after):
        problems["after"] = _("A time stamp as the lines have it.")
    if problems:
        raise invalid(problems)
    return query


def options(query: LogQuery, follow: bool = False) -> dict[str, Any]:
    """The API server's options for it (PodLogOptions)."""
    found: dict[str, Any] = {"timestamps": "true"}
    if query.container:
        found["container"] = query.container
    if query.previous:
        found["previous"] = "true"
    if follow:
        found["follow"] = "true"
    if query.after:
        found["sinceTime"] = re.sub(r"\.\d+", "", query.after)
    else:
        found["tailLines"] = query.tail
        if query.since:
            found["sinceSeconds"] = query.since
    return found


def read(kube: Kube, namespace: str, name: str, query: LogQuery) -> list[Line]:
    """The lines that are there now.

    :raises ConsoleError: KUBE/LOG_NOT_THERE, KUBE/…
    """
    path = paths.one("Pod", namespace, name, "log")
    wanted = options(query) | {"limitBytes": 8 * 1024 * 1024}
    answer = _translated(lambda: kube.request("GET", path, wanted))
    if answer.data.startswith(REMOVED):
        raise NOT_STARTED(detail=_("the cluster no longer keeps it"))
    lines = [line_of(raw) for raw in answer.data.split(b"\n") if raw]
    return [line for line in lines if newer(line, query.after)]


def download(kube: Kube, namespace: str, name: str, query: LogQuery) -> Iterator[bytes]:
    """The whole log as the container wrote it, piece by piece.

    :raises ConsoleError: KUBE/LOG_NOT_THERE, KUBE/…
    """
    wanted: dict[str, Any] = {"limitBytes": DOWNLOAD_LIMIT}
    if query.container:
        wanted["container"] = query.container
    for key in ("previous", "timestamps"):
        if getattr(query, key):
            wanted[key] = "true"
    path = paths.one("Pod", namespace, name, "log")
    answer = _translated(lambda: kube.stream(path, wanted, silence=30))

    def pieces() -> Iterator[bytes]:
        try:
            yield from answer.stream(65536)
        finally:
            answer.close()

    return pieces()


def follow(kube: Kube, namespace: str, name: str, query: LogQuery, until: float) -> Iterator[Line | None]:
    """Lines as they are written; None where nothing came for a while. Ends with the container, or at *until*.

    :raises ConsoleError: KUBE/LOG_NOT_THERE, KUBE/…
    """
    path = paths.one("Pod", namespace, name, "log")
    while time.monotonic() < until:
        try:
            for line in _stream(kube, path, query):
                query.after = (line.at if line else "") or query.after
                yield line
                if time.monotonic() >= until:
                    return
        except (Silent, *NETWORK):
            yield None
            continue
        if has_ended(kube, namespace, name, query.container):
            return
        yield None
        time.sleep(1)


def _stream(kube: Kube, path: str, query: LogQuery) -> Iterator[Line | None]:
    """Lines as they come; None where a piece of one came, so that a line without an end holds nobody."""
    known = query.after
    answer = _translated(lambda: kube.follow(path, options(query, follow=True), SILENCE))
    held = b""
    try:
        for chunk in answer.stream(65536):
            *whole, held = (held + chunk).split(b"\n")
            if len(held) > LONGEST_LINE * 4:  # bytes of the longest line, each letter in four of them
                whole, held = [*whole, held], b""
            if not whole:
                yield None
            for line in (line_of(raw) for raw in whole if raw):
                if newer(line, known):
                    yield line
        if held and newer(line := line_of(held), known):
            yield line
    finally:
        answer.close()


def has_ended(kube: Kube, namespace: str, name: str, container: str) -> bool:
    """Whether nothing will be written any more: the pod is gone or ended, or this container does not start again."""
    pod = kube.find(paths.one("Pod", namespace, name))
    if pod is None:
        return True
    status = pod.get("status") or {}
    if status.get("phase") in ("Succeeded", "Failed") or (pod["metadata"].get("deletionTimestamp")):
        return True
    held = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    mine: dict[str, Any] = next((one for one in held if one["name"] == container or not container), {})
    ended = (mine.get("state") or {}).get("terminated") or {}
    again = (pod.get("spec") or {}).get("restartPolicy", "Always")
    return bool(ended) and (again == "Never" or (again == "OnFailure" and ended.get("exitCode") == 0))


def line_of(raw: bytes) -> Line:
    """A line of any bytes as text: what is no UTF-8 is marked, control characters are taken out."""
    text = raw[: LONGEST_LINE + 64].decode("utf-8", "replace")
    stamp, __, rest = text.partition(" ")
    if not STAMP.match(stamp):
        stamp, rest = "", text
    rest = CONTROLS.sub("", ESCAPES.sub("", rest.rstrip("\r").rpartition("\r")[2]))
    return Line(stamp, rest[:LONGEST_LINE])


def newer(line: Line, after: str) -> bool:
    """Whether a line comes after the one that is known. Stamps are in UTC; their fractions lack trailing zeros."""
    return not after or not line.at or _comparable(line.at) > _comparable(after)


def _comparable(stamp: str) -> tuple[str, str]:
    head, __, fraction = stamp.rstrip("Z").partition(".")
    return head, fraction.ljust(9, "0")


def shown(line: Line, timestamps: bool) -> str:
    """The line as it is displayed."""
    return f"{line.at} {line.text}" if timestamps and line.at else line.text


def last_stamp(lines: Sequence[Line]) -> str:
    """The time stamp of the last line that has one."""
    return next((line.at for line in reversed(lines) if line.at), "")


def streamed(kube: Kube, namespace: str, name: str, query: LogQuery) -> Response:
    """Server-sent events: a line each, its time stamp as the event's id, so that a new connection goes on after it.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    query.after = request.headers.get("Last-Event-ID", "") or query.after
    checked(query)
    headers = {**HEADERS, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(_events(kube, namespace, name, query), mimetype="text/event-stream", headers=headers)


def _events(kube: Kube, namespace: str, name: str, query: LogQuery) -> Iterator[str]:
    if not STREAMS.take():
        yield "retry: 5000\n: too many logs are followed at the moment\n\n"
        return
    try:
        yield "retry: 1000\n\n"
        until = time.monotonic() + STREAM_SECONDS
        for line in follow(kube, namespace, name, query, until):
            if line is None:
                yield ": still here\n\n"
            else:
                stamp = f"id: {line.at}\n" if line.at else ""
                yield f"{stamp}data: {shown(line, query.timestamps)}\n\n"
        if time.monotonic() < until:
            yield "event: end\ndata: \n\n"
    except ConsoleError as error:
        over = error.kind is NOT_STARTED and has_ended(kube, namespace, name, query.container)
        yield "event: end\ndata: \n\n" if over else f"retry: 5000\n: {error.code}\n\n"
    finally:
        STREAMS.free()


def downloaded(kube: Kube, namespace: str, name: str, query: LogQuery) -> Response:
    """The whole log as a file.

    :raises ConsoleError: KUBE/LOG_NOT_THERE, KUBE/…
    """
    pieces = download(kube, namespace, name, query)
    file = "-".join(filter(None, (namespace, name, query.container, "previous" if query.previous else "")))
    headers = {"Content-Disposition": f'attachment; filename="{file}.log"'}
    return Response(stream_with_context(pieces), mimetype="text/plain; charset=utf-8", headers=headers)


def _translated(ask: Any) -> Any:
    try:
        return ask()
    except ConsoleError as error:
        if error.kind is INVALID_OBJECT:
            raise NOT_STARTED(detail=error.values.get("detail", "")) from error
        if error.kind is NO_OBJECT:
            raise NOT_STARTED(detail=_("the pod is gone")) from error
        raise
