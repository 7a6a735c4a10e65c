"""Leases in the database: one process at a time does a thing, and a late one cannot write (fencing token)."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from app.db import Name, affected, db, now


class Lease(db.Model):
    """Who may do the named thing, and until when. ``token`` rises with every new owner."""

    __tablename__ = "core_lease"

    name: Mapped[str] = mapped_column(String(160), primary_key=True)
    owner: Mapped[str] = mapped_column(Name)
    until: Mapped[datetime]
    token: Mapped[int] = mapped_column(default=1)


def owner() -> str:
    """This process, as leases name it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def take(name: str, seconds: float) -> int | None:
    """Take or renew the lease *name* for so many seconds, and commit.

    One that a wrong clock wrote counts as over.

    :returns: the fencing token, or None while another process holds it
    """
    moment, me = now(), owner()
    until = moment + timedelta(seconds=seconds)
    named = update(Lease).where(Lease.name == name)
    renewal = named.where(Lease.owner == me, Lease.until > moment).values(until=until)
    ended = or_(Lease.until <= moment, is_of_a_wrong_clock(Lease.until, moment, until - moment))
    seizure = named.where(ended).values(owner=me, until=until, token=Lease.token + 1)
    if not affected(renewal) and not affected(seizure) and not _made(name, me, until):
        db.session.rollback()
        return None
    token = db.session.scalar(select(Lease.token).where(Lease.name == name, Lease.owner == me))
    db.session.commit()
    return token


def is_of_a_wrong_clock(until: InstrumentedAttribute[Any], moment: datetime, length: timedelta) -> ColumnElement[bool]:
    """Whether a lease in column *until* ends later than one of this *length* that was taken just now could."""
    return until > moment + 2 * length


def release(name: str) -> None:
    """Give the lease up, so that another process need not wait for its end."""
    db.session.execute(update(Lease).where(Lease.name == name, Lease.owner == owner()).values(until=now()))
    db.session.commit()


def _made(name: str, me: str, until: datetime) -> bool:
    if db.session.scalar(select(Lease.name).where(Lease.name == name)) is not None:
        return False
    try:
        db.session.execute(insert(Lease).values(name=name, owner=me, until=until, token=1))
        db.session.flush()
    except IntegrityError:
        return False
    return True
