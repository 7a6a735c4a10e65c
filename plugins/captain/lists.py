"""The list pages: which columns, filters and actions the objects of each kind have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from flask import request

from app.kube.models import Cluster, KubeObject
from app.web.frame import why_not
from app.web.listing import Column, Filter, Listing
from app.web.table import Action, Cell, Empty
from app.words import Text, _, pgettext, plain
from plugins.captain import permissions, queries, words
from plugins.captain.kinds import KINDS, Kind, state_text

POLL = 3.0
NOTHING = (0, 0, 0)
NAMESPACE, STATE, NODE = _("Namespace"), _("State"), _("Node")
NAME, AGE, IMAGES, READY = _("Name"), _("Age"), _("Images"), _("Ready")
FOLLOWING = _("The console lists what the cluster tells it; a cluster that was just registered takes a few seconds.")


def base(cluster_id: str) -> str:
    """The address below which a cluster's pages are."""
    return f"/captain/clusters/{cluster_id}"


def page_of(cluster_id: str, kind: str, namespace: str, name: str) -> str:
    """The page of an object; of a kind by its plural. Empty where there is none."""
    known = KINDS.get(kind)
    if known is None:
        return ""
    inside = f"workloads/{kind}" if known.workload else kind
    return f"{base(cluster_id)}/{inside}/{namespace + '/' if namespace else ''}{name}"


def nodes(cluster: Cluster) -> Listing:
    """Nodes, with what is requested of them."""
    used = queries.usage_by_node(cluster.id)
    query = queries.listed(cluster.id, "nodes", whole=True)

    def asked(row: KubeObject, place: int) -> int:
        return used.get(row.name, NOTHING)[place]

    columns = [
        Column("name", NAME, lambda r: r.name, "mono", KubeObject.name, narrow=True),
        Column("state", STATE, _state, "tone", KubeObject.state, narrow=True),
        Column("roles", _("Roles"), lambda r: words.roles(r.data), "tags"),
        Column("ip", _("IP"), lambda r: Cell("mono", text=r.ip), "mono", KubeObject.ip),
        Column("pods", _("Pods"), lambda r: Cell("progress", value=(asked(r, 0), r.total))),
        Column("cpu", _("CPU requested"), lambda r: words.share(asked(r, 1), r.cpu, words.cores), align="right"),
        Column(
            "memory", _("Memory requested"), lambda r: words.share(asked(r, 2), r.memory, words.size), align="right"
        ),
        Column("version", _("Version"), lambda r: words.info(r.data).get("kubeletVersion", ""), "mono"),
        Column("taints", _("Taints"), lambda r: words.taints(r.data), "tags", hidden=True),
        Column("system", _("System"), lambda r: words.info(r.data).get("osImage", ""), hidden=True),
        Column("labels", _("Labels"), lambda r: r.data["metadata"].get("labels") or {}, "labels", hidden=True),
        Column("age", AGE, lambda r: r.created_at, "time", KubeObject.created_at),
    ]
    return _listing(cluster, "nodes", columns, query, (KubeObject.name, KubeObject.ip))


def namespaces(cluster: Cluster) -> Listing:
    """Namespaces, with how many pods are in them."""
    query = queries.listed(cluster.id, "namespaces", whole=True)
    pods = queries.count_by_namespace(cluster.id, "pods")
    columns = [
        Column("name", NAME, lambda r: r.name, "mono", KubeObject.name, narrow=True),
        Column("state", STATE, _state, "tone", KubeObject.state, narrow=True),
        Column(
            "pods",
            _("Pods"),
            lambda r: Cell("number", value=pods.get(r.name, 0), href=f"{base(cluster.id)}/pods?namespace={r.name}"),
        ),
        Column("labels", _("Labels"), lambda r: words.labels(r.data), "labels"),
        Column("age", AGE, lambda r: r.created_at, "time", KubeObject.created_at),
    ]
    return _listing(cluster, "namespaces", columns, query, (KubeObject.name,))


def workloads(cluster: Cluster, kind: Kind) -> Listing:
    """Workloads of one kind."""
    columns = [
        Column("name", NAME, lambda r: r.name, "mono", KubeObject.name, narrow=True),
        Column("namespace", NAMESPACE, lambda r: Cell("mono", text=r.namespace), "mono", KubeObject.namespace),
        Column("state", STATE, _state, "tone", KubeObject.state, narrow=True),
        Column(
            "ready",
            pgettext("number of pods", "Completed") if kind.plural == "jobs" else READY,
            lambda r: Cell("progress", value=(r.ready, r.total)),
            sort=KubeObject.ready,
        ),
        Column("images", IMAGES, lambda r: _images(r.images), "tags"),
        Column("product", _("Product"), lambda r: r.product, "mono", KubeObject.product, hidden=True),
        Column("application", _("Application"), lambda r: r.application, "mono", KubeObject.application, hidden=True),
        Column("age", AGE, lambda r: r.created_at, "time", KubeObject.created_at),
    ]
    search = (KubeObject.name, KubeObject.images, KubeObject.application, KubeObject.product)
    query = queries.listed(cluster.id, kind.plural)
    return _listing(cluster, kind.plural, columns, query, search, _("Name, image, application"))


