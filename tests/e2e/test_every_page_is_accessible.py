"""The pages of a site with sample data, as axe-core, a narrow screen and the browser's console see them (C-53)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.conftest import loadable_plugins
from tests.live import LiveSite

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DETAILS = {
    "solution": ("/yunyou/solutions", r"^/yunyou/solutions/0\w+$"),
    "order": ("/yunyou/orders", r"^/yunyou/orders/0\w+$"),
    "environment": ("/yunyou/environments", r"^/yunyou/environments/0\w+$"),
    "cluster": ("/captain/clusters", r"^/captain/clusters/0\w+$"),
}
PAGES = [
    "{order}", "{solution}", "{solution}/orders/new", "{solution}/plan/parameters", "{solution}/plan/images",
    "{solution}/plan/applications", "{cluster}", "{cluster}/pods", "{environment}", "/choose", "/yunyou/solutions",
    "/yunyou/orders", "/yunyou/products",
]  # fmt: skip
LOOKS = [("light", "en", 1440, PAGES), ("dark", "zh", 400, PAGES[:2])]


@pytest.fixture(scope="module")
def filled_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """A running demo with its sample data."""
    running = LiveSite(tmp_path_factory.mktemp("filled") / "site", plugins=loadable_plugins())
    yield running
    running.end()


def first_link(page: Any, address: str, wanted: str) -> str:
    """The address of the first thing that a list links to."""
    page.goto(address)
    found = page.eval_on_selector_all("main a[href]", "nodes => nodes.map(n => n.getAttribute('href'))")
    return next(link for link in found if re.search(wanted, link))


def problems(page: Any) -> list[str]:
    """What is wrong with the page that is open."""
    found = []
    for violation in Axe().run(page, options={"runOnly": WCAG}).response["violations"]:
        node = violation["nodes"][0]
        found.append(f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}")
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*found, f"{wide} px too wide"] if wide > 0 else found


@pytest.mark.req("C-53", "C-54")
@pytest.mark.parametrize(("theme", "language", "width", "pages"), LOOKS, ids=["wide", "narrow"])
def test_pages_are_accessible_and_fit(
    browser: Any, filled_site: LiveSite, theme: str, language: str, width: int, pages: list[str]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    chosen = {"theme": theme, "locale": language}
    context.add_cookies([{"name": f"antstack-{k}", "value": v, "url": filled_site.url} for k, v in chosen.items()])
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    filled_site.login(page, "platform-administrator")
    things = {name: first_link(page, f"{filled_site.url}{where}", link) for name, (where, link) in DETAILS.items()}
    wrong: dict[str, list[str]] = {}
    for address in (pattern.format(**things) for pattern in pages):
        said.clear()
        answer = page.goto(f"{filled_site.url}{address}")
        assert answer.status == 200, f"{address} answers {answer.status}"
        found = problems(page) + said
        if found:
            wrong[address] = found
    context.close()

    assert not wrong, "\n".join(f"{address}: {line}" for address, found in wrong.items() for line in found)
