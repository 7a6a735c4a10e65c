"""The API for people: every operation of this site, searchable."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, request, url_for

from app import site
from app.errors import NOT_FOUND
from app.guard import public, signed_in
from app.web import openapi
from app.web.api import ApiOperation
from app.web.language import t
from app.web.render import render
from app.words import Text, _

bp = Blueprint("docs", __name__)


@bp.get("/api/docs")
@signed_in("the same for everybody")
def api_docs() -> Response:
    wanted = request.args.get("q", "").strip().lower()
    groups: dict[str, list[ApiOperation]] = {}
    areas: dict[str, Text] = {}
    for area, operation in openapi.operations():
        if wanted in f"{operation.id} {operation.path} {operation.summary} {t(operation.summary)}".lower():
            areas[str(area)] = area
            groups.setdefault(str(area), []).append(operation)
    return render(
        "core/api_docs.html",
        fragment="operations",
        groups=groups,
        areas=areas,
        path_of=openapi.path_of,
        q=wanted,
        base=site.settings().url,
    )


@bp.get("/api/docs/<operation_id>")
@signed_in("the same for everybody")
def api_operation(operation_id: str) -> Response:
    operation = next((known for __, known in openapi.operations() if known.id == operation_id), None)
    if operation is None:
        raise NOT_FOUND(what=_("operation"))
    described = openapi.described(operation)
    return render(
        "core/api_operation.html",
        operation=operation,
        path=openapi.path_of(operation),
        described=described,
        shapes=openapi.shapes_of(described),
        base=site.settings().url,
    )


@bp.get("/api")
@public("only leads to the documentation")
def api_root() -> Response:
    return make_response(redirect(url_for("docs.api_docs"), 303))
