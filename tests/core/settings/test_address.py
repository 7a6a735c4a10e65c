"""Addresses that this site gives to others are of ``ANTSTACK_URL``, whatever ``Host`` a request claims (Q-30)."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from app import site
from app.auth import oidc

pytestmark = pytest.mark.req("Q-30", "C-10")


def test_the_provider_sends_the_browser_back_to_the_site_of_the_settings(app_context: Flask) -> None:
    with app_context.test_request_context(base_url="https://evil.example"):
        known = oidc.client().server_metadata
        before = dict(known)
        known.update(_loaded_at=time.time(), authorization_endpoint="https://idp.example/authorize")
        try:
            sent = parse_qs(urlsplit(oidc.begin().location).query)
        finally:
            known.clear()
            known.update(before)

    assert sent["redirect_uri"] == [f"{site.settings().url}/auth/callback"]


def test_who_signed_out_comes_back_to_it(app_context: Flask) -> None:
    with app_context.test_request_context(base_url="https://evil.example"):
        assert oidc.end_session_url("").startswith(f"{site.settings().url}/")
