"""OIDC clients as they are registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plugins.iam.oidc.keys import issuer
from tests import factories

ADDRESSES = ["https://app.example.test/callback"]


@pytest.fixture
def admin(as_role: Callable[..., Any], api: Callable[..., Any]) -> Any:
    """An administrator of the tenant."""
    return api(as_role("tenant-administrator"))


@pytest.mark.req("I-50")
def test_an_audience_is_of_one_tenant(admin: Any) -> None:
    theirs = factories.make_oidc_client(factories.make_tenant(), audience="https://k8s.example.test")
    wanted = {"name": "mine", "redirectUris": ADDRESSES}

    refused = [
        admin.post("/iam/oidc-clients", {**wanted, "audience": audience})
        for audience in (theirs.audience, theirs.client_id, issuer(), "antstack-console", "*", "a b")
    ]

    assert {answer.status_code for answer in refused} == {422}
    assert {answer.json["errors"][0]["pointer"] for answer in refused} == {"/audience"}
    own = admin.post("/iam/oidc-clients", {**wanted, "audience": "https://other.example.test"})
    assert own.status_code == 201
    again = admin.put(f"/iam/oidc-clients/{own.json['id']}", {**wanted, "audience": theirs.audience})
    assert again.status_code == 422
