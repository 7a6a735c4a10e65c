"""Lists and watches one cluster into the mirror tables, from which lists, search and orders are answered.

A thread per kind reads the cluster; one writer per cluster collects their changes
and keeps them in one transaction a few times a second.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from flask import Flask
from sqlalchemy import update

from app.db import db, now
from app.errors import ConsoleError
from app.kube import mirrored, models, paths
from app.kube.client import NETWORK, Kube
from app.kube.errors import EXPIRED, NOT_UNDERSTOOD
from app.kube.mirrored import Change
from app.kube.models import Cluster
from app.kube.shapes import KINDS, Marked, Raws, WatchEvent
from app.leases import Fenced

log = logging.getLogger(__name__)
PAGE = 500
# Short watches bound how long a connection that died without a word can go unnoticed.
WATCH_SECONDS, PATIENCE = 50, 10
WRITE_EVERY = 0.2
PAUSE = 2.5
HEARTBEAT = 5.0
MOST_AT_ONCE = 2_000
BEHIND = 1_000
LONGEST_LINE = 4 * 1024 * 1024  # etcd refuses objects above 1.5 MiB
# What one kind's list may weigh in all, how many lists of a cluster are read at once, and how long a cluster is left
# alone that answers in a way that is not understood.
LONGEST_LIST = 512 * 1024 * 1024
LISTS_AT_ONCE = 2
LEAVE_ALONE = 60.0
_event = msgspec.json.Decoder(WatchEvent)
_bookmark = msgspec.json.Decoder(Marked)
_list = msgspec.json.Decoder(Raws)
_decoders = {kind: msgspec.json.Decoder(shape) for kind, shape in KINDS.items()}


class Gone(Exception):
    """The watch's resource version is too old (410): list anew."""


