"""Lists in pages, at a version, and in the forms that clients ask for."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from sandbox.api import answers, tables
from sandbox.api.request import Target
from sandbox.errors import ApiError, bad_request, gone
from sandbox.store.records import Record, encode
from sandbox.store.selectors import Selection

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

CHUNK = 250
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. "
    "You can start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - "
    "objects that were created, modified, or deleted between the time the first chunk was returned and now may show up "
    "in the list."
)


def selection(request: web.Request, target: Target) -> Selection:
    """What the request selects."""
    fields = request.query.get("fieldSelector", "")
    if target.name:
        fields = f"metadata.name={target.name}" + (f",{fields}" if fields else "")
    return Selection(target.namespace, request.query.get("labelSelector", ""), fields, target.resource.id)


def _token(rv: int, start: list[str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode({"v": "meta.k8s.io/v1", "rv": rv, "start": start})).decode()


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(token))
        return int(found["rv"]), (found["start"][0], found["start"][1])
    except (ValueError, KeyError, TypeError, msgspec.DecodeError) as exc:
        raise bad_request(f"invalid continue token: continue key is not valid: {exc}") from exc


def _number(request: web.Request, name: str) -> int:
    text = request.query.get(name, "")
    try:
        number = int(text) if text else 0
    except ValueError as exc:
        raise bad_request(f'Invalid value: "{text}": strconv.ParseInt: parsing "{text}": invalid syntax') from exc
    return number


def _version(request: web.Request) -> int:
    text = request.query.get("resourceVersion", "")
    if text and not text.isdigit():
        raise bad_request(
            f'invalid resource version: resourceVersion: Invalid value: "{text}": '
            f'strconv.ParseUint: parsing "{text}": invalid syntax'
        )
    return int(text or 0)


def choose(cluster: Cluster, request: web.Request, target: Target) -> tuple[list[Record], dict[str, Any]]:  # noqa: PLR0915 - one step per option
    """The records of this page, and the list's metadata."""
    store = cluster.store
    wanted = selection(request, target)
    limit, token = _number(request, "limit"), request.query.get("continue", "")
    start, at = ("", ""), 0
    if token:
        if request.query.get("resourceVersion", "0") not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        at, start = _read_token(token)
        if at > 0:
            try:
                store.history(target.resource.id).since(at)
            except ApiError as exc:
                error = gone(_TOO_OLD)
                fresh = _token(-1, list(start))
                body = error.status() | {"metadata": {"continue": fresh}}
                raise web.HTTPGone(body=encode(body), content_type="application/json") from exc
    else:
        given = _version(request)
        store.check_revision(given)
        if request.query.get("resourceVersionMatch") == "Exact" and given:
            at = given
    at = max(at, 0)
    records = store.sorted(target.resource.id, target.namespace, at)
    records = [r for r in records if (not token or r.key >= start) and wanted.matches(r)]
    meta: dict[str, Any] = {"resourceVersion": str(at or store.revision)}
    if limit and len(records) > limit:
        following = records[limit]
        meta["continue"] = _token(at or store.revision, list(following.key))
        if wanted.labels is None and wanted.fields is None:
            meta["remainingItemCount"] = len(records) - limit
        records = records[:limit]
    return records, meta


async def respond(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """The answer to a list."""
    form = answers.shape(request)
    records, meta = choose(cluster, request, target)
    resource = target.resource
    if form == "Table":
        include = request.query.get("includeObject", "")
        whole = tables.table(resource, [], meta, include)
        for start in range(0, len(records), CHUNK):
            part = [record.load() for record in records[start : start + CHUNK]]
            whole["rows"] += tables.table(resource, part, meta, include, head=False)["rows"]
            await asyncio.sleep(0)  # a long table lets others in between
        return answers.answer(whole)
    if form == answers.PARTIAL:
        head = b'{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":'
        items = [answers.partial(record) for record in records]
    else:
        head = f'{{"kind":"{resource.kind}List","apiVersion":"{resource.api_version}","metadata":'.encode()
        items = [answers.version_of(resource, record) if resource.custom else record.bare for record in records]
    return answers.raw(head + encode(meta) + b',"items":[' + b",".join(items) + b"]}")
