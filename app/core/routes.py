"""Start page, search, error catalogue, health and metrics."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, make_response, redirect, request, url_for
from sqlalchemy import text

from app import schema, site
from app.auth import decisions
from app.contracts.declarations import Found
from app.core import readiness
from app.db import db
from app.guard import public, signed_in
from app.jobs.queue import connection
from app.web import metrics
from app.web.frame import Frame
from app.web.language import t
from app.web.render import render
from app.words import Text, _

bp = Blueprint("core", __name__)
PAGE = _("Page")


@bp.get("/")
@signed_in("start page: what each item shows asks for its own permission")
def home() -> Response:
    found = site.catalogue()
    items = [item for item in found.checklist if decisions.allows(item.permission)]
    steps = [(item, item.done()) for item in items]
    if steps and all(done for __, done in steps):
        first = next((group.items[0] for group in Frame().nav), None)
        if first is not None and "checklist" not in request.args:
            return make_response(redirect(first.url, 303))
    return render("core/home.html", fragment="steps", steps=steps)


@bp.get("/search")
@signed_in("each kind of object asks for its own permission")
def search() -> Response:
    wanted = request.args.get("q", "").strip()
    groups: dict[Text, list[dict[str, str]]] = {}
    for hit in find(wanted):
        groups.setdefault(hit.kind, []).append({"title": hit.title, "url": hit.url, "note": hit.detail})
    shown = [{"title": kind, "items": items} for kind, items in groups.items()]
    if request.headers.get("HX-Target") == "palette-list":
        return render("core/_found.html", groups=shown, q=wanted)
    return render("core/search.html", fragment="found", groups=shown, q=wanted)


def find(wanted: str, limit: int = 8) -> list[Found]:
    """Pages and objects that the caller may see whose name holds *wanted*, a few of each kind."""
    found = _pages(wanted)
    for provider in site.catalogue().search:
        if wanted and decisions.allows(provider.permission):
            found += provider.find(wanted, limit)
    return found


def _pages(wanted: str) -> list[Found]:
    items = [item for item in site.catalogue().nav if decisions.allows(item.permission)]
    words = wanted.lower()
    matching = [item for item in items if any(words in title.lower() for title in item.title.in_all().values())]
    return [Found(PAGE, t(item.title), url_for(item.endpoint)) for item in matching[:8]]


@bp.get("/errors")
@signed_in("the same for everybody")
def error_list() -> Response:
    wanted = request.args.get("q", "").strip().lower()
    errors = [
        error
        for error in sorted(site.catalogue().errors.values(), key=lambda e: e.code)
        if wanted in f"{error.code} {error.reason} {t(error.reason)}".lower()
    ]
    return render("core/errors.html", fragment="rows", errors=errors, q=wanted)


@bp.get("/healthz")
@public("tells only that the process is alive", csrf=False)
def healthz() -> Response:
    return make_response({"status": "ok"})


@bp.get("/readyz")
@public("tells only whether the site can serve", csrf=False)
def readyz() -> Response:
    checks = readiness.answers({"database": _database, "redis": _redis, "migrations": schema.is_current})
    ready = checks["database"] and checks["migrations"]
    return make_response({"status": "ok" if ready else "not ready", "checks": checks}, 200 if ready else 503)


@bp.get("/metrics")
@public("numbers for Prometheus, to whoever sends the token of the settings", csrf=False, session=False)
def numbers() -> Response:
    metrics.need_token()
    response = make_response(metrics.text(current_app))
    response.mimetype = "text/plain"
    return response


def _database() -> bool:
    return bool(db.session.scalar(text("SELECT 1")) == 1)


def _redis() -> bool:
    return bool(connection().ping())
