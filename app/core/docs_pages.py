"""The API for people: every operation of this site, searchable."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, request, url_for

from app import site
from app.guard import public, signed_in
from app.web import openapi
from app.web.api import BASE
from app.web.render import render

bp = Blueprint("docs", __name__)


@bp.get("/api/docs")
@signed_in("the same for everybody")
def api_docs() -> Response:
    wanted = request.args.get("q", "").strip().lower()
    groups: dict[str, list[object]] = {}
    described = openapi.document()
    for title, operation in openapi.operations():
        text = f"{operation.id} {operation.path} {operation.summary.en} {operation.summary.zh}".lower()
        if wanted in text:
            path = BASE + openapi.ARGUMENT.sub(r"{\1}", operation.path)
            shown = {
                "operation": operation,
                "path": path,
                "described": described["paths"][path][operation.method.lower()],
            }
            groups.setdefault(title.en, []).append({**shown, "area": title})
    return render("core/api_docs.html", fragment="operations", groups=groups, q=wanted, base=site.settings().url)


@bp.get("/api")
@public("only leads to the documentation")
def api_root() -> Response:
    return make_response(redirect(url_for("docs.api_docs"), 303))
