"""What the migration of tokens and clients does to a site that has some already."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from app.application import create_app
from app.config import load_settings
from app.db import db
from app.processes import database

CLIENT = (
    "INSERT INTO iam_oidc_client (id, tenant_id, created_at, version, client_id, name, secret_digest, previous_digest,"
    " redirect_uris, post_logout_uris, backchannel_uri, grant_types, audience, public, trusted, site, enabled)"
    " VALUES (:id, 't', '2026-01-01', 1, :id, :id, '', '', '[]', '[]', '', '[]', '', :public, 0, :site, 1)"
)
KEY = (
    "INSERT INTO iam_access_key (id, created_at, tenant_id, owner_type, owner_id, secret, state, last_used_ip)"
    " VALUES ('key', '2026-01-01', 't', 'member', 'm', 'sealed', 'active', '')"
)
TOKEN = (
    "INSERT INTO iam_token (id, created_at, access_digest, family, client_id, principal_type, principal_id, scope, amr,"
    " expires_at) VALUES (:id, '2026-01-01', :id, :id, :client, 'member', 'm', :scope, '[]', '2027-01-01')"
)


@pytest.mark.req("C-6", "I-12")
def test_applications_that_were_there_and_tokens_of_access_keys_go_on(tmp_path: Path) -> None:
    app = create_app(load_settings({"ANTSTACK_DEMO": "1", "DATABASE_URL": f"sqlite:///{tmp_path}/m.db"}))
    with app.app_context():
        database.upgrade("0002_core")
        for name, public, site in (("secret", False, False), ("public", True, False), ("site", False, True)):
            db.session.execute(sa.text(CLIENT), {"id": name, "public": public, "site": site})
        db.session.execute(sa.text(KEY))
        db.session.execute(sa.text(TOKEN), {"id": "of key", "client": "key", "scope": ""})
        db.session.execute(sa.text(TOKEN), {"id": "of app", "client": "secret", "scope": "openid"})
        db.session.commit()

        database.upgrade("0003_iam")

        clients = dict(db.session.execute(sa.text("SELECT client_id, without_pkce FROM iam_oidc_client")).all())
        assert clients == {"secret": 1, "public": 0, "site": 0}
        assert set(db.session.scalars(sa.text("SELECT api_scope FROM iam_oidc_client"))) == {""}
        tokens = dict(db.session.execute(sa.text("SELECT id, scope FROM iam_token")).all())
        assert tokens == {"of key": "antstack.api", "of app": "openid"}
        db.session.commit()
        database.downgrade()
        assert db.session.scalar(sa.text("SELECT count(*) FROM iam_oidc_client")) == 3
        db.session.remove()
        db.engine.dispose()
