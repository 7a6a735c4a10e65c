"""The audit's list in a browser: one line a time, results on cards, columns without a complaint of the browser
(C-50, C-53).
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.live import LiveSite

pytestmark = pytest.mark.xdist_group("live")


@pytest.fixture
def audit(page: Any, live_site: LiveSite) -> Any:
    """The list, which holds at least that the administrator signed in. Its browser's complaints fail the test."""
    page.set_default_timeout(10_000)
    live_site.login(page, "platform-administrator")
    page.goto(f"{live_site.url}/audit")
    expect(page.locator("#events tbody tr").first).to_be_visible()
    return page


@pytest.mark.req("C-50")
def test_a_time_stands_on_one_line_however_many_columns_there_are(audit: Any, live_site: LiveSite) -> None:
    chosen = "&".join(
        f"cols={name}"
        for name in ("created", "result", "operation", "resource", "operator", "ip", "key", "trace", "error")
    )
    audit.goto(f"{live_site.url}/audit?{chosen}")
    height = audit.locator("#events tbody tr th a").first.bounding_box()["height"]

    assert height < 24


@pytest.mark.req("C-50", "C-70")
def test_choosing_columns_sets_no_style_that_the_policy_refuses(audit: Any) -> None:
    audit.get_by_role("button", name="Columns").click()
    audit.get_by_label("Trace ID").check()
    audit.get_by_role("button", name="Apply").click()

    expect(audit.locator("#events thead")).to_contain_text("Trace ID")
    audit.get_by_role("button", name="Columns").click()
    expect(audit.get_by_role("button", name="Apply")).to_be_visible()


@pytest.mark.req("C-30")
def test_a_card_tells_how_an_operation_ended(audit: Any) -> None:
    audit.set_viewport_size({"width": 400, "height": 800})

    expect(audit.locator("#events tbody tr").first.get_by_text("Success")).to_be_visible()
