"""Lists and watches one cluster into the mirror tables, from which lists, search and orders are answered.

A thread per kind reads the cluster; one writer per cluster collects their changes
and keeps them in one transaction a few times a second.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from flask import Flask
from sqlalchemy import delete, insert, select, update
from urllib3.exceptions import HTTPError

from app.db import db, now
from app.errors import ConsoleError
from app.kube import paths
from app.kube.client import Kube
from app.kube.models import KubeObject, MirrorState
from app.kube.shapes import KINDS, Raws, WatchEvent, kept
from app.kube.states import summary

log = logging.getLogger(__name__)
PAGE = 500
WATCH_SECONDS = 240
WRITE_EVERY = 0.2
HEARTBEAT = 3.0
FRESH_SECONDS = 12.0
APPLICATION, PRODUCT, MANAGED_BY = "app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by"
_event = msgspec.json.Decoder(WatchEvent)
_list = msgspec.json.Decoder(Raws)
_decoders = {kind: msgspec.json.Decoder(shape) for kind, shape in KINDS.items()}


@dataclass(slots=True)
class Change:
    """What a reader saw: objects that are there, names that are gone, or a whole list (``complete``)."""

    kind: str
    present: list[Any]
    gone: list[tuple[str, str]]
    resource_version: str = ""
    complete: bool = False
    error: str = ""


class Gone(Exception):
    """The watch's resource version is too old (410): list anew."""


class ClusterMirror:
    """The readers and the writer of one cluster; :meth:`run` returns when *stop* is set."""

    def __init__(self, app: Flask, cluster_id: str, kube: Kube, stop: threading.Event) -> None:
        self._app, self._cluster_id, self._kube, self._stop = app, cluster_id, kube, stop
        self._changes: queue.Queue[Change] = queue.Queue(maxsize=5_000)
        self.on_write = _nobody

    def run(self) -> None:
        """Read and write until stopped."""
        readers = [threading.Thread(target=self._follow, args=(kind,), daemon=True) for kind in KINDS]
        for reader in readers:
            reader.start()
        with self._app.app_context():
            last_heard = 0.0
            while not self._stop.is_set():
                changes = self._collected()
                try:
                    beat = time.monotonic() - last_heard > HEARTBEAT
                    if changes or beat:
                        self._write(changes, beat)
                        last_heard = time.monotonic() if beat else last_heard
                except Exception:
                    log.exception("mirror of %s could not write", self._cluster_id)
                    db.session.rollback()
                    for change in changes:
                        self._changes.put(change)
                    time.sleep(1)
                db.session.remove()

    def _collected(self) -> list[Change]:
        found: list[Change] = []
        end = time.monotonic() + WRITE_EVERY
        while (left := end - time.monotonic()) > 0 and len(found) < 1_000:
            try:
                found.append(self._changes.get(timeout=left))
            except queue.Empty:
                break
        return found

    def _follow(self, kind: str) -> None:
        version, failures = "", 0
        while not self._stop.is_set():
            try:
                if not version:
                    version = self._read_all(kind)
                version = self._watch(kind, version)
                failures = 0
            except Gone:
                version = ""
            except (ConsoleError, HTTPError, OSError, msgspec.DecodeError) as error:
                failures += 1
                self._changes.put(Change(kind, [], [], error=str(error)[:300]))
                self._stop.wait(min(5.0, 0.3 * 2**failures))

    def _read_all(self, kind: str) -> str:
        path = paths.collection(paths.PLURALS[kind])
        items: list[Any] = []
        query: dict[str, Any] = {"limit": PAGE}
        while True:
            page = _list.decode(self._kube.request("GET", path, query, timeout=30).data)
            items += [_decoders[kind].decode(raw) for raw in page.items]
            if not page.metadata.continue_:
                break
            query["continue"] = page.metadata.continue_
        self._changes.put(Change(kind, items, [], page.metadata.resource_version, complete=True))
        return page.metadata.resource_version

    def _watch(self, kind: str, version: str) -> str:
        path = paths.collection(paths.PLURALS[kind])
        query = {"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": WATCH_SECONDS}
        answer = self._kube.request("GET", path, query, timeout=WATCH_SECONDS + 15, stream=True)
        try:
            for line in _lines(answer):
                if self._stop.is_set():
                    return version
                version = self._take(kind, line) or version
        finally:
            answer.close()
        return version

    def _take(self, kind: str, line: bytes) -> str:
        event = _event.decode(line)
        if event.type == "ERROR":
            raise Gone
        item = _decoders[kind].decode(event.object)
        if event.type == "DELETED":
            self._changes.put(Change(kind, [], [(item.metadata.namespace, item.metadata.name)]))
        elif event.type != "BOOKMARK":
            self._changes.put(Change(kind, [item], []))
        return str(item.metadata.resource_version)

    def _write(self, changes: list[Change], beat: bool) -> None:
        moment, touched = now(), False
        for kind in {change.kind for change in changes}:
            mine = [change for change in changes if change.kind == kind]
            touched |= _store(self._cluster_id, kind, mine, moment)
        if beat:
            self._hear(moment)
        db.session.commit()
        if touched:
            self.on_write(self._cluster_id)
            db.session.commit()

    def _hear(self, moment: datetime) -> None:
        """A quiet watch is fresh as long as the server answers; a server that hangs makes the mirror stale."""
        try:
            self._kube.request("GET", "/livez", timeout=2.0)
        except ConsoleError:
            return
        heard = update(MirrorState).where(MirrorState.cluster_id == self._cluster_id, MirrorState.error == "")
        db.session.execute(heard.values(heard_at=moment))


