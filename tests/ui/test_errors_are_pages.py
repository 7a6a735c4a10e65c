"""Errors as a person meets them: inside the frame, with a way on, and always with their own code (C-57)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from app import following
from app.core.permissions import AUDIT_READ
from app.errors import CONFLICT

HTML = {"Accept": "text/html"}


@pytest.fixture
def served(site: Flask) -> Iterator[Flask]:
    """The application answering failures as it does when it serves, not as under tests."""
    site.testing = False
    yield site
    site.testing = True


@pytest.mark.req("C-54", "C-57")
def test_an_unknown_address_is_answered_inside_the_frame_with_a_way_on(as_holder_of: Callable[..., Any]) -> None:
    answer = as_holder_of(AUDIT_READ).get("/no/such/page", headers=HTML)

    assert answer.status_code == 404
    for part in ('<nav class="nav"', "data-palette-open", "data-back", "CORE/NOT_FOUND", 'href="/"'):
        assert part in answer.text


@pytest.mark.req("C-57")
def test_an_unknown_address_tells_a_stranger_nothing_of_the_site(client: Any) -> None:
    answer = client.get("/no/such/page", headers=HTML)

    assert answer.status_code == 404
    assert '<nav class="nav"' not in answer.text
    assert "CORE/NOT_FOUND" in answer.text


@pytest.mark.req("C-57")
def test_a_refused_page_keeps_the_frame(as_holder_of: Callable[..., Any]) -> None:
    answer = as_holder_of(AUDIT_READ).get("/jobs/site", headers=HTML)

    assert answer.status_code == 403
    assert '<nav class="nav"' in answer.text
    assert "CORE/FORBIDDEN" in answer.text


@pytest.mark.req("C-57")
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (CONFLICT(detail="taken"), 409, "CORE/CONFLICT"),
        (OperationalError("select 1", {}, Exception("gone")), 503, "CORE/DATABASE_UNREACHABLE"),
        (ValueError("a mistake of ours"), 500, "CORE/UNEXPECTED"),
    ],
)
def test_an_error_raised_after_the_view_keeps_its_own_code(
    served: Flask,
    as_holder_of: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    code: str,
) -> None:
    raised: list[Exception] = [error]
    monkeypatch.setattr(following, "follow", lambda: _raise(raised))

    answer = as_holder_of(AUDIT_READ).get("/audit", headers=HTML)

    assert answer.status_code == status
    assert code in answer.text
    assert "CORE/MALFORMED" not in answer.text


def _raise(errors: list[Exception]) -> None:
    if errors:
        raise errors.pop()


@pytest.mark.req("C-57")
def test_htmx_is_told_the_reason_and_the_remedy(as_holder_of: Callable[..., Any]) -> None:
    answer = as_holder_of(AUDIT_READ).get("/audit/nothing", headers={"HX-Request": "true", "Accept-Language": "en"})

    assert answer.status_code == 404
    assert "HX-Retarget" not in answer.headers
    assert "There is no" in answer.headers["HX-Trigger"]


@pytest.mark.req("C-53")
def test_a_dialog_opened_by_its_own_address_is_a_page(as_role: Callable[..., Any]) -> None:
    person = as_role("tenant-administrator")

    page = person.get("/search?q=member", headers=HTML).text
    part = person.get("/search?q=member", headers={"HX-Request": "true", **HTML}).text

    assert '<nav class="nav"' in page
    assert "<html" not in part
