"""What pages can do, the API can do, under the same audit operation; and every write leaves its row (C-30, C-60)."""

from __future__ import annotations

import pytest

from tests import factories

# Operations of a person at the browser for themselves, for which a program has no use.
PAGES_ONLY = {
    "iam.sign-in.done",
    "iam.consent.given",
    "iam.consent.withdrawn",
    "iam.password.changed",
    "iam.profile.changed",
    "iam.token.issued",
    "iam.token.revoked",
    "iam.sign-in.ended",
}


def operations(site, api):
    codes = set()
    for rule in site.url_map.iter_rules():
        mark = getattr(site.view_functions[rule.endpoint], "guard", None)
        if mark and mark.audit and mark.audit.code.startswith("iam.") and rule.rule.startswith("/api/") is api:
            codes.add(mark.audit.code)
    return codes


@pytest.mark.req("C-60")
def test_pages_and_api_record_the_same_operations(site):
    assert operations(site, api=False) - PAGES_ONLY == operations(site, api=True)


@pytest.mark.req("C-30")
def test_a_write_through_a_page_leaves_the_same_row_as_through_the_api(as_role, api, audit_log):
    admin = as_role("tenant-administrator")
    name = factories.unique("g")

    assert admin.post("/iam/groups/new", data={"name": name}).status_code == 303
    assert api(admin).post("/iam/groups", {"name": f"{name}-2"}).status_code == 201

    assert audit_log() == [("iam.group.created", name, "success"), ("iam.group.created", f"{name}-2", "success")]


@pytest.mark.req("C-30")
def test_a_refusal_and_a_failure_are_recorded(as_role, as_holder_of, api, audit_log):
    assert api(as_holder_of()).post("/iam/groups", {"name": "x"}).status_code == 403
    assert as_role("tenant-administrator").post("/iam/groups/new", data={"name": ""}).status_code == 422

    rows = audit_log(rows=True)
    assert [(row.operation, row.result) for row in rows] == [
        ("iam.group.created", "denied"),
        ("iam.group.created", "failed"),
    ]
    assert rows[1].error_code == "CORE/INVALID_INPUT"


@pytest.mark.req("C-30")
def test_no_secret_reaches_the_audit(as_role, api, audit_log):
    admin = api(as_role("tenant-administrator"))
    key = admin.post("/iam/access-keys", {}).json
    client = admin.post("/iam/oidc-clients", {"name": "App", "redirectUris": ["https://a.example.test/cb"]}).json
    person = admin.post("/iam/members", {"login": f"{factories.unique('p')}@example.test", "name": "P"}).json

    kept = " ".join(str(row.detail) for row in audit_log(rows=True))

    for secret in (key["secret"], client["secret"], person["password"]):
        assert secret
        assert secret not in kept


def test_forms_come_back_with_what_was_typed_and_what_is_wrong(as_role):
    admin = as_role("tenant-administrator")

    answer = admin.post(
        "/iam/members/new", data={"login": "not-an-address", "name": "Ada"}, headers={"HX-Request": "true"}
    )

    assert answer.status_code == 422
    assert 'value="not-an-address"' in answer.text
    assert 'value="Ada"' in answer.text
    assert 'id="f-login-error"' in answer.text


def test_a_grant_is_given_and_revoked_on_the_page(as_role, tenant):
    admin = as_role("tenant-administrator")
    person = factories.make_member(tenant)
    form = {
        "principal": f"member:{person.id}",
        "role": "tenant-administrator",
        "validity": "7",
        "ranges": "10.0.0.0/8, 192.0.2.1",
        "from": "09:00",
        "to": "18:00",
    }

    answer = admin.post("/iam/grants/new", data=form, headers={"HX-Request": "true"})

    assert answer.status_code == 204, answer.text
    assert "close-dialog" in answer.headers["HX-Trigger"]
    from app.db import db
    from plugins.iam.models import Grant

    row = db.session.query(Grant).filter_by(principal_id=person.id).one()
    assert row.conditions == [
        {"kind": "source-ip", "ranges": ["10.0.0.0/8", "192.0.2.1"]},
        {"kind": "time", "from": "09:00", "to": "18:00"},
    ]
    assert row.expires_at is not None
    assert admin.post(f"/iam/grants/{row.id}/revoke").status_code == 303
    assert db.session.query(Grant).filter_by(principal_id=person.id).count() == 0
