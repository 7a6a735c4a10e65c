"""What a site begins with: `antstack init` and the demo's accounts; both may be repeated."""

from __future__ import annotations

import pytest

from app.contracts.seed import Seed
from app.db import db
from plugins.iam import commands, passwords, seeding
from plugins.iam.models import Enterprise, Grant, Member, Tenant
from plugins.iam.oidc import maintenance
from tests import factories


@pytest.mark.req("I-1")
def test_init_makes_one_administrator_and_says_the_password_once(app_context):
    login = f"{factories.unique('boss')}@example.test"

    password = commands.begin(login, "Boss", "Company")

    member = db.session.query(Member).filter_by(login=login).one()
    assert passwords.matches(member.password_hash, password)
    assert member.must_reset
    assert commands.begin(login, "Boss", "Company") == ""
    assert db.session.query(Enterprise).count() == 1
    roles = {grant.role for grant in db.session.query(Grant).filter_by(principal_id=member.id)}
    assert roles == {"platform-administrator", "tenant-administrator"}


def test_the_demo_gives_the_same_accounts_and_keys_again(app_context):
    def seeded():
        wanted = Seed(sample=True, admin_password="quiet-river", admin_login="admin@seed.test")
        with app_context.test_request_context():
            seeding.seed(wanted)
            db.session.commit()
        return wanted

    first, second = seeded(), seeded()

    assert first.facts == second.facts
    assert (first.tenant_id, first.workspace_id, first.admin_key) == (
        second.tenant_id,
        second.workspace_id,
        second.admin_key,
    )
    tenants = {account["tenant"] for account in first.facts["accounts"]}
    assert len(tenants) == 2
    assert {"ROC", "retail", "lab"} <= {code for (code,) in db.session.query(Tenant.code)}
    for account in first.facts["accounts"]:
        stored = db.session.query(Member).filter_by(login=account["login"]).one()
        assert passwords.matches(stored.password_hash, account["password"])
        assert not stored.must_reset


def test_doctor_finds_keys_and_clock_well(app_context):
    assert maintenance.check_keys() is None
    assert maintenance.check_clock() is None


def test_maintenance_may_be_repeated(app_context):
    for _ in range(2):
        maintenance.rotate_keys()
        maintenance.sweep()
