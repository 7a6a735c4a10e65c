"""A pod's log: its page, what the page follows, the download, and the operation of the API."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from flask import Response, request

from app.contracts.shapes import doc
from app.db import rows
from app.errors import ConsoleError
from app.guard import guard
from app.kube import paths
from app.kube.client import kube
from app.kube.clusters import get_cluster
from app.kube.errors import ERRORS as KUBE_ERRORS
from app.kube.models import Cluster, KubeObject
from app.web import pod_logs as logs
from app.web.api import Out
from app.web.forms import check
from app.web.pod_logs import LogQuery
from app.web.render import render
from app.words import _
from plugins.captain import permissions
from plugins.captain.blueprint import api, bp
from plugins.captain.objects import live, mirror
from plugins.captain.objects.kinds import KINDS
from plugins.captain.objects.object_page import detail
from plugins.captain.objects.shapes import ClusterId, Namespace, ObjectName
from plugins.captain.pods.containers import containers, first
from plugins.captain.pods.shapes import IN_API, PAGE

ENDED = ("Succeeded", "Completed")
TAILS = (100, 500, 1000, 5000)
SINCE = ((0, _("All")), (300, _("5 minutes")), (3600, _("1 hour")), (86400, _("1 day")))


class LogOut(Out):
    """Lines of a log; ``next`` is what ``after`` takes to go on, ``ended`` tells that nothing more will come."""

    lines: Annotated[list[str], doc("The lines, oldest first.")]
    next: Annotated[str, doc("What `after` takes to go on from here.")]
    ended: Annotated[bool, doc("Whether nothing more will come.")]


@bp.get(f"{PAGE}/log")
@guard(permissions.POD_LOG, resource=permissions.place)
def pod_log(cluster_id: str, namespace: str, name: str) -> Response:
    context = detail(cluster_id, KINDS["pods"], namespace, name, "log")
    found = containers(context["row"].data)
    query = _query()
    query.container = query.container or first(found)
    lines, error = _lines(context["cluster"], namespace, name, query)
    ends = query.previous or context["row"].state in ENDED
    mode = "poll" if logs.STREAMS.held >= logs.STREAMS.most else "sse"
    last = logs.last_stamp(lines)
    address = {**_address(query), "after": last} if last else _address(query)
    page = context["page"]
    return render(
        "captain/pod_log.html",
        fragment="log",
        containers=found,
        query=query,
        error=error,
        mode=mode,
        tails=TAILS,
        since=SINCE,
        lines=[logs.shown(line, query.timestamps) for line in lines],
        beside=pods_beside(context["cluster"], context["row"]),
        follow="" if ends else f"{page}/log/{'stream' if mode == 'sse' else 'lines'}?{urlencode(address)}",
        download=f"{page}/log/download?{urlencode(_address(query))}",
        **context,
    )


@bp.get(f"{PAGE}/log/lines")
@guard(permissions.POD_LOG, resource=permissions.place)
def pod_log_lines(cluster_id: str, namespace: str, name: str) -> Response:
    """New lines by the protocol of ``log.log(mode="poll")``."""
    query = _query()
    client = kube(get_cluster(cluster_id))
    lines = logs.read(client, namespace, name, query)
    last = logs.last_stamp(lines) or query.after
    ended = query.previous or (not lines and logs.has_ended(client, namespace, name, query.container))
    body = "".join(logs.shown(line, query.timestamps) + "\n" for line in lines)
    return Response(body, 286 if ended else 200, {"X-Next": last}, mimetype="text/plain; charset=utf-8")


@bp.get(f"{PAGE}/log/stream")
@guard(permissions.POD_LOG, resource=permissions.place)
def pod_log_stream(cluster_id: str, namespace: str, name: str) -> Response:
    return logs.streamed(kube(get_cluster(cluster_id)), namespace, name, _query())


@bp.get(f"{PAGE}/log/download")
@guard(permissions.POD_LOG, resource=permissions.place)
def pod_log_download(cluster_id: str, namespace: str, name: str) -> Response:
    return logs.downloaded(kube(get_cluster(cluster_id)), namespace, name, _query())


@api.operation(
    "GET",
    f"{IN_API}/log",
    "captain.pods.log",
    _("Read a container's log"),
    permissions.POD_LOG,
    query=LogQuery,
    returns=LogOut,
    errors=(*logs.ERRORS, *KUBE_ERRORS),
    resource=permissions.place,
)
def get_log(cluster_id: ClusterId, namespace: Namespace, name: ObjectName, query: LogQuery) -> LogOut:
    client = kube(get_cluster(cluster_id))
    lines = logs.read(client, namespace, name, logs.checked(query))
    last = logs.last_stamp(lines) or query.after
    ended = query.previous or (not lines and logs.has_ended(client, namespace, name, query.container))
    return LogOut([logs.shown(line, query.timestamps) for line in lines], last, ended)


def pods_beside(cluster: Cluster, row: KubeObject) -> list[KubeObject]:
    """Pods of the same owner, for moving between them."""
    if not row.owner_uid:
        return [row]
    query = mirror.listed(cluster.id, "pods").where(KubeObject.owner_uid == row.owner_uid)
    return list(rows(query.limit(50)))


def _query() -> LogQuery:
    fields = {field.encode_name for field in msgspec.structs.fields(LogQuery)}
    given: dict[str, Any] = {key: value for key, value in request.args.items() if key in fields and value != ""}
    for key in ("previous", "timestamps"):
        if key in given:
            given[key] = given[key] in ("1", "true", "on")
    return logs.checked(check(LogQuery, given, strict=False))


def _address(query: LogQuery) -> dict[str, Any]:
    found = {"container": query.container, "tail": query.tail, "since": query.since}
    flags = {key: "1" for key in ("previous", "timestamps") if getattr(query, key)}
    return {key: value for key, value in {**found, **flags}.items() if value}


def _lines(cluster: Any, namespace: str, name: str, query: LogQuery) -> tuple[list[logs.Line], ConsoleError | None]:
    try:
        if live.is_down(cluster):
            live.get(cluster, paths.one("Pod", namespace, name))
        return logs.read(kube(cluster), namespace, name, query), None
    except ConsoleError as error:
        return [], error
