"""The style guide: every component with its variants, on sample data (C-58)."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, request

from app.guard import public
from app.styleguide_samples import listing, samples
from app.web.render import render
from app.words import _

bp = Blueprint("styleguide", __name__)
SAMPLE = "design reference, no data"

SECTIONS = (
    ("words", _("Type and colour")),
    ("buttons", _("Buttons and menus")),
    ("status", _("Status")),
    ("alerts", _("Alerts and empty states")),
    ("cards", _("Cards, facts, tabs")),
    ("table", _("List")),
    ("folds", _("Folds")),
    ("form", _("Forms")),
    ("choosing", _("Choosing and sending")),
    ("overlays", _("Dialog, drawer, toast")),
    ("wizard", _("Wizard and progress")),
    ("order", _("Tree and pods")),
    ("charts", _("Charts")),
    ("code", _("Code, diff, log, terminal")),
    ("timeline", _("Timeline and approval")),
)


@bp.get("/styleguide")
@public(SAMPLE)
def styleguide() -> Response:
    """Every component with its variants."""
    return render("core/styleguide.html", sections=SECTIONS, **samples())


@bp.get("/styleguide/list")
@public(SAMPLE)
def styleguide_list() -> Response:
    """The sample list again, as a list page answers HTMX."""
    return render("core/_styleguide_rows.html", listing=listing())


@bp.get("/styleguide/part/<name>")
@public(SAMPLE)
def styleguide_part(name: str) -> Response:
    """What a dialog or drawer of the style guide fetches."""
    part = name if name in ("dialog", "delete", "drawer") else "dialog"
    return render("core/_styleguide_part.html", part=part, **samples())


@bp.get("/styleguide/lines")
@public(SAMPLE)
def styleguide_lines() -> Response:
    """A few more lines of the sample log."""
    after = request.args.get("after", 0, type=int)
    words = ("started", "probe answered 200", "session opened", "cache warmed")
    text = "".join(f"line {after + i} INFO  gateway {words[(after + i) % 4]}\n" for i in range(2))
    response = make_response(text, 286 if after > 40 else 200)
    response.headers["X-Next"] = str(after + 2)
    response.mimetype = "text/plain"
    return response
