"""Leases in the database: one process at a time does a thing, and a late one cannot write (fencing token).

Orders and jobs keep theirs in their own rows, everything else in rows of names; all are the same :class:`Lease`.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, String, Update, insert, or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from app.db import Model, Name, affected, db, now

LITTLE = 0.7  # of its time: with less left it is renewed
RENEWALS = 4  # in the time that a lease lasts: three may fail


class Fenced(Exception):
    """Another process does this now; what this one did since its last commit is dropped."""


@dataclass
class Lease:
    """The right to do a thing until another process raises its token.

    :param mine: finds the row while it has this token
    :param until: the column that says how long
    :param also: columns that move with it
    """

    mine: ColumnElement[bool]
    until: InstrumentedAttribute[Any]
    length: timedelta
    token: int
    also: tuple[InstrumentedAttribute[Any], ...] = ()
    renewed: float = field(default_factory=time.monotonic)

    def commit(self, **values: Any) -> None:
        """Keep what was done, with *values* in the row, and renew the lease.

        :raises Fenced: another process raised the token; nothing since the last commit is kept
        """
        self.hold(**values)
        db.session.commit()
        self.renewed = time.monotonic()

    def hold(self, **values: Any) -> None:
        """Renew it in this transaction, with *values* in the row: until the transaction ends, nobody takes it over.

        :raises Fenced: another process raised the token; nothing since the last commit is kept
        """
        if not affected(self._renewal(values)):
            db.session.rollback()
            raise Fenced

    def keep(self) -> None:
        """As :meth:`commit`, if that is some time ago.

        :raises Fenced: another process raised the token
        """
        if time.monotonic() - self.renewed > self.length.total_seconds() / RENEWALS:
            self.commit()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Renew it from beside while something takes long, or nothing slow would ever end between two processes."""
        over, engine = threading.Event(), db.engine

        def renew() -> None:
            while not over.wait(self.length.total_seconds() / RENEWALS):
                with suppress(SQLAlchemyError), engine.begin() as connection:
                    connection.execute(self._renewal({}).where(self.until.is_not(None)))

        threading.Thread(target=renew, name="lease", daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def release(self) -> None:
        """Give it to whoever comes next, if it is still ours, and commit."""
        freed = update(self.until.class_).where(self.mine).values({self.until: None})
        db.session.execute(freed.execution_options(synchronize_session=False))
        db.session.commit()

    def _renewal(self, values: Mapping[str, Any]) -> Update:
        moment = now() + self.length
        renewed = update(self.until.class_).where(self.mine).values(dict.fromkeys((self.until, *self.also), moment))
        return renewed.values(**values).execution_options(synchronize_session=False)


class LeaseRow(Model):
    """Who may do the named thing, and until when. ``token`` rises with every new owner."""

    __tablename__ = "core_lease"

    name: Mapped[str] = mapped_column(String(160), primary_key=True)
    owner: Mapped[str] = mapped_column(Name)
    until: Mapped[datetime]
    token: Mapped[int] = mapped_column(default=1)


@cache
def owner() -> str:
    """This process, as leases name it: two containers may have one name, and processes of one number."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(6)}"


os.register_at_fork(after_in_child=owner.cache_clear)  # a fork is a process of its own


def take(name: str, seconds: float) -> Lease | None:
    """Take or renew the lease *name* for so many seconds, and commit.

    One that a wrong clock wrote counts as over. One that this process holds for most of the time to come is not written
    again: idle processes ask all the time.

    :returns: None while another process holds it
    """
    moment, me = now(), owner()
    until = moment + timedelta(seconds=seconds)
    held = db.session.execute(
        select(LeaseRow.owner, LeaseRow.until, LeaseRow.token).where(LeaseRow.name == name)
    ).first()
    if held and held[0] == me and seconds * LITTLE < (held[1] - moment).total_seconds() <= seconds:
        db.session.commit()
        return _ours(name, held[2], seconds)
    named = update(LeaseRow).where(LeaseRow.name == name)
    renewal = named.where(LeaseRow.owner == me, LeaseRow.until > moment).values(until=until)
    ended = or_(LeaseRow.until <= moment, is_of_a_wrong_clock(LeaseRow.until, moment, until - moment))
    seizure = named.where(ended).values(owner=me, until=until, token=LeaseRow.token + 1)
    if not affected(renewal) and not affected(seizure) and not _made(name, me, until):
        db.session.rollback()
        return None
    token = db.session.scalar(select(LeaseRow.token).where(LeaseRow.name == name, LeaseRow.owner == me))
    db.session.commit()
    return _ours(name, token, seconds) if token is not None else None


def _ours(name: str, token: int, seconds: float) -> Lease:
    ours = (LeaseRow.name == name) & (LeaseRow.owner == owner()) & (LeaseRow.token == token)
    return Lease(ours, LeaseRow.until, timedelta(seconds=seconds), token)


def is_of_a_wrong_clock(until: InstrumentedAttribute[Any], moment: datetime, length: timedelta) -> ColumnElement[bool]:
    """Whether a lease in column *until* ends later than one of this *length* that was taken just now could."""
    return until > moment + 2 * length


def release(name: str) -> None:
    """Give the lease up, so that another process need not wait for its end."""
    db.session.execute(update(LeaseRow).where(LeaseRow.name == name, LeaseRow.owner == owner()).values(until=now()))
    db.session.commit()


def _made(name: str, me: str, until: datetime) -> bool:
    if db.session.scalar(select(LeaseRow.name).where(LeaseRow.name == name)) is not None:
        return False
    try:
        db.session.execute(insert(LeaseRow).values(name=name, owner=me, until=until, token=1))
        db.session.flush()
    except IntegrityError:
        return False
    return True
