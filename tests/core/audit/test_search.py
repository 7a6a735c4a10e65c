"""Text search in the audit on SQLite, PostgreSQL and MariaDB, and what the migration does with rows that were there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update

from app import crypto
from app.application import create_app
from app.audit import counts, seal, search
from app.audit.models import AuditEvent, AuditSeal
from app.audit.verify import verify
from app.config import load_settings
from app.core import audit_trail as trail
from app.db import db, new_id, now
from app.processes import database, doctor
from tests.databases import SERVERS

pytestmark = pytest.mark.req("Q-6", "C-30")
TENANT = "s" * 26


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application on each kind of database, made by the migrations."""
    keys = crypto._ring
    folder = tmp_path_factory.mktemp("search")
    if request.param == "sqlite":
        yield from made(f"sqlite:///{folder}/s.db", folder)
    else:
        with SERVERS[request.param]() as server:
            yield from made(server.url, folder)
    crypto._ring = keys


def made(url: str, folder: Path) -> Iterator[Flask]:
    application = create_app(
        load_settings({"ANTSTACK_DEMO": "1", "DATABASE_URL": url, "ANTSTACK_AUDIT_FOLDER": f"{folder}/apart"})
    )
    with application.app_context():
        database.upgrade()
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def rows(app: Flask) -> None:
    """Three rows that differ in what they tell."""
    db.session.execute(delete(AuditEvent))
    add(operator="Zoë Müller", resource_name="shop-frontend", title_zh="创建执行单")
    add(operator="张伟", resource_name="订单系统 orders", operation="dns.zone.deleted")
    add(operator="Bob", resource_name="100%_sure", trace_id="abcdef0123456789abcdef0123456789")


def add(**changes: Any) -> AuditEvent:
    who = {
        "operator_key": "member:x",
        "operator": "x",
        "login": "x@example.test",
        "source_ip": "192.0.2.77",
        "user_agent": "",
    }
    what = {
        "plugin": "test",
        "operation": "test.thing.done",
        "title_en": "Did a thing",
        "title_zh": "做了",
        "trace_id": "0" * 32,
    }
    on = {"resource_type": "thing", "resource_id": "i", "resource_name": "n", "detail": {}, "result": "success"}
    row = AuditEvent(**{"id": new_id(), "tenant_id": TENANT, **who, **what, **on, **changes})
    db.session.add(row)
    db.session.commit()
    return row


def found(words: str) -> set[str]:
    return {row.operator for row in db.session.scalars(trail.events(trail.AuditQuery(q=words), TENANT))}


@pytest.mark.parametrize(
    ("words", "whose"),
    [
        ("shop", {"Zoë Müller"}),
        ("SHOP-front", {"Zoë Müller"}),
        ("müller shop", {"Zoë Müller"}),
        ("bob shop", set()),
        ("x@example.test", {"Zoë Müller", "张伟", "Bob"}),
        ("example.com", set()),
        ("订单", {"张伟"}),
        ("执行单", {"Zoë Müller"}),
        ("张", {"张伟"}),
        ("dns.zone.deleted", {"张伟"}),
        ("nosuchword", set()),
        ("192.0.2.77", {"Zoë Müller", "张伟", "Bob"}),
        ("abcdef0123456789abcdef0123456789", {"Bob"}),
        ("bo", {"Bob"}),
        ("100%", {"Bob"}),
        ('quo"te', set()),
        ("' OR 1=1 --", set()),
        ("(+*~", set()),
        (" \t\u3000", {"Zoë Müller", "张伟", "Bob"}),
    ],
)
def test_every_word_counts_whatever_its_case_its_length_and_its_characters(
    rows: None, words: str, whose: set[str]
) -> None:
    assert found(words) == whose


def test_a_row_that_changes_before_it_is_sealed_is_found_by_what_it_became(rows: None) -> None:
    row = add(operator="Late", result="started")
    row.resource_name = "became-this"
    db.session.commit()

    assert found("became-this") == {"Late"}
    db.session.delete(row)
    db.session.commit()
    assert found("became-this") == set()


