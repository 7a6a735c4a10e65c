"""Orders for nodes, which the core runs and shows: cordon, uncordon and drain, from pages and by API (K-12)."""

from __future__ import annotations

from functools import partial

from flask import Response

from app.errors import ConsoleError, ErrorCode
from app.guard import guard
from app.kube import clusters, errors, paths
from app.kube.client import kube, kube_of
from app.kube.models import Cluster, KubeObject
from app.order_views.making import makes_order
from app.orders import locks
from app.orders.make import NewOrder, Planned, make
from app.orders.models import Order
from app.orders.steps import Context, Outcome, Simple
from app.orders.types import NodeKind, OrderType, Rollback
from app.web.api import In
from app.web.frame import why_not
from app.web.render import render
from app.web.table import Action
from app.words import _
from plugins.captain import permissions
from plugins.captain.blueprint import ONE, api, bp
from plugins.captain.nodes.drain import LOSES, DrainWanted, PodFate, evicted, preview
from plugins.captain.objects.kinds import KINDS, page_of
from plugins.captain.objects.object_page import detail
from plugins.captain.objects.shapes import ClusterId, ObjectName
from plugins.captain.pods.eviction import evict

CORDON, UNCORDON, DRAIN = "cordon", "uncordon", "drain"
TITLES = {CORDON: _("Cordon"), UNCORDON: _("Uncordon"), DRAIN: _("Drain")}
BUSY = ErrorCode("CAPTAIN/NODE_BUSY", 409, _("An order works on the node {node}."), _("Wait for it, or cancel it."))
BACK = {CORDON: UNCORDON, DRAIN: UNCORDON, UNCORDON: CORDON}
ERRORS, MAINTAIN, NOTHING = (BUSY, LOSES), permissions.NODE_MAINTAIN, DrainWanted()
NODE, PLACE, ALL = f"{ONE}/nodes/<name>", permissions.place, (*ERRORS, *errors.ERRORS)
node_order = partial(makes_order, api, bp, NODE, "node", permission=MAINTAIN, resource=PLACE, errors=ALL)


class Schedule(Simple):
    """Lets the scheduler place pods on a node, or no further ones; only on that very node, by its UID."""

    name = "captain.node.schedule"

    def apply(self, ctx: Context) -> None:
        spec, client = ctx.spec, kube_of(ctx.order.cluster_id or "")
        path = paths.one("Node", "", spec["node"])
        node = client.get(path)
        if node["metadata"]["uid"] != spec["uid"]:
            raise errors.NO_OBJECT(cluster=client.name, detail=f"{spec['node']} ({spec['uid']})")
        if bool(node["spec"].get("unschedulable")) != spec["unschedulable"]:
            client.patch(path, {"metadata": {"uid": spec["uid"]}, "spec": {"unschedulable": spec["unschedulable"]}})
        ctx.log(f"{spec['node']} {'cordoned' if spec['unschedulable'] else 'uncordoned'}")


class Evict(Simple):
    """Evicts a pod, or those that came after the preview; where a budget lets none go, the engine tries again."""

    name = "captain.pod.evict"

    def capture(self, ctx: Context) -> dict[str, list[str]]:
        if "pod" in ctx.spec:
            return {"pods": [ctx.spec["pod"]]}
        late = [pod for pod in _pods(ctx) if pod.uid not in ctx.spec["planned"]]
        return {"pods": [pod.uid for pod in evicted(ctx.spec["node"], late, DrainWanted(**ctx.order.plan["wanted"]))]}

    def apply(self, ctx: Context) -> None:
        for pod in _left(ctx):
            try:
                evict(kube_of(ctx.order.cluster_id or ""), pod.namespace, pod.name, pod.uid)
            except ConsoleError as error:
                if error.kind not in (errors.NO_OBJECT, errors.OBJECT_MOVED):
                    raise
            ctx.log(f"{pod.namespace}/{pod.name} evicted")

    def check(self, ctx: Context) -> Outcome:
        return Outcome(done=not _left(ctx))


def _left(ctx: Context) -> list[PodFate]:
    return [pod for pod in _pods(ctx) if pod.uid in (ctx.node.before or {})["pods"]]


def _pods(ctx: Context) -> list[PodFate]:
    """The pods of the node, read once per tick."""
    found: list[PodFate] = ctx.cache.get("pods") or preview(kube_of(ctx.order.cluster_id or ""), ctx.spec["node"])
    ctx.cache["pods"] = found
    return found


