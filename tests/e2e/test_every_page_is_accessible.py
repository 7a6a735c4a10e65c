"""Every page of a filled site, as axe-core, a narrow screen and the browser's console see it (C-53).

The pages are not listed here: they are found by walking from link to link over the routes of the application, and a
route that has no address anywhere fails the test. A dialog is looked at twice, as a page and open above another one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from flask import Flask

from tests.conftest import every_plugin
from tests.e2e import places
from tests.live import LiveSite

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHECKED = {"runOnly": WCAG, "resultTypes": ["violations"], "preload": False}
LOOKS = [("light", "en", 1440), ("dark", "zh", 400)]
MAIN_PART = "main .dialog, main .drawer"


@dataclass
class Eye:
    """One browser in one look; ``wrong`` holds what is wrong by address."""

    site: LiveSite
    context: Any
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def open(self, address: str, status: int = 200) -> None:
        """Look at one page; a dialog or drawer also where it belongs, above a page."""
        self.said.clear()
        answer = self.page.goto(self.site.url + address)
        if answer.status != status:
            self.wrong[address] = [f"answers {answer.status}"]
            return
        self.look(address, quiet=status == 200)
        part = self.page.query_selector(MAIN_PART)
        if part is None:
            return
        host = "#drawer" if "drawer" in part.get_attribute("class") else "#dialog"
        part.evaluate("node => node.remove()")
        self.page.evaluate("([url, host]) => htmx.ajax('GET', url, {target: host, swap: 'innerHTML'})", [address, host])
        self.page.wait_for_selector(f"{host}[open]")
        self.look(f"{address} as {host}")

    def look(self, name: str, quiet: bool = True) -> None:
        """Keep what is wrong with what is open now; *quiet*: the browser's console must have no error."""
        found = [
            f"{v['id']}: {v['nodes'][0]['html'][:160]} {v['nodes'][0]['failureSummary'][:200]}"
            for v in Axe().run(self.page, options=CHECKED).response["violations"]
        ]
        wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"{wide} px too wide"] if wide > 0 else []
        found += [*self.said] if quiet else []
        self.said.clear()
        if not self.page.title().strip(" ·"):
            found.append("no title")
        if found:
            self.wrong[name] = found


@pytest.fixture(scope="module")
def filled_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """A running demo with its sample data."""
    running = LiveSite(tmp_path_factory.mktemp("filled") / "site", plugins=every_plugin())
    yield running
    running.end()


@pytest.fixture(scope="module")
def session(filled_site: LiveSite) -> requests.Session:
    """The platform administrator, who may open everything."""
    made: requests.Session = filled_site.login(requests.Session(), "platform-administrator")
    return made


@pytest.fixture(scope="module")
def inhabitants(filled_site: LiveSite, session: requests.Session) -> dict[str, Any]:
    """See :func:`tests.e2e.places.inhabit`."""
    return places.inhabit(filled_site, session)


@pytest.fixture(scope="module")
def found(site: Flask, filled_site: LiveSite, session: requests.Session, inhabitants: dict[str, Any]) -> places.Places:
    """Every page of the site."""
    return places.walk(site, filled_site, session, ["/?checklist=1", f"/iam/roles/{inhabitants['role']['id']}"])


@pytest.mark.req("C-5", "C-30")
def test_the_sample_is_midway_through_a_delivery_that_the_audit_tells(
    filled_site: LiveSite, session: requests.Session
) -> None:
    def items(path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = session.get(f"{filled_site.url}/api/v1{path}", timeout=20).json()["items"]
        return found

    by = time.monotonic() + 60
    while items("/yunyou/orders")[-1]["state"] != "waiting" and time.monotonic() < by:
        time.sleep(0.5)

    assert items("/yunyou/orders")[-1]["state"] == "waiting"
    assert "PLATFORM" in {product["code"] for product in items("/yunyou/products")}
    assert {"yunyou.solution.imported", "yunyou.plan.confirmed", "yunyou.order.created"} <= {
        row["operation"] for row in items("/audit/events?limit=500")
    }


@pytest.mark.req("C-53")
def test_every_route_has_an_address_that_some_page_links_to(found: places.Places) -> None:
    assert not found.missing
    assert len(found.pages) > 90


@pytest.mark.timeout(1_200)  # some two hundred looks with axe-core, beside other tests
@pytest.mark.req("C-53", "C-54")
@pytest.mark.parametrize(("theme", "language", "width"), LOOKS, ids=["wide", "narrow"])
def test_every_page_is_accessible_and_fits(
    browser: Any,
    filled_site: LiveSite,
    found: places.Places,
    inhabitants: dict[str, Any],
    theme: str,
    language: str,
    width: int,
) -> None:
    chosen = {"theme": theme, "locale": language}
    cookies = [{"name": f"antstack-{k}", "value": v, "url": filled_site.url} for k, v in chosen.items()]
    eyes = []
    for _ in range(2):
        context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
        context.add_cookies(cookies)
        eyes.append(Eye(filled_site, context))
    member, stranger = eyes

    filled_site.login(member.page, "platform-administrator")
    for address in found.pages:
        member.open(address)
    _pressed(member, found)
    member.open("/no/such/page", 404)
    _stranger(stranger, inhabitants)
    for eye in eyes:
        eye.context.close()

    wrong = {**member.wrong, **stranger.wrong}
    assert not wrong, "\n".join(f"{address}: {line}" for address, lines in wrong.items() for line in lines)


def _pressed(eye: Eye, found: places.Places) -> None:
    """Pages that only a form leads to: the preview of a release, a secret that is shown."""
    form = next(address for address in found.pages if address.endswith("/orders/new"))
    reveal = next(address for address in found.pages if address.endswith("/reveal"))
    for address in (form, reveal):
        eye.page.goto(eye.site.url + address)
        eye.said.clear()
        eye.page.locator("main form [type=submit]").last.click()
        eye.page.wait_for_selector(".folds, #dialog[open]")
        eye.look(f"{address}, sent")


def _stranger(eye: Eye, inhabitants: dict[str, Any]) -> None:
    """What is seen before one is signed in: signing in, the first password, consent; and a page that is refused."""
    eye.open("/iam/login")
    eye.open("/signed-out")
    eye.open("/no/such/page", 404)
    newcomer = inhabitants["stranger"]
    eye.page.goto(f"{eye.site.url}/login")
    eye.page.locator("input[name=login]").fill(newcomer["login"])
    eye.page.locator("input[name=password]").fill(newcomer["password"])
    eye.page.locator("main form [type=submit]").click()
    eye.page.wait_for_url(re.compile("/iam/password/first"))
    eye.look("the first password")
    eye.site.login(eye.page, "yunyou-observer")
    client = inhabitants["client"]
    asked = {
        "response_type": "code",
        "client_id": client["clientId"],
        "redirect_uri": client["redirectUris"][0],
        "scope": "openid profile",
        "state": "s",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    eye.open(f"/oauth/authorize?{urlencode(asked)}")
    eye.open("/jobs/site", 403)
