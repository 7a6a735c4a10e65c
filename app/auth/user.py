"""Flask-Login's view of the caller. Sessions are ours (server-side rows); Flask-Login's own cookies are not used."""

from __future__ import annotations

from flask import Flask
from flask_login import LoginManager, UserMixin

from app import caller
from app.contracts.identity import Principal


class SignedIn(UserMixin):
    """The caller as ``flask_login.current_user``."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.id = principal.key


def install(manager: LoginManager, app: Flask) -> None:
    """Answer ``current_user`` from the caller that the request's session or credentials proved."""
    manager.session_protection = None
    manager.init_app(app)

    @manager.request_loader
    def _load(_request: object) -> SignedIn | None:
        principal = caller.current().principal
        return SignedIn(principal) if principal else None
