"""Walks the chains and names what does not hold: against the seals, the heads and the signed checkpoints (C-31)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, DateTime, Row, func, select, type_coerce

from app.audit import chain, checkpoints
from app.audit.models import AuditCheckpoint, AuditEvent, AuditHead, AuditSeal, AuditWaiting
from app.audit.offline import GENESIS, GRACE, is_back_dated
from app.db import db, now
from app.words import Text, _, plain

PAGE = 5_000
# Times as the driver gives them, without a zone: a million of them are not made aware for nothing.
SEAL_COLUMNS = (
    AuditSeal.seq,
    AuditSeal.event_id,
    AuditSeal.previous,
    AuditSeal.digest,
    type_coerce(AuditSeal.sealed_after, DateTime),
    AuditSeal.mac,
    AuditSeal.key,
)
EVENT_COLUMNS = tuple(
    type_coerce(column, DateTime) if name == "created_at" else column
    for name, column in zip(chain.OF_THE_EVENT, chain.EVENT_COLUMNS, strict=True)
)
FIRST_OF_EVENT = len(SEAL_COLUMNS)
ID, CREATED, TENANT, RESULT, DURATION = (
    chain.OF_THE_EVENT.index(name) for name in ("id", "created_at", "tenant_id", "result", "duration_ms")
)

GONE = _("the row is gone")
MOVED = _("it was moved to another tenant")
ALTERED = _("it was altered after it was sealed")
UNLINKED = _("it does not follow the row before it")
FORGED = _("its seal was not made with a key of this site")
NO_KEY = _("it was sealed with a key that ANTSTACK_KEYS has no more, so that it cannot be told who sealed it")
HEAD = _("the head of the chain tells otherwise")
BOTH_GONE = _("row and seal are gone")
CHAIN_GONE = _("the whole chain is gone")
UNSTATED = _("a signed checkpoint tells another digest")
BACK_DATED = _("it is dated before rows that were sealed before it")
UNSEALED = _("it has no seal and does not wait for one: it was un-sealed or slipped in")
AHEAD = _("it is dated in the future, so that it waits for its seal")
LOST = _("it was removed before it was sealed")


@dataclass(frozen=True, slots=True)
class Break:
    """Where the audit does not hold: tenant, row (``seq`` 0 if it has none), event, what is wrong.

    ``until`` is the last ``seq`` of neighbours that have the same problem. Problems of checkpoints have no tenant.
    """

    tenant_id: str
    seq: int
    event_id: str
    problem: Text
    until: int = 0

    @property
    def words(self) -> Text:
        """The problem with its place, for people."""
        if not self.seq:
            return self.problem
        rows = f"{self.seq}" if self.until <= self.seq else f"{self.seq}–{self.until}"
        return _("#{rows}: {problem}").format(rows=rows, problem=self.problem)


Watch = Callable[[int], object]


def verify(
    tenant_id: str | None = None, exported: Path | None = None, watch: Watch = lambda _rows: None
) -> Iterator[Break]:
    """Walk the chains of one tenant or of all.

    :param exported: checkpoints that were kept elsewhere (``antstack audit export-checkpoints``), besides the site's
        own
    :param watch: told after every page how many rows it had
    """
    problems, claims = _checkpoints(exported)
    yield from problems
    tenants = {tenant_id} if tenant_id is not None else _tenants() | set(claims)
    for tenant in sorted(tenants):
        yield from merged(_Walk(tenant, claims.get(tenant, {}), _head(tenant)).run(watch))
    yield from _outside(tenant_id)


Claims = dict[str, dict[int, set[str]]]


def _checkpoints(exported: Path | None) -> tuple[list[Break], Claims]:
    """What the statements of table, file and export tell, and what is wrong with them."""
    own, read = checkpoints.path(), checkpoints.reader()
    files = [
        (path, *checkpoints.told_by(checkpoints.in_file(path), str(path), read)) for path in (own, exported) if path
    ]
    table, found = checkpoints.told_by(checkpoints.in_table(), "core_audit_checkpoint", read)
    problems = [_of_no_row(plain(problem)) for problem in found]
    for path, told, found in files:
        problems += [_of_no_row(plain(problem)) for problem in found]
        problems += _compared(table.number, told.number, path, path == own)
    if not max(table.number, *(told.number for _file, told, _found in files)) and _was_stated():
        problems.append(_of_no_row(_("there is no checkpoint any more, though some were made")))
    claims: Claims = {}
    for told in (table, *(told for _file, told, _found in files)):
        for tenant, ends in told.claims.items():
            for seq, (digest, __) in ends.items():
                claims.setdefault(tenant, {}).setdefault(seq, set()).add(digest)
    between, wrong = checkpoints.told_between(read)
    for tenant, (seq, digest) in between.items():
        claims.setdefault(tenant, {}).setdefault(seq, set()).add(digest)
    return problems + [_of_no_row(problem) for problem in wrong], claims


def _was_stated() -> bool:
    return db.session.scalar(select(AuditHead.tenant_id).where(AuditHead.stated > 0).limit(1)) is not None


def _compared(of_table: int, of_file: int, file: Path, is_own: bool) -> Iterator[Break]:
    """Where table and file differ; the newest statement may stand in one of them only for a moment."""
    settled = AuditCheckpoint.at < now() - checkpoints.SETTLED
    missing = select(AuditCheckpoint.number).where(AuditCheckpoint.number > of_file, settled).limit(1)
    if of_file > of_table:
        yield _of_no_row(
            _("the database lacks the checkpoints {first} to {last}, which {file} has").format(
                first=of_table + 1, last=of_file, file=file
            )
        )
    elif is_own and not of_file and of_table:
        yield _of_no_row(
            _("{file} is gone or empty, though there are {number} checkpoints").format(file=file, number=of_table)
        )
    elif is_own and of_file < of_table and db.session.scalar(missing) is not None:
        yield _of_no_row(
            _(
                "{file} ends with checkpoint {last}, the database with {newest}: it was cut, or another machine "
                "writes it"
            ).format(file=file, last=of_file, newest=of_table)
        )


def _of_no_row(problem: Text) -> Break:
    """A problem that belongs to no row."""
    return Break("", 0, "", problem)


def _tenants() -> set[str]:
    return {
        *db.session.scalars(select(AuditSeal.tenant_id).distinct()),
        *db.session.scalars(select(AuditHead.tenant_id)),
    }


def _head(tenant_id: str) -> tuple[int, str]:
    found = db.session.execute(select(AuditHead.seq, AuditHead.digest).where(AuditHead.tenant_id == tenant_id)).first()
    return (found[0], found[1]) if found else (0, GENESIS)


def _written_of_naive(moment: datetime) -> str:
    """As :func:`chain.written`, of a time in UTC without its zone."""
    return moment.isoformat(timespec="microseconds") + "+00:00"


def _pages(tenant_id: str) -> Iterator[Sequence[Row[Any]]]:
    """A chain with its rows, page by page; the database reads the next one while this one is checked."""
    with db.engine.connect() as connection, ThreadPoolExecutor(1) as reader:
        coming = reader.submit(_page, connection, tenant_id, 0)
        while page := coming.result():
            if len(page) == PAGE:
                coming = reader.submit(_page, connection, tenant_id, page[-1][0])
            yield page
            if len(page) < PAGE:
                return


def _page(connection: Connection, tenant_id: str, after: int) -> Sequence[Row[Any]]:
    query = select(*SEAL_COLUMNS, *EVENT_COLUMNS).outerjoin(AuditEvent, AuditEvent.id == AuditSeal.event_id)
    mine = query.where(AuditSeal.tenant_id == tenant_id, AuditSeal.seq > after).order_by(AuditSeal.seq).limit(PAGE)
    return connection.execute(mine).all()


@dataclass
class _Walk:
    """One chain from its beginning to its end; ``head`` was read before, as the chain may grow meanwhile."""

    tenant: str
    claims: dict[int, set[str]]
    head: tuple[int, str]
    expected: int = 1
    previous: str = GENESIS
    keys: chain.MacKeys = field(default_factory=chain.MacKeys)
    after: tuple[datetime | None, str | None] = (None, None)  # rows that were sealed together share a time
    newest: str = ""  # of the rows that were sealed before, as far as the chain tells
    found: list[Break] = field(default_factory=list)

    def run(self, watch: Watch) -> Iterator[Break]:
        for page in _pages(self.tenant):
            for row in page:
                self._row(row)
            yield from self.found
            self.found.clear()
            watch(len(page))
        yield from self._end()

    def _row(self, row: Row[Any]) -> None:
        seq, event_id, previous, digest, sealed_after, mac, key_name = row[:FIRST_OF_EVENT]
        if seq != self.expected:
            self.found.append(self._missing(self.expected, seq - 1))
        elif previous != self.previous:
            self._tell(seq, event_id, UNLINKED)
        if sealed_after != self.after[0]:
            self.after = sealed_after, _written_of_naive(sealed_after) if sealed_after else None
            self.newest = max(self.newest, self.after[1] or "")
        self._event(list(row[FIRST_OF_EVENT:]), seq, event_id, previous, digest)
        key = self.keys.of(key_name)
        if key is None or chain.mac(digest, key) != mac:
            self._tell(seq, event_id, FORGED if key else NO_KEY)
        if seq in self.claims and self.claims[seq] != {digest}:
            self._tell(seq, event_id, UNSTATED)
        if seq == self.head[0] and digest != self.head[1]:
            self._tell(seq, event_id, HEAD)
        self.expected, self.previous = seq + 1, digest

    def _event(self, event: list[Any], seq: int, event_id: str, previous: str, digest: str) -> None:
        if event[ID] is None:
            self._tell(seq, event_id, GONE)
            return
        event[CREATED] = _written_of_naive(event[CREATED])
        if chain.digest(event, seq, previous, self.after[1]) != digest:
            self._tell(seq, event_id, ALTERED if event[TENANT] == self.tenant else MOVED)
        if is_back_dated(event[CREATED], event[DURATION], event[RESULT], self.newest or None):
            self._tell(seq, event_id, BACK_DATED)

    def _tell(self, seq: int, event_id: str, problem: Text) -> None:
        self.found.append(Break(self.tenant, seq, event_id, problem))

    def _end(self) -> Iterator[Break]:
        last = self.expected - 1
        if last < self._told():
            yield self._missing(last + 1, self._told())
        elif self.head[0] < last and _head(self.tenant)[0] < last:
            yield Break(self.tenant, last, "", HEAD)

    def _told(self) -> int:
        """How many rows the chain has, as checkpoints and head tell."""
        return max(self.head[0], max(self.claims, default=0))

    def _missing(self, first: int, last: int) -> Break:
        problem = CHAIN_GONE if first == 1 and last == self._told() else BOTH_GONE
        return Break(self.tenant, first, "", problem, last)


def merged(breaks: Iterator[Break]) -> Iterator[Break]:
    """Neighbours with the same problem as one."""
    held: dict[str, Break] = {}
    for found in breaks:
        before = held.get(str(found.problem))
        if before is not None and max(before.until, before.seq) + 1 == found.seq and not found.until:
            held[str(found.problem)] = replace(before, until=found.seq)
            continue
        if before is not None:
            yield before
        held[str(found.problem)] = found
    yield from sorted(held.values(), key=lambda item: item.seq)


def _outside(tenant_id: str | None) -> Iterator[Break]:
    """Rows without a seal that do not wait for one, and what waited and is gone."""
    sealed = select(AuditSeal.seq).where(AuditSeal.event_id == AuditEvent.id).exists()
    waits = select(AuditWaiting.event_id).where(AuditWaiting.event_id == AuditEvent.id).exists()
    slipped = select(AuditEvent.tenant_id, AuditEvent.id).where(~sealed, ~waits)
    ahead = select(AuditEvent.tenant_id, AuditEvent.id).where(~sealed, waits, AuditEvent.created_at > now() + GRACE)
    for rows, problem in ((slipped, UNSEALED), (ahead, AHEAD)):
        mine = rows if tenant_id is None else rows.where(AuditEvent.tenant_id == tenant_id)
        for tenant, identifier in db.session.execute(mine.order_by(AuditEvent.tenant_id, AuditEvent.id).limit(PAGE)):
            yield Break(tenant, 0, identifier, problem)
    there = select(AuditEvent.id).where(AuditEvent.id == AuditWaiting.event_id).exists()
    for identifier in db.session.scalars(select(AuditWaiting.event_id).where(~there).limit(PAGE)).all():
        yield Break("", 0, identifier, LOST)


def total(tenant_id: str | None = None) -> int:
    """How many rows a walk will see, as the heads tell."""
    query = select(func.coalesce(func.sum(AuditHead.seq), 0))
    return int(
        db.session.scalar(query.where(AuditHead.tenant_id == tenant_id) if tenant_id is not None else query) or 0
    )
