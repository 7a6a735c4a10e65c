"""Watches: changes as they happen, with selectors, bookmarks and 410 (docs: "Efficient detection of changes")."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.api import answers, tables
from sandbox.api.lists import selection
from sandbox.api.request import Target, flag
from sandbox.errors import ApiError
from sandbox.store.records import Event, Record, encode
from sandbox.store.selectors import Selection

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

BACKLOG = 20_000  # events that a slow reader may fall behind before it is cut off
BOOKMARK_EVERY = 60.0


class Watch:
    """One client's watch."""

    def __init__(self, cluster: Cluster, request: web.Request, target: Target) -> None:
        self.cluster = cluster
        self.resource = target.resource
        self.wanted: Selection = selection(request, target)
        self.form = answers.shape(request)
        self.include = request.query.get("includeObject", "")
        self.bookmarks = flag(request, "allowWatchBookmarks")
        self.pending: list[Event] = []
        self.wake = asyncio.Event()
        self.closed = False
        self.columns_sent = False
        self.rv = 0

    def __call__(self, event: Event) -> None:
        """The store's word of a change."""
        if self.wanted.namespace and event.record.namespace != self.wanted.namespace:
            return
        self.pending.append(event)
        if len(self.pending) > BACKLOG:
            self.closed = True
        self.wake.set()

    def line(self, kind: str, record: Record) -> bytes:
        """One change as it is sent."""
        if self.form == "Table":
            body = encode(tables.table(self.resource, [record.load()], {}, self.include, not self.columns_sent))
            self.columns_sent = True
        elif self.form == answers.PARTIAL:
            body = answers.partial(record)
        else:
            body = answers.version_of(self.resource, record)
        return b'{"type":"' + kind.encode() + b'","object":' + body + b"}\n"

    def translate(self, event: Event) -> bytes:
        """A change as this watch sees it: objects come into its selection and leave it."""
        self.rv = event.rv
        was = self.wanted.matches(event.previous)
        now = event.type != "DELETED" and self.wanted.matches(event.record)
        if now:
            return self.line("MODIFIED" if was else "ADDED", event.record)
        if was and event.previous is not None:
            if event.type == "DELETED":
                return self.line("DELETED", event.record)
            left = Record(event.previous.load(), event.rv, event.previous.facts is not None)
            return self.line("DELETED", left)
        return b""

    def bookmark(self, initial_end: bool = False) -> bytes:
        """Where the watch has got to."""
        meta: dict[str, Any] = {
            "resourceVersion": str(max(self.rv, self.cluster.store.revision)),
            "creationTimestamp": None,
        }
        if initial_end:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj: dict[str, Any] = {"kind": self.resource.kind, "apiVersion": self.resource.api_version, "metadata": meta}
        if self.form == "Table":
            head = {
                "kind": "Table",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": {"resourceVersion": meta["resourceVersion"]},
            }
            obj = head | {"columnDefinitions": None, "rows": [{"cells": [], "object": obj}]}
        return encode({"type": "BOOKMARK", "object": obj}) + b"\n"

    def begin(self, request: web.Request) -> list[bytes]:
        """What is sent first.

        :raises ApiError: the version asked for is forgotten
        """
        store, text = self.cluster.store, request.query.get("resourceVersion", "")
        send_initial = request.query.get("sendInitialEvents", "")
        if send_initial and request.query.get("resourceVersionMatch") != "NotOlderThan":
            message = "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch "
            message += "to NotOlderThan"
            raise ApiError(422, "Invalid", f'ListOptions.meta.k8s.io "" is invalid: {message}')
        if text and not text.isdigit():
            raise ApiError(
                500,
                "",
                f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax',
            )
        if text not in ("", "0"):
            store.check_revision(int(text))
        lines = []
        if send_initial.lower() == "true" or (not send_initial and text in ("", "0")):
            records = store.sorted(self.resource.id, self.wanted.namespace)
            lines = [self.line("ADDED", record) for record in records if self.wanted.matches(record)]
            if send_initial and self.bookmarks:
                lines.append(self.bookmark(initial_end=True))
        elif not send_initial:
            lines = [
                line
                for event in store.history(self.resource.id).since(int(text))
                if self._here(event) and (line := self.translate(event))
            ]
        self.rv = store.revision
        return lines

    def _here(self, event: Event) -> bool:
        return not self.wanted.namespace or event.record.namespace == self.wanted.namespace


def _error_line(error: ApiError) -> bytes:
    return encode({"type": "ERROR", "object": error.status()}) + b"\n"


async def respond(cluster: Cluster, request: web.Request, target: Target) -> web.StreamResponse:
    """Stream changes until the time is over or somebody leaves."""
    watch = Watch(cluster, request, target)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    watchers = cluster.store.watchers.setdefault(target.resource.id, [])
    try:
        first = watch.begin(request)
    except ApiError as error:
        if error.code != 410:
            raise
        # The real server opens the stream and says it there.
        await response.prepare(request)
        await response.write(_error_line(error))
        return response
    watchers.append(watch)
    cluster.streams.add(watch)
    try:
        await response.prepare(request)
        if first:
            await response.write(b"".join(first))
        await _stream(watch, response, request)
    except (ConnectionResetError, ConnectionError):
        pass
    finally:
        watchers.remove(watch)
        cluster.streams.discard(watch)
    return response


async def _stream(watch: Watch, response: web.StreamResponse, request: web.Request) -> None:
    loop = asyncio.get_running_loop()
    text = request.query.get("timeoutSeconds", "")
    limit = float(text) if text.isdigit() and text != "0" else random.uniform(1800, 3600)  # noqa: S311 - nothing secret
    end = loop.time() + limit
    marked = loop.time()
    while not watch.closed:
        if not watch.pending:
            now = loop.time()
            if watch.bookmarks and end - now <= 2 and marked < end - 2:
                marked = end  # one more shortly before the end, as the watch cache does
                await response.write(watch.bookmark())
            wait = (
                min(end - now, BOOKMARK_EVERY)
                if not watch.bookmarks or end - now <= 2
                else min(end - now - 2, BOOKMARK_EVERY)
            )
            if end - now <= 0:
                return
            watch.wake.clear()
            try:
                await asyncio.wait_for(watch.wake.wait(), max(wait, 0.001))
            except TimeoutError:
                if watch.bookmarks and loop.time() - marked >= BOOKMARK_EVERY:
                    marked = loop.time()
                    await response.write(watch.bookmark())
            continue
        events, watch.pending = watch.pending[:500], watch.pending[500:]
        lines = b"".join(watch.translate(event) for event in events)
        if lines:
            await response.write(lines)
        elif not watch.pending:
            await asyncio.sleep(0)
