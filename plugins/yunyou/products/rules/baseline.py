"""The baseline: what truly runs, as a document; how orders change it, how it leaves and returns (guide 2.7)."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from app.contracts.json import Json
from plugins.yunyou.documents.application import Scalar
from plugins.yunyou.documents.references import Malformed, Reference, parse
from plugins.yunyou.documents.solution import BASELINE_SCHEMA

Document = Json

# A release leaves these of an application that runs already: they belong to operation orders.
OPERATED = ("replicas", "resources")
# What the cluster knows nothing of is taken over even where nothing is sent.
_ARRANGED = ("dependsOn", "strategy", "task")


def empty(name: str) -> Document:
    """The baseline of an environment in which nothing runs yet; not exportable until something does."""
    return {"schema": BASELINE_SCHEMA, "name": name, "version": "1", "products": []}


def exported(baseline: Document, environment: Json, at: str) -> Document:
    """The baseline as a file: with the environment and time of export, and without the values of secrets.

    :param at: RFC 3339 in UTC
    """
    made = copy.deepcopy(baseline)
    for _, parameter in named_parameters(made):
        if parameter.get("type") == "secret" and not _refers_only(parameter.get("value")):
            parameter.pop("value", None)
    return {**made, "schema": BASELINE_SCHEMA, "environment": dict(environment), "exportedAt": at}


def _refers_only(value: Any) -> bool:
    """Whether a value is nothing but references, so that it gives nothing away."""
    try:
        return isinstance(value, str) and all(isinstance(piece, Reference) for piece in parse(value))
    except Malformed:
        return False


def with_values(document: Document, values: Mapping[str, Scalar | None]) -> Document:
    """The document with the values in effect by parameter name (``global.KEY``, ``product.CODE.param.KEY``,
    ``CODE/app.KEY``); None takes a value away."""
    made = copy.deepcopy(document)
    for name, parameter in named_parameters(made):
        if name in values:
            value = values[name]
            parameter.pop("value", None)
            if value is not None:
                parameter["value"] = value
    return made


def released(baseline: Document, solution: Document, code: str, applications: Collection[str]) -> Document:
    """The baseline after a release of some applications of a product succeeded.

    Applications that ran before keep their replicas and size, which operation orders change. Tests become due
    again when the version changes. Give the solution with its values in effect (:func:`with_values`).
    """
    made = copy.deepcopy(baseline)
    wanted = copy.deepcopy(product_of(solution, code))
    assert wanted is not None
    before = product_of(made, code)
    kept = {app["name"]: app for app in before["applications"]} if before else {}
    if before and before["version"] != wanted["version"]:
        kept = {name: app for name, app in kept.items() if app.get("role") != "test"}
    now = dict(kept)
    for app in wanted["applications"]:
        if app["name"] in applications:
            now[app["name"]] = _taking(app, kept.get(app["name"]), OPERATED)
        elif app["name"] in kept:
            now[app["name"]] = _taking(kept[app["name"]], app, _ARRANGED)
    if not now:
        return made
    order = [app["name"] for app in wanted["applications"] if app["name"] in now]
    names = [*order, *(name for name in now if name not in order)]
    _put(made["products"], {**wanted, "applications": [now[name] for name in names]}, "code")
    for parameter in solution.get("parameters", ()):
        _put(made.setdefault("parameters", []), copy.deepcopy(parameter), "key")
    return made


def operated(baseline: Document, code: str, application: str, **fields: Any) -> Document:
    """The baseline after an operation order changed fields of an application, such as ``replicas`` or ``resources``."""
    made = copy.deepcopy(baseline)
    for app in (product_of(made, code) or {"applications": []})["applications"]:
        if app["name"] == application:
            app.update(copy.deepcopy(fields))
    return made


def removed(baseline: Document, code: str, applications: Collection[str] | None = None) -> Document:
    """The baseline without a product, or without some of its applications and what was only for them; a product
    without any goes too."""
    made = copy.deepcopy(baseline)
    kept = []
    for product in made["products"]:
        if product["code"] == code:
            apps = product["applications"] if applications is not None else []
            product["applications"] = [app for app in apps if app["name"] not in (applications or ())]
            _forget(product, applications or ())
        if product["applications"]:
            kept.append(product)
    return {**made, "products": kept}


def _forget(product: Document, applications: Collection[str]) -> None:
    """Take what refers to *applications* out of a product that has them no more."""
    balancers = product.get("loadBalancers", [])
    balancers[:] = [balancer for balancer in balancers if balancer["application"] not in applications]
    groups = product.get("scalingGroups", [])
    for owner, key in (
        *((app, "dependsOn") for app in product["applications"]),
        *((item, "applications") for item in (*product.get("databases", ()), *groups)),
    ):
        if key in owner:
            owner[key] = [name for name in owner[key] if name not in applications]
    groups[:] = [group for group in groups if group["applications"]]


def _taking(app: Document, source: Document | None, names: Iterable[str]) -> Document:
    """*app* with the named fields as *source* has them (or lacks them)."""
    if source is None:
        return app
    made = {key: value for key, value in app.items() if key not in names}
    return {**made, **{name: source[name] for name in names if name in source}}


def _put(items: list[Document], item: Document, key: str) -> None:
    for at, other in enumerate(items):
        if other[key] == item[key]:
            items[at] = item
            return
    items.append(item)


def product_of(document: Document, code: str) -> Document | None:
    """A product of a document by its code."""
    return next((product for product in document["products"] if product["code"] == code), None)


def application_of(document: Document, code: str, name: str) -> Document | None:
    """An application of a document by its product's code and its own name."""
    product = product_of(document, code)
    return next((app for app in product["applications"] if app["name"] == name), None) if product else None


def named_parameters(document: Document) -> Iterable[tuple[str, Document]]:
    """Every parameter of a document with its name, as :func:`with_values` has them."""
    for parameter in document.get("parameters", ()):
        yield f"global.{parameter['key']}", parameter
    for product in document["products"]:
        for parameter in product.get("parameters", ()):
            yield f"product.{product['code']}.param.{parameter['key']}", parameter
        for app in product["applications"]:
            for parameter in app.get("parameters", ()):
                yield f"{product['code']}/{app['name']}.{parameter['key']}", parameter