def create(cluster_id: str, name: str, type: str, wanted: DrainWanted = NOTHING, of: str | None = None) -> Order:
    """Make an order for a node; *of* is the one that it takes back.

    :raises ConsoleError: CAPTAIN/NODE_BUSY, CAPTAIN/DRAIN_LOSES, KUBE/…
    """
    cluster = clusters.get_cluster(cluster_id)
    spec = {"node": name, "uid": kube(cluster).get(paths.one("Node", "", name))["metadata"]["uid"]}
    target, what = {**spec, "unschedulable": type != UNCORDON}, TITLES[UNCORDON if type == UNCORDON else CORDON]
    steps = [Planned("schedule", "step", name, what, Schedule.name, target, required=True)]
    if type == DRAIN:
        pods = evicted(name, preview(kube(cluster), name), wanted)
        places = {pod.uid: f"{pod.namespace}/{pod.name}" for pod in pods}
        leaves = [Planned(uid, "pod", place, None, Evict.name, {**spec, "pod": uid}) for uid, place in places.items()]
        steps.append(Planned("pods", "pods", "pods", _("Pods"), children=leaves, parallel=True))
        steps.append(Planned("late", "step", "late", _("Evict newcomers"), Evict.name, {**spec, "planned": [*places]}))
    clusters.lock(cluster)
    scopes, roots = [f"node/{cluster.id}/{name}"], [Planned("node", "node", name, children=steps)]
    if (blocker := locks.first_in_line(scopes)) and blocker != of:
        raise BUSY(node=name, extra={"order": blocker})
    plan = {**spec, "wanted": {"force": wanted.force, "delete_empty_dir_data": wanted.delete_empty_dir_data}}
    title = f"{name} ({cluster.name})"
    return make(NewOrder("captain", type, title, plan, roots, scopes, cluster_id=cluster.id, rollback_of=of))


def roll_back(order: Order, _settings: object, _node_id: str) -> Order:
    """The order that takes another one back: the node takes pods again, or takes none again."""
    return create(order.cluster_id or "", order.plan["node"], BACK[order.type], of=order.id)


STEPS = (Schedule(), Evict())
TYPE = OrderType(
    "captain",
    permissions.NODE_READ,
    MAINTAIN,
    resources=lambda order: [{"cluster": order.cluster_id or ""}],
    titles=TITLES,
    kinds={"pods": NodeKind(whole=True, opens=True), "pod": NodeKind(counted=_("Pods by state"))},
    rollback=Rollback(In, roll_back, says=lambda order: TITLES[BACK[order.type]]),
)


def actions(cluster: Cluster, row: KubeObject) -> list[Action]:
    """What can be done with a node, as its page and the menu of the list show it."""
    page, refused = page_of(cluster.id, "nodes", "", row.name), why_not(MAINTAIN, {"cluster": cluster.id})
    type, icon = (UNCORDON, "play") if "SchedulingDisabled" in row.state else (CORDON, "pause")
    return [
        Action(TITLES[type], f"{page}/{type}", "post", disabled_reason=refused, icon=icon),
        Action(TITLES[DRAIN], f"{page}/drain", disabled_reason=refused, icon="log-out"),
    ]


@node_order(CORDON, _("Cordon a node"), permissions.NODE_CORDONED)
def cordon(cluster_id: ClusterId, name: ObjectName) -> Order:
    return create(cluster_id, name, CORDON)


@node_order(UNCORDON, _("Uncordon a node"), permissions.NODE_UNCORDONED)
def uncordon(cluster_id: ClusterId, name: ObjectName) -> Order:
    return create(cluster_id, name, UNCORDON)


def preview_drain(cluster_id: ClusterId, name: ObjectName) -> list[PodFate]:
    client = kube(clusters.get_cluster(cluster_id))
    client.get(paths.one("Node", "", name))  # what is no node's name could select other pods
    return preview(client, name)


@bp.get("/<cluster_id>/nodes/<name>/drain")
@guard(MAINTAIN, resource=PLACE)
def node_drain(cluster_id: str, name: str, error: ConsoleError | None = None) -> Response:
    pods, status = preview_drain(cluster_id, name), error.status if error else 200
    context = detail(cluster_id, KINDS["nodes"], "", name)
    return render("captain/node_drain.html", fragment="drain", status=status, pods=pods, error=error, **context)


@node_order(DRAIN, _("Drain a node"), permissions.NODE_DRAINED, preview=preview_drain, again=node_drain)
def drain_node(cluster_id: ClusterId, name: ObjectName, body: DrainWanted) -> Order:
    return create(cluster_id, name, DRAIN, body)
