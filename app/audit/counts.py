"""Counts of sealed rows by day, so that neither the summary nor ``/metrics`` reads the rows (guide 3.8.1, C-61)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Executable, Select, select

from app.audit import chain
from app.audit.models import AuditCount, AuditEvent, AuditWaiting
from app.db import db, now, table_of

SITE, EVER = "*", ""
OPERATION, OPERATOR, RESULT = "operation", "operator", "result"
COLUMNS = ("tenant_id", "day", "kind", "name")
WAITING = 10_000
SHOWN = 20
Key = tuple[str, str, str, str]


def add(rows: Sequence[Sequence[Any]]) -> None:
    """Count rows that are sealed in this transaction: their values in the order of :data:`chain.EVENT_COLUMNS`."""
    amounts, words = _counted(dict(zip(chain.OF_THE_EVENT, row, strict=True)) for row in rows)
    # In one order, so that two sealers at once do not wait for each other in a circle.
    values = [
        {**dict(zip(COLUMNS, key, strict=True)), "words": words[key], "amount": amounts[key]} for key in sorted(amounts)
    ]
    db.session.execute(_added(db.engine.dialect.name), values)


def _added(dialect: str) -> Executable:
    """A row of counts, or so many more where it is there."""
    if dialect == "mysql":
        from sqlalchemy.dialects import mysql

        made = mysql.insert(table_of(AuditCount))
        return made.on_duplicate_key_update(amount=table_of(AuditCount).c.amount + made.inserted.amount)
    from sqlalchemy.dialects import postgresql, sqlite

    added = (sqlite if dialect == "sqlite" else postgresql).insert(table_of(AuditCount))
    more = table_of(AuditCount).c.amount + added.excluded.amount
    raised: Executable = added.on_conflict_do_update(index_elements=list(COLUMNS), set_={"amount": more})
    return raised


def _counted(rows: Iterable[Mapping[str, Any]]) -> tuple[Counter[Key], dict[Key, dict[str, str]]]:
    amounts: Counter[Key] = Counter()
    words: dict[Key, dict[str, str]] = {}
    for row in rows:
        tenant, day = row["tenant_id"], f"{row['created_at']:%Y-%m-%d}"
        who = {"operator": row["operator"], "login": row["login"]} if row["operator_key"] else {}
        for key, said in (
            ((tenant, day, OPERATION, row["operation"]), {"en": row["title_en"], "zh": row["title_zh"]}),
            ((tenant, day, OPERATOR, row["operator_key"]), who),
            ((tenant, day, RESULT, row["result"]), {}),
            ((SITE, EVER, RESULT, row["result"]), {}),
        ):
            amounts[key] += 1
            words[key] = said
    return amounts, words


def by_result() -> dict[str, int]:
    """Sealed rows of the whole site by result: a look-up, however many there are."""
    query = select(AuditCount.name, AuditCount.amount)
    found = query.where(AuditCount.tenant_id == SITE, AuditCount.day == EVER, AuditCount.kind == RESULT)
    return {row[0]: row[1] for row in db.session.execute(found)}


def summary(tenant_id: str, days: int) -> dict[str, Any]:
    """Operations of the last days: in all, by day, by kind, by person (guide 3.8.1). Days are those of UTC.

    Rows that are not sealed yet count too, up to ten thousand of them.
    """
    first = f"{now() - timedelta(days=days - 1):%Y-%m-%d}"
    amounts, words = _counted(
        {str(name): value for name, value in row._mapping.items()} for row in db.session.execute(_waiting(tenant_id))
    )
    query = select(*(getattr(AuditCount, name) for name in (*COLUMNS, "amount", "words")))
    for tenant, day, kind, name, amount, said in db.session.execute(
        query.where(AuditCount.tenant_id == tenant_id, AuditCount.day >= first)
    ):
        amounts[tenant, day, kind, name] += amount
        words[tenant, day, kind, name] = said
    mine = {key: amount for key, amount in amounts.items() if key[0] == tenant_id and key[1] >= first}
    by_day: Counter[str] = Counter()
    of_kind: dict[str, Counter[str]] = {OPERATION: Counter(), OPERATOR: Counter(), RESULT: Counter()}
    said_of = {(key[2], key[3]): words[key] for key in mine}
    for (_, day, kind, name), amount in mine.items():
        of_kind[kind][name] += amount
        by_day[day] += amount if kind == RESULT else 0
    return {
        "days": days,
        "total": by_day.total(),
        "byDay": [{"day": day, "count": count} for day, count in sorted(by_day.items())],
        "byOperation": [
            {"operation": name, "title": said_of[OPERATION, name], "count": count}
            for name, count in of_kind[OPERATION].most_common(SHOWN)
        ],
        "byOperator": [
            {"operator": "", "login": "", **said_of[OPERATOR, name], "count": count}
            for name, count in of_kind[OPERATOR].most_common(SHOWN)
        ],
        "byResult": dict(of_kind[RESULT]),
    }


def _waiting(tenant_id: str) -> Select[Any]:
    columns = [getattr(AuditEvent, name) for name in chain.OF_THE_EVENT]
    waiting = select(*columns).join(AuditWaiting, AuditWaiting.event_id == AuditEvent.id)
    return waiting.where(AuditEvent.tenant_id == tenant_id).limit(WAITING)
