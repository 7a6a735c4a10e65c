"""What databases, load balancers, caches, buckets and scaling groups must keep beyond their shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import ValidationError, convert

from app.contracts.text import Text
from app.errors import FieldError
from plugins.yunyou.domain.application import Resources
from plugins.yunyou.domain.lenient import objects, part, text, texts, whole
from plugins.yunyou.domain.reading import pointer
from plugins.yunyou.domain.shape import shown

Path = tuple[str | int, ...]

_TWICE = Text("The name {name} stands here twice.", "名称 {name} 重复。")
_NO_APP = Text("There is no application {name} in this product.", "本产品中没有应用 {name}。")


def check(product: dict[str, Any], path: Path) -> Iterator[FieldError]:
    """The rules that the resources of *product*, which stands at *path*, break."""
    apps = {text(app, "name"): text(app, "role", "standard") for _, app in objects(product, "applications")}
    for kind in ("databases", "caches", "buckets", "scalingGroups"):
        yield from _unique(product, kind, "name", path)
    for at, database in objects(product, "databases"):
        yield from _known(database, "applications", apps, (*path, "databases", at))
        yield from _unique(database, "changes", "id", (*path, "databases", at))
    for at, balancer in objects(product, "loadBalancers"):
        yield from _balancer(balancer, apps, (*path, "loadBalancers", at))
    yield from _groups(product, apps, path)


def _unique(owner: dict[str, Any], kind: str, key: str, path: Path) -> Iterator[FieldError]:
    seen: set[str] = set()
    for at, item in objects(owner, kind):
        name = text(item, key)
        if name and name in seen:
            yield FieldError(pointer(*path, kind, at, key), _TWICE.format(name=shown(name)))
        seen.add(name)


def _known(owner: dict[str, Any], key: str, apps: dict[str, str], path: Path) -> Iterator[FieldError]:
    for at, name in texts(owner, key):
        if name not in apps:
            yield FieldError(pointer(*path, key, at), _NO_APP.format(name=shown(name)))


def _balancer(balancer: dict[str, Any], apps: dict[str, str], path: Path) -> Iterator[FieldError]:
    target = text(balancer, "application")
    if target and target not in apps:
        yield FieldError(pointer(*path, "application"), _NO_APP.format(name=shown(target)))
    elif apps.get(target, "standard") != "standard":
        words = Text("{name} is a task or test, which serves nobody.", "{name} 是一次性任务或测试应用，不提供服务。")
        yield FieldError(pointer(*path, "application"), words.format(name=shown(target)))
    seen: set[tuple[int, bool]] = set()
    for at, listener in objects(balancer, "listeners"):
        for key in ("port", "targetPort"):
            if not 1 <= whole(listener, key, 1) <= 65535:
                words = Text("A port is a number from 1 to 65535.", "端口须为 1 至 65535。")
                yield FieldError(pointer(*path, "listeners", at, key), words)
        taken = (whole(listener, "port", -at - 1), text(listener, "protocol") == "UDP")
        if taken in seen:
            words = Text("Two listeners use the port {port}.", "有两个监听使用端口 {port}。")
            yield FieldError(pointer(*path, "listeners", at, "port"), words.format(port=taken[0]))
        seen.add(taken)


def _groups(product: dict[str, Any], apps: dict[str, str], path: Path) -> Iterator[FieldError]:
    databases = {text(database, "name") for _, database in objects(product, "databases")}
    member_of: dict[str, str] = {}
    for at, group in objects(product, "scalingGroups"):
        here = (*path, "scalingGroups", at)
        yield from _known(group, "applications", apps, here)
        yield from _unique(group, "cells", "name", here)
        for index, name in texts(group, "applications"):
            if name in member_of:
                words = Text("{name} is in the group {group} already.", "{name} 已属于伸缩组 {group}。")
                place = pointer(*here, "applications", index)
                yield FieldError(place, words.format(name=shown(name), group=shown(member_of[name])))
            member_of[name] = text(group, "name")
        for index, name in texts(group, "sharedDatabases"):
            if name not in databases:
                words = Text("There is no database {name} in this product.", "本产品中没有数据库 {name}。")
                yield FieldError(pointer(*here, "sharedDatabases", index), words.format(name=shown(name)))
        yield from _cells(group, here)


def _cells(group: dict[str, Any], path: Path) -> Iterator[FieldError]:
    members = {name for _, name in texts(group, "applications")}
    for at, cell in objects(group, "cells"):
        here = (*path, "cells", at)
        for key in ("replicas", "resources"):
            for name in part(cell, key):
                if name not in members:
                    words = Text("{name} is not an application of this group.", "{name} 不是该伸缩组的应用。")
                    yield FieldError(pointer(*here, key, name), words.format(name=shown(name)))
        for name in part(cell, "replicas"):
            if not 0 <= whole(part(cell, "replicas"), name, 0) <= 10_000:
                words = Text("Replicas are a number from 0 to 10,000.", "副本数须为 0 至 10000。")
                yield FieldError(pointer(*here, "replicas", name), words)
        yield from _cell_values(cell, here)


def _cell_values(cell: dict[str, Any], path: Path) -> Iterator[FieldError]:
    for name, value in part(cell, "parameters").items():
        if not isinstance(value, str | int | float):
            words = Text("A cell's parameter is a text, a number or true or false.", "单元参数须为文本、数字或布尔值。")
            yield FieldError(pointer(*path, "parameters", name), words)
    for name, value in part(cell, "resources").items():
        try:
            convert(value, Resources)
        except ValidationError:
            words = Text(
                "This must be an object with cpu and memory as quantities.",
                "此处须为对象，其中 cpu 与 memory 为资源数量。",
            )
            yield FieldError(pointer(*path, "resources", name), words)
