"""The signed door: the unmodified Alibaba Cloud SDK core passes, and each way to be wrong has its own code (O-1)."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from app.core.permissions import JOB_READ
from app.db import db, new_id, now
from app.jobs.queue import connection
from plugins.openapi import acs3
from plugins.openapi.models import Nonce
from tests import factories

EMPTY = hashlib.sha256(b"").hexdigest()
SIGNED = "host;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce"


@pytest.fixture
def key(app_context: Flask, tenant: Any) -> Any:
    """An AccessKey of somebody who may read jobs."""
    member = factories.make_member(tenant)
    factories.make_grant(tenant, member, factories.make_role(tenant, [JOB_READ]))
    return factories.make_key(tenant, member)


def headers(
    key: Any, path: str = "/api/v1/jobs", method: str = "GET", body: bytes = b"", **changed: str
) -> dict[str, str]:
    """Headers of a signed call, as the vendor's documentation describes them, with parts *changed* before signing."""
    digest = hashlib.sha256(body).hexdigest()
    made = {
        "host": "127.0.0.1:8080",
        "x-acs-date": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": new_id(),
        "x-acs-content-sha256": digest,
    } | {name.replace("_", "-"): value for name, value in changed.items() if name.startswith("x_")}
    names = changed.get("names", SIGNED)
    where, _, query = path.partition("?")
    canonical = "\n".join(
        (
            method,
            quote(where, safe="/~-_."),
            query,
            "".join(f"{n}:{made.get(n, '')}\n" for n in names.split(";")),
            names,
            made["x-acs-content-sha256"],
        )
    )
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(changed.get("secret", key.secret).encode(), text.encode(), hashlib.sha256).hexdigest()
    made["Authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={changed.get('id', key.id)},SignedHeaders={names},Signature={signature}"
    )
    return made


@pytest.mark.req("O-1")
def test_a_signed_call_acts_as_the_owner_of_the_key(client: Any, key: Any) -> None:
    answer = client.get("/api/v1/me", headers=headers(key, "/api/v1/me"))

    assert answer.status_code == 200
    assert answer.json["id"] == key.owner_id
    assert (
        client.get("/api/v1/jobs?limit=5&q=a%20b", headers=headers(key, "/api/v1/jobs?limit=5&q=a%20b")).status_code
        == 200
    )


@pytest.mark.req("O-1")
@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"secret": "wrong"}, "SIGNATURE/DOES_NOT_MATCH"),
        ({"id": "nosuchkey"}, "SIGNATURE/ACCESS_KEY_UNKNOWN"),
        ({"names": "host;x-acs-date"}, "SIGNATURE/HEADER_NOT_SIGNED"),
        ({"x_acs_date": "2020-01-01T00:00:00Z"}, "SIGNATURE/DATE_SKEWED"),
        ({"x_acs_date": "yesterday"}, "SIGNATURE/DATE_SKEWED"),
        ({"x_acs_content_sha256": "0" * 64}, "SIGNATURE/BODY_HASH_WRONG"),
    ],
)
def test_each_way_to_be_wrong_has_its_own_code(client: Any, key: Any, changed: dict[str, str], code: str) -> None:
    answer = client.get("/api/v1/jobs", headers=headers(key, **changed))

    assert answer.status_code == 401
    assert answer.json["code"] == code
    assert answer.json["remedy"]


@pytest.mark.req("O-1")
def test_a_disabled_key_and_one_of_a_frozen_owner_have_codes_of_their_own(client: Any, key: Any) -> None:
    from app.db import db
    from plugins.iam.models import DISABLED, FROZEN, Member

    db.session.get_one(Member, key.owner_id).state = FROZEN
    assert client.get("/api/v1/jobs", headers=headers(key)).json["code"] == "SIGNATURE/OWNER_NOT_ACTIVE"
    key.state = DISABLED
    assert client.get("/api/v1/jobs", headers=headers(key)).json["code"] == "SIGNATURE/ACCESS_KEY_DISABLED"


