"""Long lists: a page is what comes after a row, whatever the sort; nobody makes a cursor up; none counts to its end."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from app.db import db, now
from app.web.listing import Listing
from plugins.iam.models import Member
from tests import factories

pytestmark = pytest.mark.req("C-50")


@pytest.fixture
def people(app_context: Any, tenant: Any) -> list[str]:
    """Seven members, some of the same name, some who never signed in."""
    for number in range(6):
        seen = None if number % 3 == 0 else now() - timedelta(days=number // 2)
        factories.make_member(
            tenant, login=f"{factories.unique('p')}@example.test", name=f"Same {number % 2}", last_login_at=seen
        )
    return []


@pytest.fixture
def admin(as_role: Callable[..., Any], api: Callable[..., Any], people: Any) -> Any:
    """An administrator, who is the seventh."""
    return api(as_role("tenant-administrator"))


@pytest.mark.parametrize("sort", ["name", "-name", "login", "-login"])
def test_the_api_gives_every_row_once_in_order(admin: Any, sort: str) -> None:
    whole = [item["id"] for item in admin.get(f"/iam/members?sort={sort}&limit=100").json["items"]]

    found, cursor = [], ""
    while True:
        page = admin.get(f"/iam/members?sort={sort}&limit=2&cursor={cursor}").json
        found += [item["id"] for item in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break

    assert (found, len(found)) == (whole, 7)


def walk(browser: Any, address: str, rel: str) -> list[list[str]]:
    """The rows of each page from here on, following the links to the next or previous one."""
    pages = []
    while address:
        text = browser.get(address, headers={"Accept-Language": "en"}).text
        pages.append(re.findall(r'<tr data-id="(\w+)"', text))
        link = re.search(rf'<a class="page" href="([^"]+)"[^>]*rel="{rel}"', text)
        address = unescape(link[1]) if link else ""
    return pages


@pytest.mark.parametrize("sort", ["name", "-name", "last", "-last", "login"])
def test_a_page_is_followed_to_the_end_and_back(admin: Any, monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    monkeypatch.setattr("app.web.listing.SIZES", (3,))
    browser = admin.client

    forth = walk(browser, f"/iam/members?sort={sort}", "next")
    back = walk(browser, f"/iam/members?sort={sort}&end=1", "prev")

    assert [len(page) for page in forth] == [3, 3, 1]
    assert back[::-1] == forth


def test_rows_without_a_value_come_last_either_way(admin: Any) -> None:
    for sort in ("last", "-last"):
        (rows,) = walk(admin.client, f"/iam/members?sort={sort}", "next")
        never = set(db.session.scalars(select(Member.id).where(Member.id.in_(rows), Member.last_login_at.is_(None))))

        assert set(rows[-len(never) :]) == never


def test_a_page_tells_where_it_is(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.listing.SIZES", (3,))
    english = {"headers": {"Accept-Language": "en"}}
    first = admin.client.get("/iam/members", **english).text
    onward = unescape(re.search(r'<a class="page" href="([^"]+)"[^>]*rel="next"', first)[1])

    assert "1–3 of 7" in first
    assert "4–6 of 7" in admin.client.get(onward, **english).text
    assert "7–7 of 7" in admin.client.get("/iam/members?end=1", **english).text


def test_a_list_is_counted_to_a_bound(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.listed.Listing", partial(Listing, counted=5))
    monkeypatch.setattr("app.web.listing.SIZES", (3,))

    page = admin.client.get("/iam/members", headers={"Accept-Language": "en"}).text
    end = admin.client.get("/iam/members?end=1", headers={"Accept-Language": "en"}).text

    assert "1–3 of 5+" in page
    assert "over 5 results" in page
    assert "The end of 5+" in end


def test_a_page_after_a_row_that_was_the_last_is_the_last(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.listing.SIZES", (6,))
    first = admin.client.get("/iam/members").text
    onward = unescape(re.search(r'<a class="page" href="([^"]+)"[^>]*rel="next"', first)[1])
    last = walk(admin.client, onward, "next")[0][0]
    if last != admin.client.member.id:
        assert admin.delete(f"/iam/members/{last}").status_code in (200, 204)
        assert len(walk(admin.client, onward, "next")[0]) == 6


def of(values: Any, sort: str = "name") -> str:
    """A cursor of other values, signed by nobody."""
    import base64

    text = json.dumps([sort, values, 0]).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=") + "." + "0" * 32


@pytest.mark.parametrize(
    "cursor",
    [
        of(["a", "b"]),
        of([["a"], "b"]),
        of([None, None]),
        of([10**30, "x"]),
        of(["a", "\ud800"]),
        "xyz",
        "%",
        "....",
        "[[[[" * 500,
        "é",
    ],
)
def test_a_cursor_that_was_made_up_is_refused(admin: Any, cursor: str) -> None:
    refused = admin.get("/iam/members", query_string={"cursor": cursor})

    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/cursor")
    page = admin.client.get("/iam/members", query_string={"after": cursor}, headers={"Accept-Language": "en"})
    assert (page.status_code, "That page is gone" in page.text) == (200, True)


def test_a_cursor_is_of_its_list_and_sort(admin: Any) -> None:
    cursor = admin.get("/iam/members?limit=2&sort=name").json["nextCursor"]

    assert admin.get(f"/iam/members?limit=2&sort=name&cursor={cursor}").status_code == 200
    assert admin.get(f"/iam/members?limit=2&sort=-name&cursor={cursor}").status_code == 422
    assert admin.get(f"/iam/groups?limit=2&sort=name&cursor={cursor}").status_code == 422


@pytest.mark.parametrize("text", ["%20", "%0B", "%C2%A0", "%00", "%ED%A0%80", "a%00b"])
def test_odd_text_is_searched_for_or_refused(admin: Any, text: str) -> None:
    for address in (
        f"/api/v1/iam/members?q={text}",
        f"/iam/members?q={text}",
        f"/api/v1/search?q={text}",
        f"/search?q={text}",
    ):
        assert admin.client.get(address).status_code in (200, 400, 422), address


@pytest.mark.parametrize("name", ["a\x00b", "a\x1bb", "\ud800"])
def test_text_that_nothing_can_keep_is_refused_beside_its_field(admin: Any, name: str) -> None:
    refused = admin.call("POST", "/iam/groups", data=json.dumps({"name": name}), content_type="application/json")

    assert refused.status_code in (400, 422)
    assert admin.client.post("/iam/groups/new", data={"name": name.encode("utf-8", "surrogatepass")}).status_code in (
        303,
        422,
    )


def test_a_csv_is_read_by_key_and_has_every_row(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.listing.CHUNK", 2)

    lines = admin.client.get("/iam/members?format=csv&sort=-name").text.splitlines()

    assert len(lines) == 8
    assert len(set(lines)) == 8


def test_a_csv_holds_no_formula(admin: Any, tenant: Any) -> None:
    for mark in ("=", "+", "-", "@", "\t"):
        factories.make_group(tenant, name=f"{mark}cmd {factories.unique('x')}")

    names = [row[0] for row in list(csv.reader(admin.client.get("/iam/groups?format=csv").text.splitlines()))[1:]]

    assert sorted(name[:2] for name in names) == ["'\t", "'+", "'-", "'=", "'@"]
