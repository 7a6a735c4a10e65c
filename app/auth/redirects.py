"""Where a browser is sent that has to sign in, and where it may be sent back to."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, g, make_response, redirect, request, url_for

from app.htmx import htmx


def sign_in_redirect() -> Response:
    """To the sign-in page, or to the chooser when only the tenant is missing; HTMX is told to leave the page."""
    target = url_for("auth.choose") if g.get("session_row") else url_for("auth.login", next=_here())
    if htmx:
        response = make_response("", 401)
        response.headers["HX-Redirect"] = target
        return response
    return make_response(redirect(target, 303))


def _here() -> str:
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def local_path(target: str) -> str:
    """*target* if it is a path of this site, else the start page: no open redirect."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    plain = not parts.scheme and not parts.netloc and target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if plain and "\\" not in target else "/"
