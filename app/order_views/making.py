"""What makes an order is declared once: an operation of the API that answers it, and what a button of pages sends."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import Blueprint, Response, url_for

from app.contracts.declarations import Permission
from app.db import db
from app.errors import ConsoleError, ErrorCode
from app.guard import Operation, ResourceOf, guard
from app.order_views.api import shape_of
from app.order_views.shapes import OrderOut
from app.orders.models import Order
from app.web.api import Api, accepted, dry_run
from app.web.forms import parse
from app.web.problems import refuse
from app.web.render import go
from app.words import Text, _

MADE = _("The order is made.")
F = TypeVar("F", bound=Callable[..., Order])


def makes_order(
    api: Api,
    pages: Blueprint,
    place: str,
    noun: str,
    verb: str,
    title: Text,
    audit: Operation,
    *,
    permission: Permission,
    resource: ResourceOf | None = None,
    errors: Sequence[ErrorCode] = (),
    preview: Callable[..., Any] | None = None,
    again: Callable[..., Response] | None = None,
) -> Callable[[F], F]:
    """The function makes an order of what *place* names, and of its ``body``, a Struct, if it takes one.

    ``POST {place}/{verb}`` is both: in the API as ``{area}.{noun}s.{verb}``, or ``{area}.{verb}`` where the area is
    called after the noun; on pages as ``{noun}_{verb}_send``, which leads to the page of the order.

    :param preview: what it would do, which the API answers to ``GET``
    :param again: the page that asks, given the ``error`` that refused it; without one, an error has a page of its own
    """

    def declare(make: F) -> F:
        hints = {name: hint for name, hint in inspect.get_annotations(make, eval_str=True).items() if name != "return"}
        body, path = hints.get("body"), f"{place}/{verb}"

        def made(**given: Any) -> Order:
            order = make(**given)
            db.session.flush()
            return order

        def answer(**given: Any) -> Response:
            order = made(**given)
            return accepted(shape_of(order), "" if dry_run() else f"/api/v1/orders/{order.id}")

        def send(**ids: str) -> Response:
            try:
                order = made(**ids, **({"body": parse(body)} if body else {}))
            except ConsoleError as error:
                if again is None:
                    raise
                refuse(error)
                return again(**ids, error=error)
            return go(url_for("orders.order_show", order_id=order.id), MADE)

        answer.__annotations__ = hints
        shapes: dict[str, Any] = {"body": body, "returns": OrderOut, "status": 202, "resource": resource}
        id = f"{api.area}.{verb}" if api.area == f"{noun}s" else f"{api.area}.{noun}s.{verb}"
        api.operation("POST", path, id, title, permission, audit=audit, errors=errors, **shapes)(answer)
        view = guard(permission, audit=audit, resource=resource)(send)
        pages.add_url_rule(path.removeprefix(pages.url_prefix or ""), f"{noun}_{verb}_send", view, methods=["POST"])
        if preview is not None:
            returns = inspect.get_annotations(preview, eval_str=True)["return"]
            shown: dict[str, Any] = {"returns": returns, "errors": errors, "resource": resource}
            api.operation("GET", path, f"{id}.preview", _("Preview: {title}").format(title=title), permission, **shown)(
                preview
            )
        return make

    return declare
