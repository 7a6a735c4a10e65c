"""A pod's log and shell, and its end: deleting and evicting."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Flask, Response, request
from flask_sock import Sock

from app.errors import ConsoleError, invalid
from app.guard import guard
from app.kube import paths
from app.kube.client import kube
from app.kube.clusters import get_cluster
from app.web import pod_logs as logs
from app.web.forms import check
from app.web.pod_logs import LogQuery
from app.web.render import dialog_done, render
from app.words import _
from plugins.captain import actions, details, live, permissions, queries, shell
from plugins.captain.kinds import KINDS
from plugins.captain.object_routes import detail, pods_beside
from plugins.captain.pages import bp

FOLLOWED = "/<cluster_id>/pods/<namespace>/<name>"
TAILS = (100, 500, 1000, 5000)
SINCE = ((0, _("All")), (300, _("5 minutes")), (3600, _("1 hour")), (86400, _("1 day")))
DELETED = _("The pod is being deleted.")
EVICTED = _("The pod is being evicted.")
NO_UID = _("Say which pod: its UID is missing.")


@bp.get(f"{FOLLOWED}/log")
@guard(permissions.POD_LOG, resource=permissions.place)
def pod_log(cluster_id: str, namespace: str, name: str) -> Response:
    context = detail(cluster_id, KINDS["pods"], namespace, name, "log")
    found = details.containers(context["row"].data)
    query = _query()
    query.container = query.container or _first(found)
    lines, error = _lines(context["cluster"], namespace, name, query)
    ends = query.previous or context["row"].state in queries.ENDED
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


@bp.get(f"{FOLLOWED}/log/lines")
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


@bp.get(f"{FOLLOWED}/log/stream")
@guard(permissions.POD_LOG, resource=permissions.place)
def pod_log_stream(cluster_id: str, namespace: str, name: str) -> Response:
    return logs.streamed(kube(get_cluster(cluster_id)), namespace, name, _query())


@bp.get(f"{FOLLOWED}/log/download")
@guard(permissions.POD_LOG, resource=permissions.place)
def pod_log_download(cluster_id: str, namespace: str, name: str) -> Response:
    return logs.downloaded(kube(get_cluster(cluster_id)), namespace, name, _query())


@bp.get(f"{FOLLOWED}/shell")
@guard(permissions.POD_SHELL, resource=permissions.place)
def pod_shell(cluster_id: str, namespace: str, name: str) -> Response:
    context = detail(cluster_id, KINDS["pods"], namespace, name, "shell")
    shell.need_room()
    found = [one for one in details.containers(context["row"].data) if not one["init"]]
    chosen = request.args.get("container", "") or _first(found)
    address = f"{context['page']}/shell/socket?{urlencode({'container': chosen})}"
    return render("captain/pod_shell.html", containers=found, chosen=chosen, address=address, **context)


@bp.get(f"{FOLLOWED}/delete")
@guard(permissions.POD_DELETE, resource=permissions.place)
def pod_delete(cluster_id: str, namespace: str, name: str) -> Response:
    return _ask("delete", cluster_id, namespace, name)


@bp.get(f"{FOLLOWED}/evict")
@guard(permissions.POD_DELETE, resource=permissions.place)
def pod_evict(cluster_id: str, namespace: str, name: str) -> Response:
    return _ask("evict", cluster_id, namespace, name)


@bp.post(f"{FOLLOWED}/delete")
@guard(permissions.POD_DELETE, audit=permissions.POD_DELETED, resource=permissions.place, external=True)
def pod_deleted(cluster_id: str, namespace: str, name: str) -> Response:
    actions.delete_pod(get_cluster(cluster_id), namespace, name, _uid())
    return dialog_done(DELETED)


@bp.post(f"{FOLLOWED}/evict")
@guard(permissions.POD_DELETE, audit=permissions.POD_EVICTED, resource=permissions.place, external=True)
def pod_evicted(cluster_id: str, namespace: str, name: str) -> Response:
    actions.evict_pod(get_cluster(cluster_id), namespace, name, _uid())
    return dialog_done(EVICTED)


def install(app: Flask) -> None:
    """The WebSocket of shells. The guard on it is enforced before the handshake, as on every route."""
    sock = Sock(app)
    app.config.setdefault("SOCK_SERVER_OPTIONS", {"ping_interval": 25, "max_message_size": 256 * 1024})

    @sock.route(f"{bp.url_prefix}{FOLLOWED}/shell/socket", endpoint="captain.pod_shell_socket")
    @guard(permissions.POD_SHELL, resource=permissions.place, reason="records its start and its end itself")
    def pod_shell_socket(socket: Any, cluster_id: str, namespace: str, name: str) -> None:
        shell.serve(socket, cluster_id, namespace, name)

    @app.before_request
    def _own_origin_only() -> None:
        if request.endpoint == "captain.pod_shell_socket":
            shell.check_origin()
            get_cluster(
                (request.view_args or {})["cluster_id"]
            )  # after the handshake no status can be answered any more
            shell.take_place()

    app.teardown_request(shell.free_place)


def _ask(what: str, cluster_id: str, namespace: str, name: str) -> Response:
    cluster = get_cluster(cluster_id)
    row = queries.get_object(cluster.id, KINDS["pods"], namespace, name)
    owner = details.owner_link(cluster, row)
    return render("captain/_pod_end.html", what=what, cluster=cluster, row=row, owner=owner)


def _uid() -> str:
    uid = request.form.get("uid", "")
    if not uid:
        raise invalid({"uid": NO_UID})
    return uid


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


def _first(found: Any) -> str:
    """The container that is shown at first: not an init container if there is another."""
    chosen = next((one for one in found if not one["init"]), found[0] if found else None)
    return str(chosen["name"]) if chosen else ""


def _lines(cluster: Any, namespace: str, name: str, query: LogQuery) -> tuple[list[logs.Line], ConsoleError | None]:
    try:
        if live.is_down(cluster):
            live.get(cluster, paths.one("Pod", namespace, name))
        return logs.read(kube(cluster), namespace, name, query), None
    except ConsoleError as error:
        return [], error
