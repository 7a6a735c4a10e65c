"""Sites in this process, each served over HTTP on a port of its own: one with the IAM, others that use it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from tests import factories
from tests.live import NEXT, TOKEN, free_port

SECRET = "the-secret-of-the-other-site"


@dataclass
class Served:
    """A site that answers at ``url``."""

    app: Flask
    url: str
    server: BaseWSGIServer | None = None

    def get(self, path: str, session: Any = requests, **options: Any) -> requests.Response:
        """Ask for a path."""
        return session.get(f"{self.url}{path}", timeout=20, **options)  # type: ignore[no-any-return]

    def start(self) -> None:
        """Answer, in threads."""
        self.server = make_server("127.0.0.1", urlsplit(self.url).port or 0, self.app, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
        self.server = None

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Work in the site's application, with its own database; goes on when a site that uses it will have asked
        again.
        """
        from app.auth.snapshot import ASK_AGAIN_SECONDS
        from app.db import db

        with self.app.test_request_context(base_url=self.url):
            yield
            db.session.commit()
        time.sleep(ASK_AGAIN_SECONDS)


@contextmanager
def serve(folder: Path, redis_url: str, host: str = "127.0.0.1", port: int = 0, **environ: str) -> Iterator[Served]:
    """A site of its own. Another *host* name keeps its cookies apart, since cookies do not know ports."""
    from app.application import create_app
    from app.config import load_settings
    from app.db import db

    folder.mkdir(exist_ok=True)
    url = f"http://{host}:{port or free_port()}"
    settings = load_settings(
        {
            "ANTSTACK_DEMO": "1",
            "ANTSTACK_URL": url,
            "ANTSTACK_ALLOW_LOCAL_ADDRESSES": "1",
            "ANTSTACK_AUDIT_FOLDER": f"{folder}/audit",
            "DATABASE_URL": f"sqlite:///{folder}/site.db",
            "REDIS_URL": redis_url,
            **environ,
        }
    )
    made = Served(create_app(settings), url)
    with made.app.app_context():
        db.create_all()
    made.start()
    try:
        yield made
    finally:
        made.stop()
        with made.app.app_context():
            db.engine.dispose()


@dataclass
class Pair:
    """``iam`` has the people; ``other`` is a site without them. ``client_id`` is the other one's at the IAM."""

    iam: Served
    other: Served
    client_id: str
    tenant_id: str


@contextmanager
def paired(folder: Path, redis_url: str, *, site: bool = True, **environ: str) -> Iterator[Pair]:
    """A site of the plugins iam and openapi, and one of yunyou and openapi that uses it."""
    port = free_port()
    url = f"http://localhost:{port}"
    with serve(folder / "iam", f"{redis_url}?db=1", ANTSTACK_PLUGINS="iam,openapi") as iam:
        with iam.inside():
            tenant = factories.make_tenant()
            client = factories.make_oidc_client(tenant, SECRET, trusted=True, site=site, **addresses(url))
            known = {"OIDC_ISSUER": iam.url, "OIDC_CLIENT_ID": client.client_id, "OIDC_CLIENT_SECRET": SECRET}
            tenant_id = tenant.id
        plugins = {"ANTSTACK_PLUGINS": "yunyou,openapi"}
        with serve(folder / "other", f"{redis_url}?db=2", "localhost", port, **plugins, **known, **environ) as other:
            forget(other)
            yield Pair(iam, other, known["OIDC_CLIENT_ID"], tenant_id)


def addresses(url: str) -> dict[str, Any]:
    """What an OIDC client of the console at *url* is registered with."""
    return {
        "redirect_uris": [f"{url}/auth/callback"],
        "post_logout_uris": [f"{url}/signed-out"],
        "backchannel_uri": f"{url}/auth/backchannel-logout",
    }


def forget(site: Served) -> None:
    """Empty the site's Redis and what its process remembers of the IAM."""
    from app.auth.snapshot import EXTENSION
    from app.jobs.queue import connection

    site.app.extensions.pop(EXTENSION, None)
    with site.app.app_context():
        connection().flushdb()


def sign_in(
    url: str, login: str, path: str = "/", password: str = factories.PASSWORD
) -> tuple[requests.Session, requests.Response]:
    """Somebody at a browser who asks the site at *url* for a page and gives the password where it sends them.

    :returns: the browser, and the last answer
    """
    browser = requests.Session()
    page = browser.get(f"{url}{path}", timeout=20)
    fields = {"login": login, "password": password, "csrf_token": TOKEN.search(page.text)[1]}  # type: ignore[index]
    fields["next"] = NEXT.search(page.text)[1].replace("&amp;", "&")  # type: ignore[index]
    return browser, browser.post(f"{page.url.partition('/iam/')[0]}/iam/login", data=fields, timeout=20)
