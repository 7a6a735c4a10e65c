"""What a solution must keep beyond its shape: names, references between its parts, versions and dependencies."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from app.contracts.json import Json
from app.errors import FieldError
from app.words import Text, _
from plugins.yunyou.documents.graphs import arrows, circles
from plugins.yunyou.documents.json_file import pointer
from plugins.yunyou.documents.schema import shown
from plugins.yunyou.documents.validation import application, parameters, resources
from plugins.yunyou.documents.validation.untyped import objects, text, texts
from plugins.yunyou.documents.versions import satisfies, specifier

MAX_STATEFULSET_NAME = 52  # the pods' label controller-revision-hash is NAME and 11 characters more, 63 at most
MAX_NAME = 63
_LINES = ("name", "code", "version", "topology", "specification")


@dataclass(frozen=True)
class Known:
    """What an environment has already: versions by product code, and the product that holds each object name."""

    products: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, baseline: Json) -> Known:
        """What an environment with this baseline has."""
        products = list(objects(baseline, "products"))
        versions = {text(product, "code"): text(product, "version") for __, product in products}
        names = {name: text(product, "code") for at, product in products for name, *_held in _names_of(product, at)}
        return cls(versions, names)


def touched(before: Json, after: Json) -> Collection[str] | None:
    """The products of *after* that are others than in *before*, which keeps all rules; None where all may be.

    What is the same keeps its rules as long as nothing went that it may refer to, and nothing changed that all share.
    """
    if any(before.get(key) != after.get(key) for key in (before.keys() | after.keys()) - {"products"}):
        return None
    was = {text(product, "code"): product for __, product in objects(before, "products")}
    now = {text(product, "code"): product for __, product in objects(after, "products")}
    differ = {code for code in was.keys() | now.keys() if was.get(code) != now.get(code)}
    gone = {name for code in differ & was.keys() for name in _referable(was[code])}
    there = {name for code in differ & now.keys() for name in _referable(now[code])}
    return None if gone - there or differ - now.keys() else differ


def _referable(product: Json) -> Iterator[tuple[str, str]]:
    """What other products may name of one: whatever in it has a name."""
    for part in product:
        yield from ((part, text(item, "name") or text(item, "key")) for __, item in objects(product, part))


def check(document: Json, known: Known, only: Collection[str] | None = None) -> Iterator[FieldError]:
    """Every rule of meaning that *document* breaks; safe on a document of any shape.

    :param only: codes of the products whose own rules are asked; what concerns all together always is
    """
    yield from _lines(document, ())
    yield from parameters.check(document, ("parameters",))
    yield from _products(document)
    yield from _dependencies(document, known)
    yield from _names(document, known)
    everyone = {text(app, "name") for __, product in objects(document, "products") for __, app in _apps(product)}
    everyone |= set(known.names)
    for at, product in objects(document, "products"):
        if only is not None and text(product, "code") not in only:
            continue
        path = ("products", at)
        yield from _lines(product, path)
        yield from parameters.check(product, (*path, "parameters"))
        yield from resources.check(product, path)
        yield from _release_order(product, path)
        for index, app in _apps(product):
            yield from application.check(app, (*path, "applications", index), everyone)


def _apps(product: Json) -> Iterator[tuple[int, Json]]:
    return objects(product, "applications")


def _lines(owner: Json, path: tuple[str | int, ...]) -> Iterator[FieldError]:
    for key in _LINES:
        value = text(owner, key)
        if len(value) > 256 or "\n" in value or "\r" in value:
            words = _("This must be one line of at most 256 characters.")
            yield FieldError(pointer(*path, key), words)


def _products(document: Json) -> Iterator[FieldError]:
    seen: set[str] = set()
    for at, product in objects(document, "products"):
        code = text(product, "code")
        if code and code in seen:
            words = _("The product code {code} is used twice.")
            yield FieldError(pointer("products", at, "code"), words.format(code=shown(code)))
        seen.add(code)


def _dependencies(document: Json, known: Known) -> Iterator[FieldError]:
    here = {text(product, "code"): text(product, "version") for __, product in objects(document, "products")}
    graph: dict[str, list[str]] = {}
    places: dict[str, str] = {}
    for at, product in objects(document, "products"):
        code = text(product, "code")
        places.setdefault(code, pointer("products", at, "dependencies"))
        for index, dependency in objects(product, "dependencies"):
            graph.setdefault(code, []).append(text(dependency, "product"))
            path = ("products", at, "dependencies", index)
            yield from _dependency(dependency, path, here, known)
    for circle in circles({code: graph.get(code, []) for code in here}):
        words = _("Products depend on each other in a circle: {cycle}")
        yield FieldError(places[circle[0]], words.format(cycle=arrows(circle)))


def _dependency(
    dependency: Json, path: tuple[str | int, ...], here: Mapping[str, str], known: Known
) -> Iterator[FieldError]:
    wanted, condition = text(dependency, "product"), text(dependency, "version")
    parsed = specifier(condition)
    if parsed is None:
        words = _("“{text}” is not a version condition such as >=2.40,<3.")
        yield FieldError(pointer(*path, "version"), words.format(text=shown(condition)))
    if not wanted:
        return
    version = here.get(wanted, known.products.get(wanted))
    if version is None:
        words = _("The product {code} is neither in this solution nor in the environment.")
        yield FieldError(pointer(*path, "product"), words.format(code=shown(wanted)))
    elif parsed is not None and not satisfies(version, parsed):
        words = _("{code} {version} does not meet the condition {text}.")
        yield FieldError(pointer(*path, "version"), words.format(code=wanted, version=shown(version), text=condition))


@dataclass(frozen=True)
class _Held:
    what: Text
    pointer: str


def _names(document: Json, known: Known) -> Iterator[FieldError]:
    """Names of objects in the cluster: unique in the environment, and not too long."""
    held: dict[str, _Held] = {}
    for at, product in objects(document, "products"):
        code = text(product, "code")
        for name, longest, holder in _names_of(product, at):
            if len(name) > longest:
                words = _("The cluster takes names of {most} characters at most; “{name}” has {n}.")
                yield FieldError(holder.pointer, words.format(most=longest, name=shown(name), n=len(name)))
            owner = known.names.get(name, code)
            if owner != code:
                words = _("{what} cannot have the name {name}: the product {owner} of the environment holds it.")
                yield FieldError(holder.pointer, words.format(what=holder.what, name=name, owner=owner))
            if name in held:
                words = _("{what} and {other} both need the name {name} in the cluster.")
                yield FieldError(holder.pointer, words.format(what=holder.what, other=held[name].what, name=name))
            else:
                held[name] = holder


def _names_of(product: Json, at: int) -> Iterator[tuple[str, int, _Held]]:
    code, cells = text(product, "code"), _cells_of(product)
    for index, app in _apps(product):
        name = text(app, "name")
        if not name:
            continue
        what = _("The application {name} of {code}").format(name=shown(name), code=code)
        holder = _Held(what, pointer("products", at, "applications", index, "name"))
        role = text(app, "role", "standard")
        stateful = text(app, "workload", "StatefulSet" if role == "standard" else "Job") == "StatefulSet"
        longest = MAX_STATEFULSET_NAME if stateful else MAX_NAME
        for workload in [f"{name}-{cell}" for cell in cells.get(name, ())] or [name]:
            yield workload, longest, holder
            if stateful:
                yield f"{workload}-headless", MAX_NAME + MAX_NAME, holder
        if name in cells:
            yield name, MAX_NAME, holder
    for index, balancer in objects(product, "loadBalancers"):
        if text(balancer, "name"):
            what = _("The load balancer {name} of {code}")
            what = what.format(name=shown(text(balancer, "name")), code=code)
            yield text(balancer, "name"), MAX_NAME, _Held(what, pointer("products", at, "loadBalancers", index, "name"))


def _cells_of(product: Json) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for __, group in objects(product, "scalingGroups"):
        names = dict.fromkeys(text(cell, "name") for __, cell in objects(group, "cells"))
        for __, app in texts(group, "applications"):
            found.setdefault(app, []).extend(names)
    return {app: list(dict.fromkeys(names)) for app, names in found.items() if names}


def _release_order(product: Json, path: tuple[str | int, ...]) -> Iterator[FieldError]:
    names = {text(app, "name"): index for index, app in _apps(product)}
    graph: dict[str, list[str]] = {name: [] for name in names}
    for index, app in _apps(product):
        for at, needed in texts(app, "dependsOn"):
            graph[text(app, "name")].append(needed)
            if needed not in names:
                words = _("There is no application {name} in this product.")
                place = pointer(*path, "applications", index, "dependsOn", at)
                yield FieldError(place, words.format(name=shown(needed)))
    for circle in circles(graph):
        words = _("Applications wait for each other in a circle: {cycle}")
        place = pointer(*path, "applications", names[circle[0]], "dependsOn")
        yield FieldError(place, words.format(cycle=arrows(circle)))
