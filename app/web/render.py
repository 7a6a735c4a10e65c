"""Pages and fragments: one template, and HTMX gets the block that the view names."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import Response, current_app, g, make_response, redirect, request

from app.htmx import htmx
from app.web.language import t
from app.words import Text

ALONE = "layouts/alone.html"
HEADING = re.compile(r"<h2[^>]*>(.*?)</h2>", re.S)


def wants_fragment() -> bool:
    """Whether HTMX asked for a part of the page (not a boosted link, not a history restore)."""
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render(template: str, fragment: str | None = None, status: int = 200, **context: Any) -> Response:
    """The page, or only its block *fragment* when HTMX asked for it.

    A template whose name begins with ``_`` is a part, such as a dialog; opened by its own address it stands in the
    frame.
    """
    environment = current_app.jinja_env
    chosen = environment.get_template(template)
    values = dict(context)
    current_app.update_template_context(values)
    if fragment and wants_fragment():
        body = "".join(chosen.blocks[fragment](chosen.new_context(values)))
    else:
        body = chosen.render(values)
        if template.rpartition("/")[2].startswith("_") and _navigated():
            heading = HEADING.search(body)
            values |= {"heading": heading[1] if heading else "", "part": body}
            body = environment.get_template(ALONE).render(values)
    response = make_response(body, status)
    response.headers["Vary"] = "HX-Request, Cookie, Accept-Language"
    return response


def _navigated() -> bool:
    """Whether the browser opens this address as a page, such as a dialog's in a tab of its own."""
    return not wants_fragment() and "text/html" in request.headers.get("Accept", "")


def go(url: str, message: Text | None = None, kind: str = "success") -> Response:
    """Send the browser on after a change, with a message that it shows there."""
    if htmx:
        response = make_response("", 204)
        response.headers["HX-Redirect"] = url
    else:
        response = make_response(redirect(url, 303))
    if message is not None:
        g.flash = {"kind": kind, "text": t(message)}
    return response


def trigger(response: Response, events: dict[str, Any]) -> Response:
    """Have HTMX dispatch these events, too: by name what they carry."""
    response.headers["HX-Trigger"] = json.dumps({**json.loads(response.headers.get("HX-Trigger", "{}")), **events})
    return response


def toast(response: Response, message: Text, kind: str = "success", link: tuple[str, Text] | None = None) -> Response:
    """Show a message over the page that stays; *link*, an address and its words, opens in a tab of its own."""
    linked = {"href": link[0], "label": t(link[1])} if link else {}
    return trigger(response, {"toast": {"kind": kind, "text": t(message), **linked}})


def refresh(message: Text | None = None, event: str = "changed") -> Response:
    """Nothing to swap: tell the page that something changed, so that its parts fetch themselves anew."""
    response = trigger(make_response("", 204), {event: True})
    return toast(response, message) if message else response


def dialog_done(message: Text, event: str = "changed") -> Response:
    """Close the open dialog, say what was done and let the page refresh itself."""
    return trigger(refresh(message, event), {"close-dialog": True})
