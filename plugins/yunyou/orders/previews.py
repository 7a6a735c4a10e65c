"""The exact difference that an order will send, object by object, by server-side dry run (Y-21)."""

from __future__ import annotations

import base64
import difflib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
import yaml
from msgspec import structs

from app import crypto
from app.contracts.json import Json
from app.errors import ConsoleError
from app.orders.make import Planned
from plugins.yunyou.manifests.objects import WORKLOADS
from plugins.yunyou.orders import object_ownership
from plugins.yunyou.orders.freezing import Cluster
from plugins.yunyou.orders.rules import rollout
from plugins.yunyou.orders.service import Draft
from plugins.yunyou.orders.shapes import (
    ApplicationPlace,
    ApplicationPreviewed,
    DiffLine,
    GroupPreviewed,
    ObjectPreviewed,
    PreviewOut,
    ProductPlace,
)

MASK = "••••••"
ACTIONS = ("create", "change", "delete", "none")
SERVER_OWNED = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink")
NOISE = (
    "antstack.io/order",
    "antstack.io/plan",
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
)


class ApplicationCounted(ApplicationPreviewed):
    """An application with how many of its objects are created, changed, left and refused."""

    counts: dict[str, int]
    changes: int
    errors: int


def preview(draft: Draft) -> PreviewOut:
    """What the order would send: per application and object the exact diff, the groups, the order, warnings.

    Nothing is changed. An object that the server refuses carries its error.
    """
    cluster = draft.cluster
    applications: list[ApplicationPreviewed] = []
    balancers: dict[str, list[ObjectPreviewed]] = {}
    for owner, item in draft.balancers:
        balancers.setdefault(owner, []).append(_object(draft, cluster, owner, item))
    for key, plan in draft.plans.items():
        objects = [_object(draft, cluster, plan.owner, item, plan.kind) for item in plan.objects]
        objects += balancers.pop(plan.owner, ())
        objects += [_leaving(cluster.all(kind)[name]) for kind, name, _ in plan.leaving]
        groups = msgspec.convert(draft.groups[key].public() if key in draft.groups else [], list[GroupPreviewed])
        applications.append(ApplicationPreviewed(key, plan.mode, plan.kind, groups, objects))
    for key, leaving in draft.target.leaving.items():
        objects = [_leaving(item) for item in cluster.made_for(leaving["name"], leaving["cell"])]
        kind = next((item.kind for item in objects if item.kind in WORKLOADS), "")
        applications.append(ApplicationPreviewed(key, "remove", kind, [], objects))
    for key, objects in balancers.items():
        applications.append(ApplicationPreviewed(key, "update", "Service", [], objects))
    return PreviewOut(
        draft.hash,
        draft.target.title,
        [ProductPlace(root.key, list(root.after), _order(root)) for root in draft.roots],
        applications,
        [w.in_all() for w in draft.warnings],
        sum(1 for a in applications for o in a.objects if o.action != "none"),
        sum(1 for a in applications for o in a.objects if o.error),
    )


def worst_first(preview: PreviewOut) -> list[ApplicationCounted]:
    """Its applications with how many of their objects are created, changed, left and refused; trouble first."""
    counted = [_counted(application) for application in preview.applications]
    return sorted(counted, key=lambda found: (-found.errors, not found.changes))


def _counted(application: ApplicationPreviewed) -> ApplicationCounted:
    objects = application.objects
    found: Counter[str] = Counter(item.action for item in objects)
    counts = {action: found[action] for action in ACTIONS if found[action]}
    changes, errors = len(objects) - found["none"], sum(1 for item in objects if item.error)
    return ApplicationCounted(**structs.asdict(application), counts=counts, changes=changes, errors=errors)


def _order(root: Planned) -> list[ApplicationPlace]:
    stage = next((child for child in root.children if child.key.endswith("/#apps")), None)
    return [ApplicationPlace(node.key, list(node.after)) for node in (stage.children if stage else [])]


def _object(draft: Draft, cluster: Cluster, application: str, item: Json, workload: str = "") -> ObjectPreviewed:
    """One object of an application ``PRODUCT/app``; *workload* is the kind of the one that runs it."""
    kind, name = item["kind"], item["metadata"]["name"]
    live = cluster.find(kind, name)
    found = ObjectPreviewed(kind, name, "create" if live is None else "change", [], None)
    adopted, anew = application in draft.request.adopt, False
    try:
        if live is not None:
            owner = object_ownership.owner_of(live, draft.environment, application.partition("/")[0])
            if owner is not None and not adopted:
                raise object_ownership.FOREIGN(kind=kind, name=name, owner=owner, extra={"application": application})
            anew = kind == workload and rollout.is_made_anew(item, live)
            if kind == workload and not anew:
                item, kept = rollout.keep_immutable(item, live)
                found.unchangeable = list(kept)
        sent = {**item, "metadata": {**item["metadata"], "name": f"{name}-anew"}} if anew else item
        answer = {
            "apiVersion": item["apiVersion"],
            "kind": kind,
            **cluster.kube.apply(sent, dry_run=True, force=adopted),
        }
        answer["metadata"]["name"] = name
    except ConsoleError as error:
        found.error = error.kept()
        answer = item
    before, after = text_of(live), text_of(answer)
    found.diff = unified(before, after)
    if before == after and not found.error:
        found.action = "none"
    return found


def _leaving(item: Json) -> ObjectPreviewed:
    return ObjectPreviewed(item["kind"], item["metadata"]["name"], "delete", unified(text_of(item), ""), None)


def text_of(item: Mapping[str, Any] | None) -> str:
    """An object as YAML, without what the server owns; what Secrets hold is masked."""
    if item is None:
        return ""
    shown = {key: value for key, value in item.items() if key != "status"}
    meta = {key: value for key, value in item["metadata"].items() if key not in SERVER_OWNED}
    notes = {key: value for key, value in (meta.get("annotations") or {}).items() if key not in NOISE}
    meta.pop("annotations", None)
    shown["metadata"] = {**meta, "annotations": notes} if notes else meta
    if item["kind"] == "Secret":
        shown["data"] = {key: _mask(value) for key, value in (item.get("data") or {}).items()}
    return yaml.safe_dump(shown, sort_keys=True, allow_unicode=True, default_flow_style=False)


def _mask(value: str) -> str:
    try:
        length = len(base64.b64decode(value))
    except ValueError:
        length = len(value)
    return f"{MASK} ({length} bytes, {crypto.ring().sign('preview', value)[:6]})"


def unified(before: str, after: str, context: int = 3) -> list[DiffLine]:
    """The lines of a diff, with their numbers; where lines are left out, one says so."""
    old, new = before.splitlines(), after.splitlines()
    lines: list[DiffLine] = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(context):
        if lines:
            lines.append(DiffLine("skip", None, None, ""))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [DiffLine("same", i1 + n + 1, j1 + n + 1, old[i1 + n]) for n in range(i2 - i1)]
                continue
            lines += [DiffLine("del", n + 1, None, old[n]) for n in range(i1, i2)]
            lines += [DiffLine("add", None, n + 1, new[n]) for n in range(j1, j2)]
    return lines
