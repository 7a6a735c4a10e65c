"""Cookies of a site that is reached over TLS are for its host alone and never sent in the clear (RFC 6265bis,
4.1.3.2).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.application import create_app
from app.config import load_settings
from app.db import db
from plugins.dns.permissions import ZONE_EDIT


@pytest.mark.req("C-11")
def test_every_cookie_over_tls_is_for_this_host_alone(tmp_path: Path) -> None:
    settings = {
        "ANTSTACK_DEMO": "1",
        "ANTSTACK_URL": "https://console.example",
        "DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
    }
    app = create_app(load_settings(settings))
    with app.app_context():
        db.create_all()

    browser = app.test_client()
    page = browser.get("/iam/login", base_url="https://console.example")
    cookies = page.headers.getlist("Set-Cookie")

    assert any(cookie.startswith("__Host-antstack-browser=") for cookie in cookies)
    assert [
        cookie for cookie in cookies if not (cookie.startswith("__Host-") and "Secure" in cookie and "Path=/" in cookie)
    ] == []
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "login": "nobody@example.test", "password": "wrong"}
    assert browser.post("/iam/login", data=form, base_url="https://console.example").status_code == 401, (
        "the form's token fits the cookie"
    )


@pytest.mark.req("Q-30")
def test_a_form_token_of_a_browser_is_none_of_the_session_whose_name_it_was_given(
    client: Any, as_holder_of: Callable[..., Any]
) -> None:
    """Names of sessions are no secret: administrators see them."""
    somebody = as_holder_of(ZONE_EDIT)
    client.set_cookie("antstack-browser", somebody.session_id, domain="127.0.0.1")
    token = client.get("/iam/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]

    assert token
    answer = somebody.post("/dns/zones/new", data={"name": "forged.example", "csrf_token": token}, csrf=False)
    assert (answer.status_code, "CORE/CSRF" in answer.text) == (403, True)
