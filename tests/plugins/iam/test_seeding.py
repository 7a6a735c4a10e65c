"""The demo's accounts, which may be made again."""

from __future__ import annotations

from app.contracts.seed import Seed
from app.db import db
from plugins.iam import passwords, seeding
from plugins.iam.models import Member, Tenant


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
