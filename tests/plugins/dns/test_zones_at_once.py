"""Zones made at once on PostgreSQL and MariaDB, and what is told where two transactions are in each other's way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select, update
from sqlalchemy.exc import OperationalError

from app import caller
from app.application import create_app
from app.caller import Caller
from app.config import load_settings
from app.contracts.identity import Principal
from app.db import db, new_id, now
from app.web import problems
from plugins.dns import service
from plugins.dns.models import Domain, Zone
from tests.databases import SERVERS

pytestmark = [pytest.mark.req("C-45"), pytest.mark.real]


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a server database."""
    folder = tmp_path_factory.mktemp("site")
    with SERVERS[request.param]() as server:
        app = create_app(
            load_settings(
                {"ANTSTACK_DEMO": "1", "DATABASE_URL": server.url, "ANTSTACK_AUDIT_FOLDER": f"{folder}/audit"}
            )
        )
        with app.app_context():
            db.create_all()
            yield app
            db.session.remove()
            db.engine.dispose()


def both(app: Flask, *acts: Callable[[], Any]) -> list[Exception]:
    """Each in a transaction of its own, in a thread of somebody of a tenant of their own; what went wrong."""
    failed: list[Exception] = []

    def at_work(act: Callable[[], Any]) -> None:
        who = Caller(principal=Principal("system", "t", "T", "t", new_id()), trace_id="5" * 32)
        with app.test_request_context(), caller.acting_as(who):
            try:
                act()
                db.session.commit()
            except Exception as error:
                failed.append(error)
                db.session.rollback()
            finally:
                db.session.remove()

    threads = [threading.Thread(target=at_work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return failed


@pytest.mark.req("D-3")
@pytest.mark.parametrize("known", [True, False])
def test_zones_of_two_domains_that_are_made_at_once_are_both_made(
    served: Flask, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    domains = [f"d{new_id()[-10:]}.example" for _ in range(2)]
    if known:
        assert both(served, *(lambda name=f"first.{domain}": service.create_zone(name) for domain in domains)) == []
    together, look = threading.Barrier(2), service._need_free

    def looked(name: str, tenant_id: str) -> None:
        look(name, tenant_id)
        together.wait(30)

    monkeypatch.setattr(service, "_need_free", looked)
    names = [f"second.{domain}" for domain in domains]

    failed = both(served, *(lambda name=name: service.create_zone(name) for name in names))

    assert failed == []
    db.session.rollback()
    assert set(db.session.scalars(select(Zone.name).where(Zone.name.in_(names)))) == set(names)


@pytest.mark.req("D-3")
def test_a_zone_that_was_made_after_a_transaction_began_to_read_is_seen(served: Flask) -> None:
    parent = f"d{new_id()[-10:]}.example"
    assert both(served, lambda: service.create_zone(f"first.{parent}")) == []

    def late() -> None:
        db.session.execute(select(Zone.name)).all()
        with db.engine.begin() as other:
            values = {"serial": 1, "default_ttl": 300, "primary_server": "ns1", "contact": "x", "version": 1}
            other.execute(
                insert(Zone).values(
                    id=new_id(), tenant_id=new_id(), created_at=now(), name=f"a.shop.{parent}", **values
                )
            )
        service.create_zone(f"shop.{parent}")

    failed = both(served, late)

    assert [told(error) for error in failed] == [("DNS/ZONE_OVERLAPS", 409)]


def told(error: Exception) -> tuple[str, int]:
    """The code and status with which a request answers it."""
    found = problems._told(error)
    return found.code, found.status


def changed(name: str) -> Any:
    """A statement that writes a row."""
    return update(Domain).where(Domain.name == name).values(name=Domain.name)


@pytest.fixture
def pair(served: Flask) -> list[str]:
    """Two rows."""
    names = [new_id(), new_id()]
    db.session.add_all([Domain(name=name) for name in names])
    db.session.commit()
    return names


def test_of_two_that_wait_for_each_other_one_is_told_of_a_conflict(served: Flask, pair: list[str]) -> None:
    together = threading.Barrier(2)

    def change(first: str, second: str) -> None:
        db.session.execute(changed(first))
        together.wait(30)
        db.session.execute(changed(second))

    failed = both(served, lambda: change(*pair), lambda: change(*reversed(pair)))

    assert [told(error) for error in failed] == [("CORE/CONFLICT", 409)]


def test_a_change_of_what_changed_since_it_was_read_is_told_as_a_conflict(served: Flask, pair: list[str]) -> None:
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as late:
        if late.dialect.name == "mysql":
            late.exec_driver_sql("SET innodb_snapshot_isolation = ON")
            late.commit()
        assert late.execute(select(Domain.name).where(Domain.name == pair[0])).first()
        with db.engine.begin() as other:
            other.execute(update(Domain).where(Domain.name == pair[0]).values(name=pair[0].upper()))
        with pytest.raises(OperationalError) as failed:
            late.execute(update(Domain).where(Domain.name.in_([pair[0], pair[0].upper()])).values(name=Domain.name))

    assert told(failed.value) == ("CORE/CONFLICT", 409)
