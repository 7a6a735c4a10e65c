"""Two sites in this process, each served over HTTP on a port of its own: one with the IAM, one that uses it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

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
    server: BaseWSGIServer

    def get(self, path: str, session: Any = requests, **options: Any) -> requests.Response:
        """Ask for a path."""
        return session.get(f"{self.url}{path}", timeout=20, **options)  # type: ignore[no-any-return]

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Work in the site's application, with its own database; goes on when a site that uses it will have asked again."""
        from app.auth.snapshot import ASK_AGAIN_SECONDS
        from app.db import db

        with self.app.test_request_context(base_url=self.url):
            yield
            db.session.commit()
        time.sleep(ASK_AGAIN_SECONDS)


@contextmanager
def serve(folder: Any, redis_url: str, host: str = "127.0.0.1", port: int = 0, **environ: str) -> Iterator[Served]:
    """A site of its own. Another *host* name keeps its cookies apart, since cookies do not know ports."""
    from app.application import create_app
    from app.config import load_settings
    from app.db import db

    port = port or free_port()
    folder.mkdir(exist_ok=True)
    url = f"http://{host}:{port}"
    settings = load_settings(
        {
            "ANTSTACK_DEMO": "1", "ANTSTACK_URL": url, "ANTSTACK_DATA_DIR": str(folder), "ANTSTACK_ALLOW_LOCAL_ADDRESSES": "1",
            "DATABASE_URL": f"sqlite:///{folder}/site.db", "REDIS_URL": redis_url, **environ,
        }
    )  # fmt: skip
    app = create_app(settings)
    with app.app_context():
        db.create_all()
    server = make_server("127.0.0.1", port, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Served(app, url, server)
    finally:
        server.shutdown()
        server.server_close()
        with app.app_context():
            db.engine.dispose()


def sign_in(site: Served, login: str, path: str = "/") -> tuple[requests.Session, requests.Response]:
    """Somebody at a browser who asks *site* for a page and gives the password where the site sends them.

    :returns: the browser, and the last answer
    """
    browser = requests.Session()
    page = site.get(path, browser)
    fields = {"login": login, "password": factories.PASSWORD, "csrf_token": TOKEN.search(page.text)[1]}  # type: ignore[index]
    fields["next"] = NEXT.search(page.text)[1].replace("&amp;", "&")  # type: ignore[index]
    where = page.url.partition("/iam/")[0]
    return browser, browser.post(f"{where}/iam/login", data=fields, timeout=20)
