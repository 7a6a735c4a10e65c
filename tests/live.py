"""A whole site as its users meet it: ``antstack demo`` in a folder of its own."""

from __future__ import annotations

import contextlib
import html
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parent.parent
READY_SECONDS = 90
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
SIGNING_IN = re.compile(r"/login|/oauth/|/auth/callback")
NEXT = re.compile(r'name="next" value="([^"]*)"')


class LiveSite:
    """A running demo. ``site`` is its ``site.json``, ``said`` what it printed until it was ready."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        plugins: Sequence[str] = (),
        database: str = "",
        port: int = 0,
        settings: Mapping[str, str] | None = None,
        program: str = "",
    ) -> None:
        """:param program: the path of an ``antstack`` that was installed somewhere, instead of this repository's."""
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        root = folder.parent if program else ROOT
        command = [
            *([program] if program else [sys.executable, "-m", "app.cli"]),
            "demo",
            "--port",
            str(self.port),
            "--dir",
            str(folder),
            *arguments,
        ]
        self.log = (folder.parent / f"{folder.name}.log").open("w+")
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("ANTSTACK_", "DATABASE_URL", "REDIS_URL", "OIDC_"))
        }
        wanted = {"ANTSTACK_PLUGINS": ",".join(plugins), "DATABASE_URL": database, **(settings or {})}
        self.process = subprocess.Popen(
            command,
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={**environment, "PYTHONPATH": str(root), **{name: value for name, value in wanted.items() if value}},
        )
        self.said = self._wait()
        self.site: dict[str, Any] = json.loads((folder / "site.json").read_text())

    def _wait(self) -> str:
        limit = time.monotonic() + READY_SECONDS
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        said = ""
        while time.monotonic() < limit and self.process.poll() is None:
            with contextlib.suppress(BlockingIOError):
                said += os.read(self.process.stdout.fileno(), 65536).decode()
            if f"ready {self.url}" in said:
                return said
            time.sleep(0.1)
        self.end()
        self.log.seek(0)
        raise AssertionError(f"the demo did not become ready:\n{said}\n{self.log.read()[-6000:]}")

    def account(self, role: str) -> dict[str, Any]:
        """The account that holds a role (or has this login name)."""
        found = (a for a in self.site["accounts"] if role in a["roles"] or a["login"] == role)
        return next(found)

    def login(self, session: Any, account: dict[str, Any] | str) -> Any:
        """Sign in as an account (or the account of a role), with requests or at a Playwright page; the first tenant is
        chosen.

        :returns: the session or page
        """
        if isinstance(account, str):
            account = self.account(account)
        if hasattr(session, "goto"):
            return self._login_page(session, account)
        return self._login_requests(session, account)

    def _login_requests(self, session: requests.Session, account: dict[str, Any]) -> requests.Session:
        page = session.get(f"{self.url}/login", timeout=30)
        fields = {"login": account["login"], "password": account["password"], "csrf_token": TOKEN.search(page.text)[1]}  # type: ignore[index]
        fields["next"] = html.unescape(NEXT.search(page.text)[1])  # type: ignore[index]
        answer = session.post(f"{self.url}/iam/login", data=fields, timeout=30)
        assert answer.status_code == 200, answer.text[:2000]
        if "/choose" in answer.url:
            form = {"csrf_token": TOKEN.search(answer.text)[1], "tenant": account["tenant"]}  # type: ignore[index]
            answer = session.post(f"{self.url}/choose", data=form, timeout=30)
        session.headers["X-CSRF-Token"] = TOKEN.search(answer.text)[1]  # type: ignore[index]
        return session

    def _login_page(self, page: Any, account: dict[str, Any]) -> Any:
        page.goto(f"{self.url}/login")
        page.locator("input[name=login]").fill(account["login"])
        page.locator("input[name=password]").fill(account["password"])
        page.locator("main form [type=submit]").first.click()
        page.wait_for_url(lambda url: not SIGNING_IN.search(url))
        if page.url.endswith("/choose"):
            page.locator(f'form:has(input[value="{account["tenant"]}"]) [type=submit]').first.click()
            page.wait_for_url(lambda url: not url.endswith("/choose"))
        return page

    def end(self) -> None:
        """End it as its user would."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
