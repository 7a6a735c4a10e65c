"""The headers of every answer: what browsers may do with it, how long it is kept, its trace."""

from __future__ import annotations

from flask import Response, request

from app import caller, site

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def add(response: Response) -> None:
    """Those that the answer does not have already."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if site.settings().secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static_file":
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers["traceparent"] = caller.traceparent()
