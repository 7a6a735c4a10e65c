"""Browsers in which somebody signed in before: their attempts count apart, so that a stranger's guesses lock nobody
out.

The cookie names the account and the browser, signed; it proves nothing but that somebody
was signed in here once (OWASP, "Slow down online guessing attacks with device cookies").
"""

from __future__ import annotations

import secrets

from flask import Response, request

from app import crypto, site

PLAIN = "antstack-known"
SECONDS = 400 * 86400


def account_of(login: str) -> str:
    """What attempts at *login* from this browser are counted as: the browser's own where it is known, else
    everybody's.
    """
    login = login.strip().lower()
    browser, _, mark = request.cookies.get(_name(), "").partition(".")
    if browser and crypto.ring().verify("known-browser", f"{login} {browser}", mark):
        return f"{login} {browser}"
    return login


def remember(response: Response, login: str) -> Response:
    """Let this browser be known for *login*."""
    browser = secrets.token_urlsafe(16)
    mark = crypto.ring().sign("known-browser", f"{login.strip().lower()} {browser}")
    response.set_cookie(
        _name(),
        f"{browser}.{mark}",
        max_age=SECONDS,
        httponly=True,
        samesite="Lax",
        secure=site.settings().secure,
        path="/",
    )
    return response


def _name() -> str:
    return f"__Host-{PLAIN}" if site.settings().secure else PLAIN