@pytest.mark.req("O-1")
def test_a_header_that_is_no_signature_is_named(client: Any, key: Any) -> None:
    answer = client.get("/api/v1/jobs", headers={"Authorization": "ACS3-HMAC-SHA256 Credential=x"})

    assert answer.json["code"] == "SIGNATURE/MALFORMED"


@pytest.mark.req("O-1")
def test_a_call_cannot_be_sent_twice_though_redis_lost_everything(client: Any, key: Any) -> None:
    signed = headers(key)

    assert client.get("/api/v1/jobs", headers=signed).status_code == 200
    connection().flushall()
    assert client.get("/api/v1/jobs", headers=signed).json["code"] == "SIGNATURE/NONCE_REPLAYED"


@pytest.mark.req("O-1")
def test_a_permission_that_is_missing_is_refused_all_the_same(client: Any, key: Any) -> None:
    answer = client.get("/api/v1/dns/zones", headers=headers(key, "/api/v1/dns/zones"))

    assert answer.status_code == 403
    assert answer.json["code"] == "CORE/FORBIDDEN"


@pytest.mark.req("O-1")
def test_old_and_future_dates_are_allowed_for_a_quarter_of_an_hour(client: Any, key: Any) -> None:
    for minutes, status in ((14, 200), (-14, 200), (16, 401), (-16, 401)):
        moment = (now() + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert client.get("/api/v1/jobs", headers=headers(key, x_acs_date=moment)).status_code == status


@pytest.mark.req("O-1")
@pytest.mark.filterwarnings("ignore")
def test_the_unmodified_sdk_core_of_the_vendor_calls_this_api(live_site: Any) -> None:
    from alibabacloud_tea_openapi import models
    from alibabacloud_tea_openapi.client import Client
    from alibabacloud_tea_util import models as runtime

    found = next(k for k in live_site.site["accessKeys"] if "yunyou-observer" in k["roles"])
    endpoint = live_site.url.removeprefix("http://")
    config = models.Config(
        access_key_id=found["id"], access_key_secret=found["secret"], endpoint=endpoint, protocol="http"
    )
    params = models.Params(
        action="ListJobs",
        version="2026-01-01",
        protocol="HTTP",
        pathname="/api/v1/yunyou/environments",
        method="GET",
        auth_type="AK",
        style="ROA",
        req_body_type="json",
        body_type="json",
    )

    answer = Client(config).call_api(
        params, models.OpenApiRequest(query={"limit": "5", "q": "Prod uction"}), runtime.RuntimeOptions()
    )

    assert answer["statusCode"] == 200
    assert "items" in answer["body"]


@pytest.mark.req("O-1")
def test_a_nonce_is_kept_for_as_long_as_its_date_passes_and_then_swept(client: Any, key: Any) -> None:
    client.get("/api/v1/jobs", headers=headers(key))
    young, old = (
        Nonce(digest=new_id(), used_at=now() - timedelta(minutes=30)),
        Nonce(digest=new_id(), used_at=now() - timedelta(minutes=32)),
    )
    db.session.add_all([young, old])
    db.session.commit()
    kept, gone = young.digest, old.digest

    acs3.sweep()

    assert db.session.get(Nonce, kept) is not None
    assert db.session.get(Nonce, gone) is None


@pytest.mark.req("O-1")
def test_a_signed_call_names_a_workspace_of_its_tenant(client: Any, key: Any, tenant: Any) -> None:
    mine, theirs = factories.make_workspace(tenant).id, factories.make_workspace(factories.make_tenant()).id

    answers = [
        client.get("/api/v1/me", headers={**headers(key, "/api/v1/me"), "Antstack-Workspace": space})
        for space in (mine, theirs)
    ]

    assert [answer.status_code for answer in answers] == [200, 404]