def test_words_that_no_index_serves_are_looked_for_in_the_newest_rows_only(
    rows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "NEWEST", 2)

    assert found("mü") == set()
    assert found("bo") == {"Bob"}


def test_the_plan_of_a_search_uses_the_index(app: Flask, rows: None) -> None:
    kind = db.engine.dialect.name
    query = select(AuditEvent.id).where(search.matching("shop", []))
    compiled = query.compile(db.engine, compile_kwargs={"literal_binds": True})
    if kind == "postgresql":
        db.session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = str(
        db.session.execute(
            text(f"{'EXPLAIN QUERY PLAN' if kind == 'sqlite' else 'EXPLAIN'} {compiled}".replace(":", "\\:"))
        ).all()
    )
    db.session.rollback()

    assert {"sqlite": "VIRTUAL TABLE", "postgresql": search.INDEX, "mysql": "fulltext"}[kind] in plan


def test_a_search_that_is_often_made_is_still_planned_for_its_words(app: Flask, rows: None) -> None:
    """The driver prepares what is sent often; a plan for any words would read a whole index for two letters."""
    if db.engine.dialect.name != "postgresql":
        return
    for _ in range(12):
        found("shop")
    generic = db.session.scalar(
        text("SELECT coalesce(sum(generic_plans), 0) FROM pg_prepared_statements WHERE statement LIKE '%words LIKE%'")
    )
    custom = db.session.scalar(
        text("SELECT coalesce(sum(custom_plans), 0) FROM pg_prepared_statements WHERE statement LIKE '%words LIKE%'")
    )

    assert (generic, custom > 0) == (0, True)


def test_without_the_extension_the_newest_rows_are_searched_and_the_doctor_says_so(
    app: Flask, rows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if db.engine.dialect.name != "postgresql":  # the others need no extension
        assert doctor._audit_search() is None
        return
    app.extensions.pop(search.EXTENSION, None)
    db.session.execute(text(f"DROP INDEX {search.INDEX}"))
    db.session.commit()
    try:
        assert found("shop") == {"Zoë Müller"}
        problem = doctor._audit_search()
        assert problem is not None
        assert "CREATE EXTENSION pg_trgm" in problem.in_("en")
    finally:
        db.session.execute(text(search.POSTGRESQL))
        db.session.commit()
        app.extensions.pop(search.EXTENSION, None)


def test_what_is_counted_is_counted_once(app: Flask, rows: None) -> None:
    before = counts.by_result().get("success", 0)
    seal.seal_all()
    first = counts.by_result()["success"]
    add()
    seal.seal_all()

    assert counts.by_result()["success"] == first + 1 > before


@pytest.mark.req("C-71")
def test_rows_that_were_sealed_before_the_migration_are_sealed_anew_and_one_step_back_keeps_them(app: Flask) -> None:
    for table in ("seal", "waiting", "head", "checkpoint", "count", "event"):
        db.session.execute(text(f"DELETE FROM core_audit_{table}"))
    db.session.commit()
    for number in range(5):
        add(resource_name=f"kept-{number}")
    seal.seal_all()
    db.session.remove()

    database.downgrade(before_the_seals())
    database.upgrade()

    assert seal.seal_all() == 5
    assert list(verify(TENANT)) == []
    assert len(list(db.session.scalars(select(AuditSeal).where(AuditSeal.tenant_id == TENANT)))) == 5
    assert found("kept-3") == {"x"}
    db.session.execute(update(AuditEvent).values(created_at=now() - timedelta(minutes=1)))
    db.session.commit()
    assert list(verify(TENANT)) != []


def before_the_seals() -> str:
    """The revision before the one that made the seals."""
    file = next((database.MIGRATIONS / "versions").glob("*_core_audit_seals.py"))
    line = next(line for line in file.read_text().splitlines() if line.startswith("down_revision"))
    return line.split('"')[1]
