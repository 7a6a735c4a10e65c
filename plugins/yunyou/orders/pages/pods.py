"""The pods of an order: squares by group, one pod in the drawer, its log."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, request, url_for

from app.contracts.json import Json
from app.db import db, now
from app.errors import NOT_FOUND, ConsoleError
from app.guard import guard
from app.kube import paths
from app.kube.client import Kube
from app.order_views.access import get_order
from app.orders.models import Order, OrderNode
from app.orders.tree import Tree
from app.web import pod_logs
from app.web.forms import check
from app.web.language import t
from app.web.pod_logs import LogQuery
from app.web.render import render
from app.words import Text, _, plain
from plugins.yunyou import permissions
from plugins.yunyou.environments import service as environments
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.manifests.pod_view import moment, view
from plugins.yunyou.products import live_objects
from plugins.yunyou.products import service as products

bp = Blueprint("yunyou_order_pods", __name__, url_prefix="/yunyou/orders")
APPLICATIONS_SHOWN = 60
PODS_SHOWN = 600  # of one group
LOG_LINES = 200
STATE_OF_TONE = {"ok": "running", "bad": "failed", "warn": "running", "info": "running", "neutral": "skipped"}


def details(order: Order, found: Tree, node: OrderNode) -> Json:
    """What the page of an order shows of a node besides: its pods."""
    return {"pod_groups": squares(order, found, node)}


def squares(order: Order, found: Tree, node: OrderNode) -> list[Json]:
    """Every pod of the applications at, above and below *node*, by group, as far as the cluster shows them."""
    environment = db.session.get(Environment, order.environment_id or "")
    applications = [n for n in (*found.path(node), *found.below(node)) if n.kind == "application"]
    if environment is None or not applications:
        return []
    try:
        seen = live_objects.look(environment)
        return [group for app in applications[:APPLICATIONS_SHOWN] for group in _groups(order, found, app, seen)]
    except ConsoleError:
        return []


def _groups(order: Order, found: Tree, node: OrderNode, seen: live_objects.View) -> list[Json]:
    plan = order.plan["applications"].get(node.key) or {"application": node.name, "cell": ""}
    running = seen.pods_of(plan["application"], plan["cell"])
    pods = {pod["metadata"]["name"]: pod for pod in sorted(running, key=lambda p: p["metadata"]["name"])}
    taken: set[str] = set()
    groups: list[Json] = []
    members = [child for child in found.children.get(node.id, []) if child.kind == "group"]
    for member in members:
        spec = next((leaf.spec for leaf in found.under(member) if "names" in leaf.spec), {})
        names = [name for name in spec.get("names", []) if name in pods]
        taken |= set(names)
        groups.append(_group(order, node, member.title, member.state, [pods[name] for name in names]))
    rest = [pod for name, pod in pods.items() if name not in taken]
    if len(members) == 1 and not taken:
        groups[0]["pods"] = [_square(order, pod) for pod in rest[:PODS_SHOWN]]
    elif rest:
        groups.append(_group(order, node, _("Pods"), "", rest, counted=True))
    return [group for group in groups if group["pods"]]


def _group(order: Order, node: OrderNode, title: Text, state: str, pods: list[Json], *, counted: bool = False) -> Json:
    shown = [_square(order, pod) for pod in pods[:PODS_SHOWN]]
    return {
        "title": f"{node.name}: {t(title)}",
        "state": state or None,
        "note": None,
        "counted": counted,
        "pods": shown,
    }


def _square(order: Order, pod: Json) -> Json:
    shown = products.container(pod)
    name = pod["metadata"]["name"]
    return {
        "id": name,
        "name": name,
        "href": url_for("yunyou_order_pods.pod_show", order_id=order.id, name=name),
        "state": "succeeded" if view(pod).ready else STATE_OF_TONE[shown.tone],
        "note": shown.state,
    }


@bp.get("/<order_id>/pods/<name>")
@guard(permissions.ORDER_READ)
def pod_show(order_id: str, name: str) -> Response:
    """A pod of an order in the drawer: conditions, environment variables, events, log (Y-33)."""
    kube, namespace = _cluster(order_id)
    pod = kube.find(paths.one("Pod", namespace, name))
    if pod is None:
        raise NOT_FOUND(what=plain(name))
    of_pod = {"fieldSelector": f"involvedObject.uid={pod['metadata']['uid']}"}
    events = [
        (event, moment(event.get("lastTimestamp")))
        for event in kube.get(paths.collection("Event", namespace), of_pod)["items"]
    ]
    container = pod["spec"]["containers"][0]
    return render(
        "yunyou/_pod.html",
        pod=products.container(pod),
        events=sorted(events, key=lambda one: one[1] or now(), reverse=True),
        **_log(order_id, name, container["name"]),
        env=[(e["name"], e.get("value", "•••••• (secret)")) for e in container.get("env", ())],
    )


@bp.get("/<order_id>/pods/<name>/log")
@guard(permissions.ORDER_READ)
def pod_log(order_id: str, name: str) -> Response:
    return render("yunyou/_pod_log.html", **_log(order_id, name))


def _log(order_id: str, name: str, container: str = "") -> Json:
    """What of a pod's log is known, and where it goes on."""
    kube, namespace = _cluster(order_id)
    query = _log_query(container)
    lines, error = [], None
    try:
        lines = pod_logs.read(kube, namespace, name, query)
    except ConsoleError as refused:
        error = refused
    at: Json = {"order_id": order_id, "name": name, "container": query.container}
    return {
        "order_id": order_id,
        "name": name,
        "query": query,
        "error": error,
        "lines": [pod_logs.shown(line, query.timestamps) for line in lines],
        "follow": None if query.previous else url_for(".pod_log_stream", after=pod_logs.last_stamp(lines), **at),
        "download": url_for(".pod_log_download", previous="1" if query.previous else None, **at),
    }


@bp.get("/<order_id>/pods/<name>/log/stream")
@guard(permissions.ORDER_READ)
def pod_log_stream(order_id: str, name: str) -> Response:
    return pod_logs.streamed(*_cluster(order_id), name, _log_query())


@bp.get("/<order_id>/pods/<name>/log/download")
@guard(permissions.ORDER_READ)
def pod_log_download(order_id: str, name: str) -> Response:
    return pod_logs.downloaded(*_cluster(order_id), name, _log_query())


def _cluster(order_id: str) -> tuple[Kube, str]:
    """The API of an order's cluster, and the namespace that the order writes to."""
    order = get_order(order_id)
    assert order.environment_id is not None
    environment = environments.get_environment(order.environment_id)
    return environments.kube_of(environment), environment.namespace


def _log_query(container: str = "") -> LogQuery:
    known = {field.encode_name for field in msgspec.structs.fields(LogQuery)}
    given = {key: value for key, value in request.args.items() if value and key in known}
    wanted = {"container": container, "tail": LOG_LINES, **given, "previous": "previous" in given}
    return pod_logs.checked(check(LogQuery, wanted, strict=False))
