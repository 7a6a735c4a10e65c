"""The cookie of a session: one shape for the console's session and the provider's."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request

from app import site


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """A cookie that holds a session's token: out of scripts' reach, for this host alone."""

    plain: str

    @property
    def name(self) -> str:
        """``__Host-`` where the site is reached over TLS."""
        return f"__Host-{self.plain}" if site.settings().secure else self.plain

    def read(self) -> str:
        """The token that the browser sent, or nothing."""
        return request.cookies.get(self.name, "")

    def give(self, response: Response, token: str) -> Response:
        """Give the browser its token."""
        settings = site.settings()
        response.set_cookie(
            self.name,
            token,
            max_age=settings.session_hours * 3600,
            httponly=True,
            secure=settings.secure,
            samesite="Lax",
            path="/",
        )
        return response

    def take(self, response: Response) -> Response:
        """Take the token away from the browser."""
        response.delete_cookie(self.name, path="/", secure=site.settings().secure, httponly=True, samesite="Lax")
        return response
