"""Seals audit rows: numbers them per tenant, hashes each with the one before, adds an HMAC under the key ring (C-31).

Safe beside another sealer: two seals for one place break the primary key, and the later transaction is undone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from app import crypto
from app.audit import chain, checkpoints, counts
from app.audit.models import AuditEvent, AuditHead, AuditSeal, AuditWaiting
from app.audit.offline import ABANDONED, GENESIS, OPEN
from app.db import db, now, table_of

BATCH = 1_000
MOST_WAITING = 10_000
PLACE = chain.OF_THE_EVENT.index("tenant_id")


def seal_all(seconds: float = 60.0) -> int:
    """Seal what waits, oldest first, in transactions of a thousand rows, for about so many seconds at most.

    :returns: how many rows were sealed
    """
    end = time.monotonic() + seconds
    total = 0
    while (sealed := seal_batch()) and time.monotonic() < end:
        total += sealed
    return total + sealed


def is_any(engine: Engine) -> bool:
    """Whether a row waits: what an idle sealer asks all the time, without a session."""
    with engine.connect() as connection:
        return connection.scalar(select(AuditWaiting.event_id).limit(1)) is not None


def seal_batch() -> int:
    """Seal the oldest rows that wait, of whatever tenants, and commit. An operation under way waits for its end.

    :returns: how many; 0 when none is left
    """
    try:
        return _seal_batch(of_heads)
    except IntegrityError:  # another sealer was faster, or somebody changed a head
        db.session.rollback()
        return _seal_batch(of_seals)


def _seal_batch(find_heads: Any) -> int:
    moment = now()
    over = or_(AuditEvent.result != OPEN, AuditEvent.created_at < moment - ABANDONED)
    fresh = db.session.execute(
        select(*chain.EVENT_COLUMNS)
        .join(AuditWaiting, AuditWaiting.event_id == AuditEvent.id)
        .where(
            over,
            AuditEvent.created_at <= moment,
            ~select(AuditSeal.seq).where(AuditSeal.event_id == AuditEvent.id).exists(),
        )
        .order_by(AuditWaiting.event_id)
        .limit(BATCH)
    ).all()
    if not fresh:
        return 0
    heads = find_heads(sorted({row[PLACE] for row in fresh}))
    known = frozenset(heads)
    db.session.execute(insert(table_of(AuditSeal)), _seals(fresh, heads))
    sealed = select(AuditSeal.seq).where(AuditSeal.event_id == AuditWaiting.event_id).exists()
    db.session.execute(delete(AuditWaiting).where(AuditWaiting.event_id.between(fresh[0][0], fresh[-1][0]), sealed))
    _keep(heads, known)
    counts.add(fresh)
    db.session.commit()
    return len(fresh)


Heads = dict[str, tuple[int, str, datetime]]


def of_heads(tenants: Sequence[str]) -> Heads:
    """Where the chains of these tenants end, as the heads tell; for those that have none, as their seals tell."""
    found = select(AuditHead.tenant_id, AuditHead.seq, AuditHead.digest, AuditHead.newest)
    rows = db.session.execute(found.where(AuditHead.tenant_id.in_(tenants)))
    heads: Heads = {tenant: (seq, digest, newest) for tenant, seq, digest, newest in rows}
    return heads


def of_seals(tenants: Sequence[str]) -> Heads:
    """The same, as the seals tell; heads that do not agree are written anew."""
    heads: Heads = {}
    db.session.execute(delete(AuditHead).where(AuditHead.tenant_id.in_(tenants)))
    for tenant in tenants:
        newest = select(AuditSeal.seq, AuditSeal.digest, AuditEvent.created_at)
        newest = newest.outerjoin(AuditEvent, AuditEvent.id == AuditSeal.event_id).where(AuditSeal.tenant_id == tenant)
        if found := db.session.execute(newest.order_by(AuditSeal.seq.desc()).limit(1)).first():
            heads[tenant] = (found[0], found[1], found[2] or now())
            db.session.add(
                AuditHead(tenant_id=tenant, seq=found[0], digest=found[1], newest=heads[tenant][2], stated=0)
            )
    db.session.flush()
    return heads


def _seals(fresh: Sequence[Row[Any]], heads: Heads) -> list[dict[str, Any]]:
    """Seals for these rows, in their order; *heads* goes along."""
    name, key = crypto.ring().active, chain.mac_key()
    told = (db.session.scalar(select(func.max(AuditHead.newest))), checkpoints.through())  # heads are not signed
    after = max((moment for moment in told if moment), default=None)
    made = []
    for row in fresh:
        values = list(row)
        tenant, created = values[PLACE], values[chain.CREATED]
        values[chain.CREATED] = chain.written(created)
        seq, previous, newest = heads.get(tenant, (0, GENESIS, created))
        digest = chain.digest(values, seq + 1, previous, chain.written(after) if after else None)
        heads[tenant] = (seq + 1, digest, max(newest, created))
        made.append(
            {
                "tenant_id": tenant,
                "seq": seq + 1,
                "event_id": values[0],
                "previous": previous,
                "digest": digest,
                "sealed_after": after,
                "mac": chain.mac(digest, key),
                "key": name,
            }
        )
    return made


def _keep(heads: Heads, known: frozenset[str]) -> None:
    rows = [
        {"tenant_id": tenant, "seq": seq, "digest": digest, "newest": newest}
        for tenant, (seq, digest, newest) in heads.items()
    ]
    if old := [row for row in rows if row["tenant_id"] in known]:
        db.session.execute(update(AuditHead), old)
    if new := [{**row, "stated": 0} for row in rows if row["tenant_id"] not in known]:
        db.session.execute(insert(table_of(AuditHead)), new)


def state(tenant_id: str) -> tuple[int, int]:
    """How many rows of a tenant are sealed, and how many wait for it (counted to ten thousand)."""
    sealed = db.session.scalar(select(AuditHead.seq).where(AuditHead.tenant_id == tenant_id)) or 0
    waiting = select(AuditWaiting.event_id).join(AuditEvent, AuditEvent.id == AuditWaiting.event_id)
    bounded = waiting.where(AuditEvent.tenant_id == tenant_id).limit(MOST_WAITING).subquery()
    return sealed, db.session.scalar(select(func.count()).select_from(bounded)) or 0