class ClusterMirror:
    """The readers and the writer of one cluster; :meth:`run` returns when *stop* is set."""

    def __init__(self, app: Flask, cluster_id: str, kube: Kube, stop: threading.Event) -> None:
        self._app, self._cluster_id, self._kube, self._stop = app, cluster_id, kube, stop
        self._changes: queue.Queue[Change] = queue.Queue(maxsize=5_000)
        self._watched: set[str] = set()
        self._listing = threading.Semaphore(LISTS_AT_ONCE)
        self.on_write: Callable[[str], None] = _nobody
        self.commit: Callable[[], None] = (
            db.session.commit
        )  # or a lease's, so that one that came too late keeps nothing

    def run(self) -> None:
        """Read and write until stopped."""
        readers = [threading.Thread(target=self._follow, args=(kind,), daemon=True) for kind in KINDS]
        for reader in readers:
            reader.start()
        with self._app.app_context():
            self._keep()
            mirrored.forget(self._cluster_id)
            db.session.remove()
        self._kube.close()

    def _keep(self) -> None:
        changes: list[Change] = []
        last_beat = 0.0
        while not self._stop.is_set():
            changes = changes or self._collected()
            since = time.monotonic() - last_beat
            beat = since > HEARTBEAT or (since > 0.5 and any(change.error for change in changes))
            try:
                if changes:
                    self._write(changes)
                    changes = []
                if beat:
                    self._beat()
                    last_beat = time.monotonic()
            except Fenced:
                log.warning("mirror of %s: another process keeps it now", self._cluster_id)
                self._stop.set()
            except Exception:
                log.exception("mirror of %s could not write", self._cluster_id)
                db.session.rollback()
                self._stop.wait(1)
            db.session.remove()

    def _collected(self) -> list[Change]:
        found: list[Change] = []
        try:
            found.append(self._changes.get(timeout=PAUSE))  # in a quiet cluster nothing turns
        except queue.Empty:
            return found
        end = time.monotonic() + WRITE_EVERY
        while (left := end - time.monotonic()) > 0 and len(found) < MOST_AT_ONCE:
            try:
                found.append(self._changes.get(timeout=left))
            except queue.Empty:
                break
        return found

    def _write(self, changes: list[Change]) -> None:
        moment, touched = now(), False
        for kind in dict.fromkeys(change.kind for change in changes):
            mine = [change for change in changes if change.kind == kind]
            touched |= mirrored.store(self._cluster_id, kind, mine, moment, self.commit)
        self.commit()
        if touched:
            self.on_write(self._cluster_id)
            self.commit()

    def _beat(self) -> None:
        """Ask how the cluster is.

        A quiet watch is fresh as long as the server answers; a server that hangs makes the mirror stale.
        """
        watched, moment = tuple(self._watched), now()
        state: dict[str, Any] = {"state": models.REACHABLE, "error_code": "", "error_detail": ""}
        try:
            state["server_version"] = self._kube.version()[:64]
            if watched and self._changes.qsize() < BEHIND:
                mirrored.heard(self._cluster_id, watched, moment)
        except ConsoleError as error:
            state = {"state": models.UNREACHABLE, "error_code": error.code, "error_detail": str(error.reason)[:1000]}
        query = update(Cluster).where(Cluster.id == self._cluster_id)
        db.session.execute(query.values(**state, checked_at=now()))
        self.commit()

    def _put(self, change: Change) -> None:
        while not self._stop.is_set():
            try:
                self._changes.put(change, timeout=1)
                break
            except queue.Full:
                continue

    def _follow(self, kind: str) -> None:
        version, failures = "", 0
        while not self._stop.is_set():
            try:
                if not version:
                    with self._listing:
                        version = self._read_all(kind)
                started = time.monotonic()
                version = self._watch(kind, version)
                failures = 0
                self._stop.wait(0 if time.monotonic() - started > 1 else 0.3)
            except Exception as error:
                version, failures = self._failed(kind, error, version, failures)
            finally:
                self._watched.discard(kind)

    def _failed(self, kind: str, error: Exception, version: str, failures: int) -> tuple[str, int]:
        """Where to go on after a failure: from the start when the version is too old, else after a while."""
        if isinstance(error, Gone) or (isinstance(error, ConsoleError) and error.kind is EXPIRED):
            self._stop.wait(min(5.0, 0.2 * failures))
            return "", failures + 1
        if not isinstance(error, (ConsoleError, *NETWORK)):
            log.error("mirror of %s: reading %s", self._cluster_id, kind, exc_info=error)
            version = ""
        self._put(Change(kind, error=(str(error) or type(error).__name__)[:300]))
        longest = 5.0 if _is_away(error) else LEAVE_ALONE
        self._stop.wait(min(longest, 0.3 * 2**failures) * random.uniform(0.7, 1.0))  # noqa: S311 - only spreads retries
        return version, min(failures + 1, 8)

    def _read_all(self, kind: str) -> str:
        path = paths.collection(paths.PLURALS[kind])
        items: list[Any] = []
        query: dict[str, Any] = {"limit": PAGE}
        weight = 0
        while True:
            answer = self._kube.request("GET", path, query, timeout=30).data
            weight += len(answer)
            if weight > LONGEST_LIST:
                raise msgspec.DecodeError("a list that does not end")
            page = _list.decode(answer)
            items += [item for raw in page.items or () if (item := self._decoded(kind, raw)) is not None]
            if not page.metadata.continue_:
                break
            query["continue"] = page.metadata.continue_
        self._put(Change(kind, items, complete=True))
        return page.metadata.resource_version

    def _decoded(self, kind: str, raw: Any) -> Any:
        """The object, or None where its shape is none that Kubernetes documents: one such must not hide all others."""
        try:
            return _decoders[kind].decode(raw)
        except msgspec.ValidationError as error:
            log.warning("mirror of %s: an object of %s is left out: %s", self._cluster_id, kind, error)
            return None

    def _watch(self, kind: str, version: str) -> str:
        path = paths.collection(paths.PLURALS[kind])
        query = {
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": WATCH_SECONDS,
        }
        answer = self._kube.stream(path, query, silence=WATCH_SECONDS + PATIENCE)
        self._put(Change(kind))
        self._watched.add(kind)
        try:
            for line in lines(answer):
                if self._stop.is_set():
                    break
                version = self._take(kind, line) or version
        except NETWORK:
            # What was seen so far is seen; the next watch goes on from the last version.
            log.info("mirror of %s: the watch of %s broke off", self._cluster_id, kind)
        finally:
            answer.close()
        return version

    def _take(self, kind: str, line: bytes) -> str:
        event = _event.decode(line)
        if event.type == "ERROR":
            raise Gone
        if event.type == "BOOKMARK":
            return _bookmark.decode(event.object).metadata.resource_version
        item = self._decoded(kind, event.object)
        if item is None:
            return ""
        if event.type == "DELETED":
            self._put(Change(kind, gone=[(item.metadata.namespace, item.metadata.name)]))
        else:
            self._put(Change(kind, [item]))
        return str(item.metadata.resource_version)


def _is_away(error: Exception) -> bool:
    """Whether the server may be well in a moment; one that answers oddly is left alone for longer."""
    return isinstance(error, NETWORK) or (isinstance(error, ConsoleError) and error.kind is not NOT_UNDERSTOOD)


def _nobody(_cluster_id: str) -> None:
    """Nobody waits for changes."""


def lines(answer: Any) -> Iterable[bytes]:
    """Whole lines of a stream; a last one without its end is half a line and left out."""
    held = b""
    for chunk in answer.stream(65536, decode_content=True):
        held += chunk
        if len(held) > LONGEST_LINE:
            raise msgspec.DecodeError("a line that does not end")
        *whole, held = held.split(b"\n")
        yield from (line for line in whole if line)