def pods(cluster: Cluster, query: Any = None, identifier: str = "pods", same: Sequence[str] = ()) -> Listing:
    """Pods of a cluster, or those of *query*; ``same`` are columns that would say the same in every row."""
    root = base(cluster.id)

    def owner(row: KubeObject) -> Cell:
        kind, __, name = row.owner.partition("/")
        if kind == "ReplicaSet":  # a Deployment's, nearly always; its name ends in the template's hash
            name = name.rpartition("-")[0] or name
        return Cell("mono", text=name, title=row.owner, href=f"{root}/owners/{row.owner_uid}" if row.owner_uid else "")

    columns = [
        Column("name", NAME, lambda r: r.name, "mono", KubeObject.name, narrow=True),
        Column("namespace", NAMESPACE, lambda r: Cell("mono", text=r.namespace), "mono", KubeObject.namespace),
        Column("state", STATE, _state, "tone", KubeObject.state, narrow=True),
        Column("ready", READY, lambda r: f"{r.ready}/{r.total}", align="right"),
        Column("restarts", _("Restarts"), lambda r: r.restarts, "number", KubeObject.restarts),
        Column(
            "node",
            NODE,
            lambda r: Cell("mono", text=r.node, href=f"{root}/nodes/{r.node}" if r.node else ""),
            "mono",
            KubeObject.node,
        ),
        Column("ip", _("IP"), lambda r: Cell("mono", text=r.ip), "mono", KubeObject.ip),
        Column("owner", _("Made by"), owner, "mono", KubeObject.owner),
        Column("images", IMAGES, lambda r: _images(r.images), "tags", hidden=True),
        Column(
            "cpu", _("CPU requested"), lambda r: words.cores(r.cpu), sort=KubeObject.cpu, hidden=True, align="right"
        ),
        Column("memory", _("Memory requested"), lambda r: r.memory, "bytes", KubeObject.memory, hidden=True),
        Column("age", AGE, lambda r: r.created_at, "time", KubeObject.created_at),
    ]
    search = (KubeObject.name, KubeObject.ip, KubeObject.node, KubeObject.images)
    query = queries.listed(cluster.id, "pods") if query is None else query
    hint = _("Name, IP, node, image")
    columns = [column for column in columns if column.key not in same]
    return _listing(cluster, "pods", columns, query, search, hint, identifier, pod_actions(cluster), same)


def pod_actions(cluster: Cluster) -> Callable[[KubeObject], Sequence[Action]]:
    """What can be done with a pod; rights are looked up once for all rows."""
    place = {"cluster": cluster.id}
    log = why_not(permissions.POD_LOG, place)
    shell = why_not(permissions.POD_SHELL, place)
    delete = why_not(permissions.POD_DELETE, place)
    root = base(cluster.id)

    def actions(row: KubeObject) -> Sequence[Action]:
        page = f"{root}/pods/{row.namespace}/{row.name}"
        return [
            Action(LOG, f"{page}/log", icon="scroll-text", disabled_reason=log),
            Action(SHELL, f"{page}/shell", icon="square-terminal", disabled_reason=shell),
            Action(EVICT, f"{page}/evict", dialog=True, icon="log-out", disabled_reason=delete),
            Action(DELETE, f"{page}/delete", dialog=True, danger=True, icon="trash-2", disabled_reason=delete),
        ]

    return actions


LOG, SHELL = _("Log"), _("Shell")
EVICT, DELETE = _("Evict"), _("Delete")


def _listing(
    cluster: Cluster,
    plural: str,
    columns: Sequence[Column],
    query: Any,
    search: Sequence[Any],
    hint: Text = NAME,
    identifier: str = "",
    actions: Any = None,
    same: Sequence[str] = (),
) -> Listing:
    kind = KINDS[plural]
    empty = Empty(_("No {title}").format(title=kind.title), FOLLOWING)
    return Listing(
        identifier or plural,
        query,
        columns,
        search,
        _filters(cluster, plural, same),
        poll=POLL,
        search_hint=hint,
        empty=empty,
        href=lambda row: page_of(cluster.id, plural, row.namespace, row.name),
        key=lambda row: row.uid,
        actions=actions or (lambda _row: ()),
    )


def _filters(cluster: Cluster, plural: str, same: Sequence[str]) -> list[Filter]:
    found = []
    if plural not in ("nodes", "namespaces") and "namespace" not in same:
        spaces = partial(_plain, queries.names, cluster.id, "namespaces")
        found.append(Filter("namespace", NAMESPACE, KubeObject.namespace, spaces))
    states = partial(_plain, queries.states, cluster.id, plural)
    found.append(Filter("state", STATE, KubeObject.state, states))
    if plural == "pods" and (node := request.args.get("node")):
        found.append(Filter("node", NODE, KubeObject.node, [(node, plain(node))]))
    return found


def _plain(read: Callable[..., Sequence[str]], *arguments: str) -> Sequence[tuple[str, Text]]:
    return [(value, state_text(value)) for value in read(*arguments)]


def _state(row: KubeObject) -> Cell:
    return Cell("tone", tone=row.tone, text=state_text(row.state))


def _images(text: str) -> list[str]:
    """Images by their last part: the rest is the same in all rows, and in the details."""
    return [image.rpartition("/")[2] for image in text.split("\n") if image]
