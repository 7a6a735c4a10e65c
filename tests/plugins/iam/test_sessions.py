"""Sessions at the console: which tenant they are in, and how they end (C-11, C-12)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.db import db, now
from tests import factories

ADMIN, PLATFORM = "tenant-administrator", "platform-administrator"


@pytest.mark.req("C-12")
def test_the_chooser_offers_own_tenants_only_and_switches(as_member, client, tenant):
    other, foreign = factories.make_tenant(workspaces=2), factories.make_tenant()
    person = factories.make_member(tenant, roles=[ADMIN])
    factories.make_membership(other, person)
    browser = as_member(person, None)
    page = browser.get("/choose")
    assert tenant.name in page.text
    assert other.name in page.text
    assert foreign.name not in page.text

    assert browser.post("/choose", data={"tenant": foreign.id}).status_code == 404
    assert browser.post("/choose", data={"tenant": tenant.id}).status_code == 303

    assert browser.get("/iam/members").status_code == 200


@pytest.mark.req("C-11")
def test_choosing_a_tenant_rotates_the_sessions_token(as_member, tenant):
    person = factories.make_member(tenant)
    browser = as_member(person, tenant)
    before = browser.get_cookie("antstack", domain="127.0.0.1").value

    browser.post("/choose", data={"tenant": tenant.id})

    assert browser.get_cookie("antstack", domain="127.0.0.1").value != before
    browser.set_cookie("antstack", before, domain="127.0.0.1")
    assert browser.get("/account").location.startswith("/login")


@pytest.mark.req("C-11")
def test_own_sessions_are_listed_and_ended(as_member, tenant):
    person = factories.make_member(tenant)
    here, there = as_member(person, tenant), as_member(person, tenant)
    stranger = as_member(factories.make_member(tenant), tenant)
    assert here.get("/account/sessions").status_code == 200
    assert stranger.post(f"/account/sessions/{there.session_id}/end").status_code == 404

    assert here.post(f"/account/sessions/{there.session_id}/end").status_code == 303

    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200


@pytest.mark.req("C-11")
@pytest.mark.parametrize("field", ["last_seen_at", "expires_at"])
def test_sessions_end_by_idleness_and_by_age(as_member, tenant, field):
    from app.auth.models import ConsoleSession

    browser = as_member(factories.make_member(tenant), tenant)
    db.session.query(ConsoleSession).filter_by(id=browser.session_id).update({field: now() - timedelta(hours=13)})
    db.session.commit()

    assert browser.get("/account").status_code == 303
