"""Load balancers that get their address late: it is kept with its registered name, or not at all (Y-72)."""

from __future__ import annotations

from typing import Any

import pytest

from app.db import db
from app.errors import CONFLICT
from plugins.yunyou import balancers
from plugins.yunyou.models import LoadBalancer
from tests.plugins.yunyou.makers import environment_of

ADDRESS = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}}}


class FakeKube:
    """A cluster in which every Service has an address."""

    def find(self, _path: str) -> dict[str, Any]:
        return ADDRESS


class FakeRecords:
    """Names that cannot be registered at first."""

    def __init__(self) -> None:
        self.refused = {"a.example.test"}
        self.made: list[str] = []

    def register(self, _tenant_id: str, name: str, _addresses: Any, _owner: str) -> None:
        if name in self.refused:
            raise CONFLICT(detail="not now")
        self.made.append(name)


@pytest.mark.req("Y-72", "Q-20")
def test_a_name_that_could_not_be_registered_is_tried_again_and_others_go_on(
    tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = {"tenant_id": tenant.id, "environment_id": environment_of(tenant.id), "product": "SHOP", "application": "cart"}
    rows = [LoadBalancer(name=name, domain=f"{name}.example.test", listeners=[], **at) for name in ("a", "b")]
    db.session.add_all(rows)
    db.session.commit()
    records = FakeRecords()
    monkeypatch.setattr(balancers, "kube_of", lambda _environment: FakeKube())
    monkeypatch.setattr(balancers, "find_service", lambda _contract: records)

    balancers.reconcile()
    db.session.expire_all()
    first = [row.address for row in rows]
    records.refused.clear()
    balancers.reconcile()
    db.session.expire_all()

    assert (first, [row.address for row in rows]) == (["", "192.0.2.10"], ["192.0.2.10"] * 2)
    assert {name for name in records.made if name in ("a.example.test", "b.example.test")} == {"a.example.test", "b.example.test"}
