"""What a rollback returns to: an earlier record of a product, or what an order found before it acted (guide 2.8)."""

from __future__ import annotations

import copy
from collections.abc import Collection

from app.contracts.json import Json
from app.words import _
from plugins.yunyou.products.rules.baseline import OPERATED

Document = Json

DATABASES_STAY = _("Databases are not changed back: schemas and data stay as they are.")


def returned(current: Document, record: Document, applications: Collection[str] | None = None) -> Document:
    """The product as a rollback to *record*, the product as it once stood, wants it; for all applications or those
    chosen.

    Image, parameters and configuration are the record's; replicas and size stay, for they belong to operation
    orders; databases and their changes stay in any case. Applications that the record doesn't have stay as they are.
    """
    then = {app["name"]: app for app in record["applications"]}
    chosen = set(then) if applications is None else set(applications) & set(then)
    made = copy.deepcopy(current)
    whole = chosen >= {app["name"] for app in current["applications"] if app["name"] in then}
    if whole:
        for name in ("version", "parameters", "topology", "specification", "releaseNotes"):
            made.pop(name, None)
            if name in record:
                made[name] = copy.deepcopy(record[name])
    apps = []
    for app in made["applications"]:
        apps.append(_exchanged(app, then[app["name"]]) if app["name"] in chosen else app)
    made["applications"] = apps
    return made


def _exchanged(now: Document, then: Document) -> Document:
    made = {key: copy.deepcopy(value) for key, value in then.items() if key not in OPERATED}
    return {**made, **{name: now[name] for name in OPERATED if name in now}}


def undone(before: Document | None, after: Document | None, current: Document | None) -> Document | None:
    """An application as the rollback of an order wants it: what the order changed is again what it found.

    Fields that the order did not touch stay as they are *now*, so that later changes by others survive.

    :param before: the application as the order found it; None if the order made it
    :param after: as the order left it (or was about to); None if the order removed it
    :param current: as it is now
    :returns: None when the application is to go, because the order made it
    """
    if before is None or after is None or current is None:
        return copy.deepcopy(before)
    made = copy.deepcopy(current)
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            made.pop(name, None)
            if name in before:
                made[name] = copy.deepcopy(before[name])
    return made