def _nobody(_cluster_id: str) -> None:
    """Nobody waits for changes."""


def _lines(answer: Any) -> Iterable[bytes]:
    held = b""
    for chunk in answer.stream(65536, decode_content=True):
        held += chunk
        *whole, held = held.split(b"\n")
        yield from (line for line in whole if line)


def _store(cluster_id: str, kind: str, changes: list[Change], moment: datetime) -> bool:
    state = db.session.get(MirrorState, (cluster_id, kind))
    if state is None:
        state = MirrorState(cluster_id=cluster_id, kind=kind)
        db.session.add(state)
    present: dict[tuple[str, str], Any] = {}
    gone: set[tuple[str, str]] = set()
    for change in changes:
        if change.complete:
            gone = _names(cluster_id, kind) - {(i.metadata.namespace, i.metadata.name) for i in change.present}
            present.clear()
            state.synced_at = moment
        for item in change.present:
            key = (item.metadata.namespace, item.metadata.name)
            present[key] = item
            gone.discard(key)
        for key in change.gone:
            present.pop(key, None)
            gone.add(key)
        state.error = change.error
        if not change.error:
            state.heard_at = moment
    _replace(cluster_id, kind, present, gone)
    return bool(present or gone)


def _names(cluster_id: str, kind: str) -> set[tuple[str, str]]:
    query = select(KubeObject.namespace, KubeObject.name).where(
        KubeObject.cluster_id == cluster_id, KubeObject.kind == kind
    )
    return {(row[0], row[1]) for row in db.session.execute(query)}


def _replace(cluster_id: str, kind: str, present: dict[tuple[str, str], Any], gone: set[tuple[str, str]]) -> None:
    names: dict[str, list[str]] = {}
    for namespace, name in (*present, *gone):
        names.setdefault(namespace, []).append(name)
    for namespace, listed in names.items():
        for start in range(0, len(listed), PAGE):
            db.session.execute(
                delete(KubeObject).where(
                    KubeObject.cluster_id == cluster_id, KubeObject.kind == kind,
                    KubeObject.namespace == namespace, KubeObject.name.in_(listed[start : start + PAGE]),
                )
            )  # fmt: skip
    if present:
        db.session.execute(insert(KubeObject), [row_of(cluster_id, kind, item) for item in present.values()])


def row_of(cluster_id: str, kind: str, item: Any) -> dict[str, Any]:
    """The mirror's row of one object."""
    meta, shown = item.metadata, summary(kind, item)
    owner = next((o for o in meta.owner_references if o.controller), None)
    return {
        "cluster_id": cluster_id, "kind": kind, "namespace": meta.namespace, "name": meta.name, "uid": meta.uid,
        "created_at": meta.creation_timestamp, "state": shown.state[:48], "tone": shown.tone, "ready": shown.ready,
        "total": shown.total, "restarts": shown.restarts, "node": shown.node, "ip": shown.ip,
        "owner_uid": owner.uid if owner else "", "owner": f"{owner.kind}/{owner.name}" if owner else "",
        "application": meta.labels.get(APPLICATION, ""), "product": meta.labels.get(PRODUCT, ""),
        "managed": meta.labels.get(MANAGED_BY) == "antstack", "images": "\n".join(shown.images), "data": kept(item),
    }  # fmt: skip


def freshness(cluster_id: str) -> float | None:
    """How many seconds ago the mirror of a cluster heard from it last; None when it never did."""
    found = db.session.scalars(
        select(MirrorState.heard_at).where(MirrorState.cluster_id == cluster_id, MirrorState.kind.in_(tuple(KINDS)))
    ).all()
    if len(found) < len(KINDS) or any(moment is None for moment in found):
        return None
    return max((now() - moment).total_seconds() for moment in found if moment)


def is_fresh(cluster_id: str) -> bool:
    """Whether the mirror may be believed now."""
    age = freshness(cluster_id)
    return age is not None and age < FRESH_SECONDS
