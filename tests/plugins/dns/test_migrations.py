"""What the migration of zones and registered names does to a site that has some already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.application import create_app
from app.config import load_settings
from app.db import db
from app.processes import database
from tests.databases import empty

ZONE = (
    "INSERT INTO dns_zone (id, tenant_id, created_at, version, name, serial, default_ttl, primary_server, contact)"
    " VALUES (:name, :tenant, '2026-01-01', 1, :name, 1, 300, 'ns1', 'x')"
)
RECORD = (
    "INSERT INTO dns_record_set (id, created_at, zone_id, name, type, ttl, {values}, owner)"
    " VALUES (:name, '2026-01-01', :zone, :name, 'A', 300, '[]', :owner)"
)
BALANCER = (
    "INSERT INTO yunyou_load_balancer"
    " (id, tenant_id, created_at, environment_id, product, application, name, provider, network, domain, listeners,"
    " address, state)"
    " VALUES (:id, :tenant, '2026-01-01', :environment, 'SHOP', 'web', 'lb', '', '', :domain, '[]', '', '')"
)


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    with empty(request.param, tmp_path) as address:
        yield address


def found(query: str) -> dict[str, str]:
    """The rows of a query of two columns, by the first."""
    return {row[0]: row[1] for row in db.session.execute(sa.text(query))}


@pytest.mark.req("C-6", "C-71", "D-3")
def test_zones_know_their_domain_and_registered_names_their_environment_where_one_has_them(url: str) -> None:
    app = create_app(load_settings({"ANTSTACK_DEMO": "1", "DATABASE_URL": url}))
    with app.app_context():
        database.upgrade("0009_core")
        for tenant, name in (("t1", "shop.example"), ("t1", "a.b.example"), ("t2", "else.example")):
            db.session.execute(sa.text(ZONE), {"tenant": tenant, "name": name})
        db.session.execute(sa.text("INSERT INTO dns_domain (name, zones) VALUES ('shop.example', 1)"))
        values = db.engine.dialect.identifier_preparer.quote_identifier("values")
        for name, owner in (
            ("one", "SHOP/web"),
            ("both", "SHOP/web"),
            ("none", "SHOP/web"),
            ("hand", ""),
            ("other", "PAY/web"),
        ):
            row = {"name": f"{name}.shop.example", "zone": "shop.example", "owner": owner}
            db.session.execute(sa.text(RECORD.format(values=values)), row)
        kept = [
            ("t1", "e1", "one"),
            ("t1", "e1", "both"),
            ("t1", "e2", "both"),
            ("t1", "e1", "hand"),
            ("t1", "e1", "other"),
            ("t2", "e3", "one"),
        ]
        for at, (tenant, environment, name) in enumerate(kept):
            row = {
                "id": f"b{at}",
                "tenant": tenant,
                "environment": f"{environment}{at}",
                "domain": f"{name}.shop.example",
            }
            db.session.execute(sa.text(BALANCER), row)
        db.session.commit()

        database.upgrade("0010_dns")
        domains, owners = found("SELECT name, domain FROM dns_zone"), found("SELECT name, owner FROM dns_record_set")
        db.session.rollback()
        database.downgrade("0009_core")
        before = found("SELECT name, owner FROM dns_record_set")
        zones = found("SELECT name, zones FROM dns_domain")
        db.session.remove()
        db.engine.dispose()

    assert domains == {"shop.example": "shop.example", "a.b.example": "b.example", "else.example": "else.example"}
    without = {"both": "SHOP/web", "none": "SHOP/web", "hand": "", "other": "PAY/web"}
    assert owners == {f"{name}.shop.example": owner for name, owner in {"one": "SHOP/web@e10", **without}.items()}
    assert before == {f"{name}.shop.example": owner for name, owner in {"one": "SHOP/web", **without}.items()}
    assert zones == {"shop.example": 1}
