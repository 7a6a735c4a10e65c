"""Responses compressed with gzip where the browser takes it and it is worth it (Q-8)."""

from __future__ import annotations

import gzip
from functools import lru_cache

from flask import Flask, Response, request

WORTH = 800
TYPES = ("text/", "application/json", "application/problem+json", "application/javascript", "image/svg+xml")
LEVEL = 5


def install(app: Flask) -> None:
    """Compress the responses of *app*; streams are left alone."""

    @app.after_request
    def _compress(response: Response) -> Response:
        wanted = request.accept_encodings.quality("gzip") > 0
        kind = response.mimetype or ""
        if not wanted or response.is_streamed and not response.direct_passthrough or not kind.startswith(TYPES):
            return response
        if (
            "Content-Encoding" in response.headers
            or response.status_code in (204, 206, 304)
            or request.method == "HEAD"
        ):
            return response
        response.direct_passthrough = False
        body = response.get_data()
        if len(body) < WORTH:
            return response
        packed = (
            _asset(request.path, body) if request.endpoint == "static_file" else gzip.compress(body, LEVEL, mtime=0)
        )
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add("Vary", "Accept-Encoding")
        return response


@lru_cache(maxsize=256)
def _asset(_path: str, body: bytes) -> bytes:
    """A file of ``app/static``, compressed once: its address tells its content."""
    return gzip.compress(body, 9, mtime=0)
