"""How an order changes a baseline: products as released, fields of applications, whole products exchanged."""

from __future__ import annotations

from collections.abc import Collection

from plugins.yunyou.products.rules.baseline import Document, operated, released, removed


def changed(before: Document, change: Document, codes: Collection[str]) -> Document:
    """The baseline *before* with an order's *change* made for these products.

    ``change["kind"]`` is ``release`` (with ``document`` and the keys ``applications``), ``operate`` (with ``fields``
    by key and the keys ``removed``) or ``replace`` (with ``products`` by code); keys are ``PRODUCT/app``.
    """
    made = before
    if change["kind"] == "release":
        for code in sorted(codes):
            names = [key.partition("/")[2] for key in change["applications"] if key.startswith(f"{code}/")]
            made = released(made, change["document"], code, names)
    elif change["kind"] == "operate":
        made = _operated(made, change, codes)
    else:
        for code in codes:
            product = change["products"].get(code)
            if product is not None:
                made = _replaced(made, code, product)
    return made


def _operated(made: Document, change: Document, codes: Collection[str]) -> Document:
    for key, fields in change["fields"].items():
        code, _, name = key.partition("/")
        if code in codes and fields:
            made = operated(made, code, name, **fields)
    for key in change.get("removed", ()):
        code, _, name = key.partition("/")
        if code in codes:
            made = removed(made, code, [name])
    return made


def _replaced(document: Document, code: str, product: Document) -> Document:
    made = removed(document, code)
    if product["applications"]:
        made["products"] = [*made["products"], product]
    order = {p["code"]: at for at, p in enumerate(document["products"])}
    made["products"].sort(key=lambda p: order.get(p["code"], len(order)))
    return made
