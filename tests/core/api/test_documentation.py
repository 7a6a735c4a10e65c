"""The pages of the API's description: every operation listed, each with what it takes and gives on a page of its own
(C-60).
"""

from __future__ import annotations

import pytest


@pytest.mark.req("C-60")
def test_every_operation_is_listed_and_found(as_role) -> None:
    browser = as_role("platform-administrator")

    listed = browser.get("/api/docs").get_data(as_text=True)
    found = browser.get("/api/docs?q=orders.preview", headers={"HX-Request": "true"}).get_data(as_text=True)

    assert len(listed) < 300_000
    assert 'href="/api/docs/yunyou.orders.preview"' in listed
    assert 'href="/api/docs/yunyou.orders.preview"' in found
    assert "yunyou.solutions.import" not in found


@pytest.mark.req("C-60")
def test_an_operation_shows_what_it_needs_takes_and_gives(as_role) -> None:
    browser = as_role("platform-administrator")

    page = browser.get("/api/docs/yunyou.orders.create").get_data(as_text=True)

    for words in ("/api/v1/yunyou/orders", "yunyou.order.created", "OrderRequest", "Grouping"):
        assert words in page
    assert browser.get("/api/docs/nothing.of.this").status_code == 404
