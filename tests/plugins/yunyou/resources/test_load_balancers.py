"""Load balancers that get their address late: it is kept with its registered name, or not at all (Y-72)."""

from __future__ import annotations

from typing import Any

import pytest

from app.db import db, new_id
from app.errors import CONFLICT
from plugins.yunyou.resources import load_balancers
from plugins.yunyou.resources.models import LoadBalancer
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
        self.owners: set[str] = set()

    def register(self, _tenant_id: str, name: str, _addresses: Any, owner: str) -> None:
        if name in self.refused:
            raise CONFLICT(detail="not now")
        self.made.append(name)
        self.owners.add(owner)


@pytest.mark.req("Y-72", "Q-20")
def test_a_name_that_could_not_be_registered_is_tried_again_and_others_go_on(
    tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = {"tenant_id": tenant.id, "environment_id": environment_of(tenant.id), "product": "SHOP", "application": "cart"}
    rows = [LoadBalancer(name=name, domain=f"{name}.example.test", listeners=[], **at) for name in ("a", "b")]
    db.session.add_all(rows)
    db.session.commit()
    records = FakeRecords()
    monkeypatch.setattr(load_balancers, "kube_of", lambda _environment: FakeKube())
    monkeypatch.setattr(load_balancers, "find_service", lambda _contract: records)
    monkeypatch.setattr(load_balancers, "AT_ONCE", 10_000)  # beside those that other tests left

    load_balancers.reconcile()
    db.session.expire_all()
    first = [row.address for row in rows]
    records.refused.clear()
    load_balancers.reconcile()
    db.session.expire_all()

    assert (first, [row.address for row in rows]) == (["", "192.0.2.10"], ["192.0.2.10"] * 2)
    assert {name for name in records.made if name in ("a.example.test", "b.example.test")} == {
        "a.example.test",
        "b.example.test",
    }
    assert f"SHOP/cart@{at['environment_id']}" in records.owners


@pytest.mark.req("Y-72", "Q-20")
def test_those_that_fail_in_an_unforeseen_way_starve_no_other_and_a_round_is_bounded(
    tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = {"tenant_id": tenant.id, "environment_id": environment_of(tenant.id), "product": "SHOP", "application": "cart"}
    keys = sorted(new_id() for _ in range(6))  # those that fail come first
    rows = [LoadBalancer(id=key, name=name, listeners=[], **at) for key, name in zip(keys, "abcdef", strict=True)]
    db.session.add_all(rows)
    db.session.commit()
    asked: list[str] = []

    class Odd:
        """A cluster that answers for some Services with what nobody foresaw."""

        def find(self, path: str) -> Any:
            asked.append(path)
            return {"status": "none"} if path[-2:] in ("/a", "/b", "/c") else ADDRESS

    monkeypatch.setattr(load_balancers, "kube_of", lambda _environment: Odd())
    monkeypatch.setattr(load_balancers, "find_service", lambda _contract: None)
    monkeypatch.setattr(load_balancers, "AT_ONCE", 3)
    for _ in range(500):
        before = len(asked)
        load_balancers.reconcile()
        assert len(asked) - before <= 3
        db.session.expire_all()
        if all(row.address for row in rows[3:]):
            break

    assert [row.address for row in rows] == [""] * 3 + ["192.0.2.10"] * 3
