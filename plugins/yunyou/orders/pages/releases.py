"""New orders: what is chosen, the preview of exactly what will be sent, and the order itself."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, request, url_for

from app.auth import decisions
from app.contracts.json import Json
from app.errors import ConsoleError
from app.guard import guard
from app.web.forms import check, whole_number
from app.web.problems import refuse
from app.web.render import go, render
from app.words import _
from plugins.yunyou import permissions
from plugins.yunyou.orders import previews
from plugins.yunyou.orders import service as orders
from plugins.yunyou.orders.api import api
from plugins.yunyou.orders.requests import OrderRequest
from plugins.yunyou.orders.rules import groups as rules
from plugins.yunyou.orders.rules import sequence
from plugins.yunyou.planning import tasks
from plugins.yunyou.planning.rules.difference import KIND_NAMES
from plugins.yunyou.solutions import service as solutions
from plugins.yunyou.solutions.service import document_of

bp = Blueprint("yunyou_releases", __name__, url_prefix="/yunyou/solutions/<solution_id>/orders")
STRATEGIES = tuple((code, rules.STRATEGY_NAMES[code]) for code in rules.STRATEGIES if code != "custom")
PER_APPLICATION = (("", _("As the order")), *list(rules.STRATEGY_NAMES.items())[1:])


@bp.get("/new")
@guard(permissions.ORDER_READ, resource=decisions.later)
def release_new(solution_id: str) -> Response:
    return _form(solution_id, request.args.getlist("product"), request.args.get("type", "release"), None)


def _form(
    solution_id: str, chosen: list[str], kind: str, error: ConsoleError | None, given: OrderRequest | None = None
) -> Response:
    solution = solutions.get_solution(solution_id)
    found = tasks.difference_of(solution)
    document = document_of(solution)
    layers = sequence.product_layers(sequence.dependencies_of(document.products))
    usual = [code for layer in layers for code in layer]
    sent = request.form.getlist("sequence") if request.form.get("sequenced") else usual
    products = []
    for code in sent if set(sent) == set(usual) else usual:
        product = document.product(code)
        assert product is not None
        mine = [task for task in found.tasks if task.product == code and task.order == kind]
        shown = [application for application in product.applications if application.role != "test"]
        products.append(
            {
                "product": product,
                "applications": shown,
                "tasks": mine,
                "chosen": code in chosen if chosen else bool(mine),
                "at": usual.index(code),
            }
        )
    return render(
        "yunyou/release_new.html",
        fragment="form",
        status=error.status if error else 200,
        solution=solution,
        products=products,
        kind=kind,
        strategies=STRATEGIES,
        per_application=PER_APPLICATION,
        error=error,
        given=given or OrderRequest(),
        advice=rules.advice("release"),
        kind_names=KIND_NAMES,
    )


def asked(solution_id: str) -> OrderRequest:
    """The order that the form of this request asks for.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    form = request.form
    wanted: Json = {
        "type": form.get("type", "release"),
        "solution": solution_id,
        "products": form.getlist("products"),
        "grouping": {"strategy": form.get("strategy", "recommended")},
        "beta": form.get("beta") == "1",
        "exclude": [key for key in form.getlist("known") if key not in form.getlist("include")],
        "force": form.getlist("force"),
        "acknowledge": form.getlist("acknowledge"),
        "adopt": form.getlist("adopt"),
        "name": form.get("name", ""),
        "preview": form.get("preview", ""),
    }
    codes = [code for code in form.getlist("sequence") if code in wanted["products"]]
    if form.get("sequenced") and codes:
        wanted["sequence"] = [[code] for code in codes]
    wishes: Json = {}
    for key in form.getlist("known"):
        strategy = form.get(f"grouping:{key}", "")
        if strategy:
            shares = _shares(form.get(f"shares:{key}", "")) if strategy == "custom" else None
            wishes[key] = {"grouping": {"strategy": strategy, "shares": shares}}
    wanted["applications"] = wishes
    wanted["exclude"] = [key for key in wanted["exclude"] if key.partition("/")[0] in wanted["products"]]
    return check(OrderRequest, wanted)


def _shares(typed: str) -> list[int] | None:
    """Whole percents out of ``10 30 60`` or ``10, 30, 60``; None if nothing was typed."""
    return [share for part in typed.replace(",", " ").split() if (share := whole_number(part)) is not None] or None


@bp.get("/groups")
@guard(permissions.ORDER_READ, resource=decisions.later)
def group_sizes(solution_id: str) -> Response:
    """What the typed shares of one application with ``?total=`` instances come to."""
    solutions.get_solution(solution_id)
    typed = next((value for name, value in request.args.items() if name.startswith("shares:")), "")
    try:
        sizes, error = rules.sizes(request.args.get("total", 0, type=int), "custom", _shares(typed)), None
    except ConsoleError as refused:
        sizes, error = [], refused
    return render("yunyou/_group_sizes.html", sizes=sizes, error=error)


@bp.post("/preview")
@api.guard("yunyou.orders.preview")
def release_preview(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    chosen: OrderRequest | None = None
    try:
        chosen = asked(solution_id)
        found = previews.preview(orders.draft(chosen))
    except ConsoleError as error:
        refuse(error)
        return _form(solution_id, request.form.getlist("products"), request.form.get("type", "release"), error, chosen)
    fields = [(key, value) for key in request.form if key != "csrf_token" for value in request.form.getlist(key)]
    return render(
        "yunyou/release_preview.html",
        solution=solution,
        preview=found,
        applications=previews.worst_first(found),
        fields=fields,
        request_=msgspec.to_builtins(chosen),
        error=None,
    )


@bp.post("")
@api.guard("yunyou.orders.create")
def release_create(solution_id: str) -> Response:
    try:
        order = orders.create(asked(solution_id))
    except ConsoleError as error:
        refuse(error)
        return _form(solution_id, request.form.getlist("products"), request.form.get("type", "release"), error)
    return go(url_for("orders.order_show", order_id=order.id), _("The order was created."))
