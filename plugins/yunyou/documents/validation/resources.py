"""What databases, load balancers, caches, buckets and scaling groups must keep beyond their shape."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import ValidationError, convert

from app.contracts.json import Json
from app.errors import FieldError
from app.words import _
from plugins.yunyou.documents.application import Resources
from plugins.yunyou.documents.json_file import pointer
from plugins.yunyou.documents.schema import shown
from plugins.yunyou.documents.validation.untyped import objects, part, text, texts, whole

Path = tuple[str | int, ...]

_TWICE = _("The name {name} stands here twice.")
_NO_APP = _("There is no application {name} in this product.")


def check(product: Json, path: Path) -> Iterator[FieldError]:
    """The rules that the resources of *product*, which stands at *path*, break."""
    apps = {text(app, "name"): text(app, "role", "standard") for __, app in objects(product, "applications")}
    for kind in ("databases", "caches", "buckets", "scalingGroups"):
        yield from _unique(product, kind, "name", path)
    for at, database in objects(product, "databases"):
        yield from _known(database, "applications", apps, (*path, "databases", at))
        yield from _unique(database, "changes", "id", (*path, "databases", at))
    for at, balancer in objects(product, "loadBalancers"):
        yield from _balancer(balancer, apps, (*path, "loadBalancers", at))
    yield from _groups(product, apps, path)


def _unique(owner: Json, kind: str, key: str, path: Path) -> Iterator[FieldError]:
    seen: set[str] = set()
    for at, item in objects(owner, kind):
        name = text(item, key)
        if name and name in seen:
            yield FieldError(pointer(*path, kind, at, key), _TWICE.format(name=shown(name)))
        seen.add(name)


def _known(owner: Json, key: str, apps: dict[str, str], path: Path) -> Iterator[FieldError]:
    for at, name in texts(owner, key):
        if name not in apps:
            yield FieldError(pointer(*path, key, at), _NO_APP.format(name=shown(name)))


def _balancer(balancer: Json, apps: dict[str, str], path: Path) -> Iterator[FieldError]:
    target = text(balancer, "application")
    if target and target not in apps:
        yield FieldError(pointer(*path, "application"), _NO_APP.format(name=shown(target)))
    elif apps.get(target, "standard") != "standard":
        words = _("{name} is a task or test, which serves nobody.")
        yield FieldError(pointer(*path, "application"), words.format(name=shown(target)))
    seen: set[tuple[int, bool]] = set()
    for at, listener in objects(balancer, "listeners"):
        for key in ("port", "targetPort"):
            if not 1 <= whole(listener, key, 1) <= 65535:
                words = _("A port is a number from 1 to 65535.")
                yield FieldError(pointer(*path, "listeners", at, key), words)
        taken = (whole(listener, "port", -at - 1), text(listener, "protocol") == "UDP")
        if taken in seen:
            words = _("Two listeners use the port {port}.")
            yield FieldError(pointer(*path, "listeners", at, "port"), words.format(port=taken[0]))
        seen.add(taken)


def _groups(product: Json, apps: dict[str, str], path: Path) -> Iterator[FieldError]:
    databases = {text(database, "name") for __, database in objects(product, "databases")}
    member_of: dict[str, str] = {}
    for at, group in objects(product, "scalingGroups"):
        here = (*path, "scalingGroups", at)
        yield from _known(group, "applications", apps, here)
        yield from _unique(group, "cells", "name", here)
        for index, name in texts(group, "applications"):
            if name in member_of:
                words = _("{name} is in the group {group} already.")
                place = pointer(*here, "applications", index)
                yield FieldError(place, words.format(name=shown(name), group=shown(member_of[name])))
            member_of[name] = text(group, "name")
        for index, name in texts(group, "sharedDatabases"):
            if name not in databases:
                words = _("There is no database {name} in this product.")
                yield FieldError(pointer(*here, "sharedDatabases", index), words.format(name=shown(name)))
        yield from _cells(group, here)


def _cells(group: Json, path: Path) -> Iterator[FieldError]:
    members = {name for __, name in texts(group, "applications")}
    for at, cell in objects(group, "cells"):
        here = (*path, "cells", at)
        for key in ("replicas", "resources"):
            for name in part(cell, key):
                if name not in members:
                    words = _("{name} is not an application of this group.")
                    yield FieldError(pointer(*here, key, name), words.format(name=shown(name)))
        for name in part(cell, "replicas"):
            if not 0 <= whole(part(cell, "replicas"), name, 0) <= 10_000:
                words = _("Replicas are a number from 0 to 10,000.")
                yield FieldError(pointer(*here, "replicas", name), words)
        yield from _cell_values(cell, here)


def _cell_values(cell: Json, path: Path) -> Iterator[FieldError]:
    for name, value in part(cell, "parameters").items():
        if not isinstance(value, str | int | float):
            words = _("A cell's parameter is a text, a number or true or false.")
            yield FieldError(pointer(*path, "parameters", name), words)
    for name, value in part(cell, "resources").items():
        try:
            convert(value, Resources)
        except ValidationError:
            words = _("This must be an object with cpu and memory as quantities.")
            yield FieldError(pointer(*path, "resources", name), words)
