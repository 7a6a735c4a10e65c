"""Builds the application: settings, database, catalogue, routes, and the checks that stop a wrong start."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, abort, send_from_directory
from flask_login import LoginManager
from sqlalchemy.exc import ArgumentError
from werkzeug.middleware.proxy_fix import ProxyFix

import app.core.plugin as core
from app import catalogue, crypto, site
from app.auth import elsewhere, user
from app.config import Settings, SettingsError, load_plugin_settings, load_settings
from app.db import db, pool_for
from app.guard import public
from app.htmx import htmx
from app.services import EXTENSION
from app.web import compress, frame, language, lifecycle, metrics, problems
from app.web.language import STATIC

ROOT = Path(__file__).parent.parent
UPLOAD_LIMIT = 50 * 1024 * 1024
YEAR = 365 * 24 * 3600
DRIVERS = {"psycopg": "postgresql", "pymysql": "mysql"}  # by module: the extra of pyproject.toml that brings it
NAMED_DRIVERS = "begin it with postgresql+psycopg://, mysql+pymysql:// or sqlite:///"


class StartError(Exception):
    """The site is put together wrongly; the message names the part."""


def create_app(settings: Settings | None = None) -> Flask:
    """A console as *settings* say (the environment's by default).

    :raises SettingsError, PluginError, StartError: naming what stops the start
    """
    settings = settings or load_settings()
    crypto.use(settings.key_ring)
    app = Flask("antstack", template_folder=str(ROOT / "templates"), static_folder=None)
    app.config.update(
        SECRET_KEY=crypto.ring().derive("flask-session"),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=pool_for(settings.database_url, settings.threads),
        SESSION_COOKIE_NAME="__Host-antstack-form" if settings.secure else "antstack-form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure,
        MAX_CONTENT_LENGTH=UPLOAD_LIMIT + 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=UPLOAD_LIMIT + 1024 * 1024,
        MAX_FORM_PARTS=10_000,
    )
    app.json.sort_keys, app.json.ensure_ascii = False, False  # type: ignore[attr-defined]
    app.extensions[site.SETTINGS] = settings
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, *[settings.trusted_proxies] * 4)  # type: ignore[method-assign]
    _use_database(app)
    htmx.init_app(app)
    user.install(LoginManager(), app)
    found = catalogue.load(settings.plugins, core)
    app.extensions[site.CATALOGUE] = found
    app.extensions[site.PLUGIN_SETTINGS] = load_plugin_settings(found.settings, settings.source)
    app.extensions[EXTENSION] = {**elsewhere.directories(settings, found.services), **found.services}
    _mount(app, found)
    language.install(app)
    metrics.install(app)
    compress.install(app)
    lifecycle.install(app)
    problems.install(app)
    frame.install(app)
    found.manager.hook.register_app(app=app)
    check_routes(app)
    return app


def _use_database(app: Flask) -> None:
    """Make the engine of the settings' database.

    :raises SettingsError: its address is none, or its driver is not installed
    """
    try:
        db.init_app(app)
    except ModuleNotFoundError as error:
        extra = DRIVERS.get(error.name or "")
        how = f"install the console with its extra: pip install '.[{extra}]'" if extra else NAMED_DRIVERS
        raise SettingsError(f"DATABASE_URL needs the driver {error.name}, which is not installed; {how}") from error
    except ArgumentError as error:
        raise SettingsError(f"DATABASE_URL: {error}; {NAMED_DRIVERS}") from error


def _mount(app: Flask, found: catalogue.Catalogue) -> None:
    for blueprint in found.blueprints:
        app.register_blueprint(blueprint)
    for api in found.apis:
        app.register_blueprint(api.blueprint())
    app.add_url_rule("/static/<fingerprint>/<path:path>", "static_file", _static_file)


@public("files of the console, the same for everybody", csrf=False, session=False)
def _static_file(fingerprint: str, path: str) -> Response:
    """A file of ``app/static``; its address changes with its content, so browsers keep it for ever."""
    if len(fingerprint) != 10:
        abort(404)
    response = send_from_directory(STATIC, path, max_age=YEAR)
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response


def check_routes(app: Flask) -> None:
    """Refuse to start with a route, WebSockets too, that does not say who may call it or what of it is recorded (C-20,
    C-30).

    :raises StartError: naming the route and what it lacks
    """
    known = app.extensions[site.CATALOGUE].permissions
    for rule in app.url_map.iter_rules():
        mark = getattr(app.view_functions[rule.endpoint], "guard", None)
        if mark is None:
            raise StartError(f"{rule.endpoint} says not who may call it: add @guard, or @public with a reason")
        if mark.permission is None and not mark.reason:
            raise StartError(f"{rule.endpoint} is public without a reason")
        if mark.permission is not None and mark.permission.name not in known:
            raise StartError(f"{rule.endpoint} asks for {mark.permission.name}, which no plugin declares")
        if (rule.methods or set()) & lifecycle.WRITES and mark.audit is None and not mark.reason:
            raise StartError(f"{rule.endpoint} changes something and records nothing: name an audit operation")
