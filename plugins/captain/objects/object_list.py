"""Lists of objects of one kind: columns that many have, filters, and what follows for the page and the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from flask import request
from sqlalchemy import Select

from app.kube.models import Cluster, KubeObject
from app.web.api import Page, page
from app.web.listing import Column, Filter, Listing
from app.web.table import Action, Cell, Empty
from app.words import Text, _, plain
from plugins.captain.objects import mirror
from plugins.captain.objects.kinds import KINDS, page_of, state_text
from plugins.captain.objects.shapes import ObjectQuery

POLL = 3.0
NAMESPACE, STATE, NODE = _("Namespace"), _("State"), _("Node")
NAME, AGE, IMAGES, READY = _("Name"), _("Age"), _("Images"), _("Ready")
FOLLOWING = _("The console lists what the cluster tells it; a cluster that was just registered takes a few seconds.")
SORTS: dict[str, Any] = {
    "name": KubeObject.name,
    "namespace": KubeObject.namespace,
    "state": KubeObject.state,
    "createdAt": KubeObject.created_at,
    "restarts": KubeObject.restarts,
    "node": KubeObject.node,
}
Actions = Callable[[KubeObject], Sequence[Action]]


def name_column() -> Column:
    """The name of an object."""
    return Column("name", NAME, lambda r: r.name, "mono", KubeObject.name, narrow=True)


def namespace_column() -> Column:
    """The namespace that it is in."""
    return Column("namespace", NAMESPACE, lambda r: Cell("mono", text=r.namespace), "mono", KubeObject.namespace)


def state_column() -> Column:
    """Its state in words."""
    return Column("state", STATE, _state, "tone", KubeObject.state, narrow=True)


def age_column() -> Column:
    """When it was created."""
    return Column("age", AGE, lambda r: r.created_at, "time", KubeObject.created_at)


def images_column(hidden: bool = False) -> Column:
    """Images by their last part: the rest is the same in all rows, and in the details."""
    return Column("images", IMAGES, _images, "tags", hidden=hidden)


def listing(
    cluster: Cluster,
    plural: str,
    columns: Sequence[Column],
    query: Select[KubeObject],
    search: Sequence[Any],
    hint: Text = NAME,
    identifier: str = "",
    actions: Actions = lambda _row: (),
    same: Sequence[str] = (),
) -> Listing:
    """The list on a page; ``same`` are columns that would say the same in every row."""
    empty = Empty(_("No {title}").format(title=KINDS[plural].title), FOLLOWING)
    return Listing(
        identifier or plural,
        query,
        [column for column in columns if column.key not in same],
        search,
        _filters(cluster, plural, same),
        poll=POLL,
        search_hint=hint,
        empty=empty,
        href=lambda row: page_of(cluster.id, plural, row.namespace, row.name),
        key=lambda row: row.uid,
        actions=actions,
    )


def page_of_objects(
    found: Select[Any], query: ObjectQuery, shape: Callable[[KubeObject], Any], search: Sequence[Any]
) -> Page[Any]:
    """The list of the API."""
    for column, value in (
        (KubeObject.namespace, query.namespace),
        (KubeObject.state, query.state),
        (KubeObject.node, query.node),
    ):
        if value:
            found = found.where(column == value)
    return page(found, query, shape, sorts=SORTS, search=search, key=KubeObject.uid, default="name")


def _filters(cluster: Cluster, plural: str, same: Sequence[str]) -> list[Filter]:
    found = []
    if plural not in ("nodes", "namespaces") and "namespace" not in same:
        spaces = partial(_plain, mirror.names, cluster.id, "namespaces")
        found.append(Filter("namespace", NAMESPACE, KubeObject.namespace, spaces))
    states = partial(_plain, mirror.states, cluster.id, plural)
    found.append(Filter("state", STATE, KubeObject.state, states))
    if plural == "pods" and (node := request.args.get("node")):
        found.append(Filter("node", NODE, KubeObject.node, [(node, plain(node))]))
    return found


def _plain(read: Callable[..., Sequence[str]], *arguments: str) -> Sequence[tuple[str, Text]]:
    return [(value, state_text(value)) for value in read(*arguments)]


def _state(row: KubeObject) -> Cell:
    return Cell("tone", tone=row.tone, text=state_text(row.state))


def _images(row: KubeObject) -> list[str]:
    return [image.rpartition("/")[2] for image in row.images.split("\n") if image]
