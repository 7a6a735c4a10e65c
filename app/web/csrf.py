"""The token that shows that a change comes from a page of ours (CSRF)."""

from __future__ import annotations

import secrets

from flask import Response, g, request

from app import caller, crypto, site
from app.errors import CSRF, OTHER_SESSION
from app.web.problems import OF_NEW_SESSION
from app.web.render import wants_fragment

BROWSER = "antstack-browser"  # with __Host- under TLS
KEPT = 86400 * 400  # seconds


def csrf_token() -> str:
    """The token that every form and HTMX request of this browser carries; another in each answer, so that sizes of
    compressed answers tell nothing of it (CVE-2013-3587, BREACH).
    """
    number = g.setdefault("csrf_number", secrets.token_hex(8))
    return f"{number}.{crypto.ring().sign('csrf', f'{number}.{_browser()}')}"


def need_token() -> None:
    """The form or the HTMX request carries this browser's token.

    :raises ConsoleError: CORE/CSRF, or CORE/OTHER_SESSION where the person signed in anew meanwhile
    """
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    number, __, signature = given.partition(".")
    if not crypto.ring().verify("csrf", f"{number}.{_browser()}", signature):
        raise OTHER_SESSION(extra={OF_NEW_SESSION: csrf_token()}) if "session_row" in g and wants_fragment() else CSRF()


def name_browser(response: Response) -> None:
    """Give a browser that has no session the name that its token was made for."""
    if "new_browser" in g:
        secure = site.settings().secure
        response.set_cookie(_cookie(), g.new_browser, httponly=True, samesite="Lax", secure=secure, max_age=KEPT)


def _browser() -> str:
    """The session, or the browser before there is one: apart, as anybody may give a browser the name of somebody's
    session.
    """
    if session_id := caller.current().session_id:
        return f"session/{session_id}"
    return f"browser/{request.cookies.get(_cookie()) or g.setdefault('new_browser', secrets.token_urlsafe(16))}"


def _cookie() -> str:
    return f"__Host-{BROWSER}" if site.settings().secure else BROWSER
