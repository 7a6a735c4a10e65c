"""Signed statements of where the chains end, kept in the database and in a file apart, for verification (C-31).

A statement is a JWS in compact form (RFC 7515, RS256). Its payload::

    {"number": 7, "time": "…", "previous": "SHA-256 of the statement before, as hexadecimal",
     "heads": {"TENANT": [SEQ, "DIGEST"]}, "full": false, "rows": 12345, "through": "…"}

``heads`` are those that changed since the statement before, of all tenants when ``full``; ``rows`` is the sum of
``seq``
over all tenants; ``through`` is the newest time of a row that is sealed. Between two of them, a statement without a
number
(0) tells where the chains that grew meanwhile end; it stands in a file of its own and is written over with every slice
of rows
that is sealed, so that even the newest row cannot be taken back in the database alone.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from app import site
from app.audit import chain
from app.audit.models import AuditCheckpoint, AuditHead, AuditKey
from app.audit.offline import GENESIS, Told, decoded, payload_of
from app.db import db, now
from app.words import Text, _, plain

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

log = logging.getLogger(__name__)
FILE, BETWEEN = "checkpoints.jws", "between.jws"
EVERY = timedelta(seconds=60)
SETTLED = timedelta(minutes=2)  # until then the file of another machine may lack one
FULL_EVERY = 500
BLOCK = 65_536
NO_BETWEEN = _("{file} is gone or empty, though there are checkpoints")
OLDER = _("{file} is older than the last checkpoint: it was put back, or another machine writes it")
CHANGED = AuditHead.seq != AuditHead.stated  # since the last checkpoint


def path() -> Path:
    """The file of this site, apart from the database."""
    return Path(site.settings().audit_folder) / FILE


def keys() -> dict[str, RSAKey]:
    """The site's signing keys by their thumbprint, newest last. Who cannot seal under the key ring cannot add one."""
    from joserfc.jwk import RSAKey  # an import of the application does without it

    found = {}
    for row in db.session.execute(select(AuditKey.id, AuditKey.private.label("text")).order_by(AuditKey.created_at)):
        found[row.id] = RSAKey.import_key(row.text)
    return found


def public_keys() -> dict[str, Any]:
    """The public keys as a JWK set (RFC 7517)."""
    return {"keys": [{**key.as_dict(private=False), "kid": kid, "alg": "RS256"} for kid, key in keys().items()]}


def make_key() -> str:
    """Make a new signing key, which signs from now on.

    :returns: its thumbprint
    """
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(2048, private=True)
    kid = key.thumbprint()
    db.session.add(AuditKey(id=kid, private=key.as_pem(private=True).decode()))
    db.session.commit()
    return kid


def write_if_due() -> bool:
    """Write a checkpoint when a chain grew and the last one is old enough; bring the file up to the table.

    :returns: whether it was time: now the last one tells where every chain ends
    """
    last = db.session.scalar(select(AuditCheckpoint.at).order_by(AuditCheckpoint.number.desc()).limit(1))
    due = last is None or not last <= now() < last + EVERY
    if due:
        write()
    append_to_file()
    return due


def write() -> bool:
    """Write a checkpoint now, if a chain grew since the last.

    :returns: whether one was written
    """
    if not db.session.scalar(select(AuditHead.tenant_id).where(CHANGED).limit(1)):
        return False
    number, previous = _last()
    full = number % FULL_EVERY == 0
    heads = _heads(full)
    rows, through = db.session.execute(select(func.sum(AuditHead.seq), func.max(AuditHead.newest))).one()
    moment = now()
    payload = {
        "number": number + 1,
        "time": chain.written(moment),
        "previous": previous,
        "full": full,
        "heads": heads,
        "rows": int(rows),
        "through": chain.written(through),
    }
    db.session.add(AuditCheckpoint(number=number + 1, at=moment, statement=_signed(payload)))
    stated = [{"tenant_id": tenant, "stated": head[0]} for tenant, head in heads.items()]
    db.session.execute(update(AuditHead), stated)
    db.session.commit()
    return True


def write_between() -> None:
    """Tell in a file apart where the chains that grew since the last checkpoint end now. It stands for no
    checkpoint.
    """
    statement = _signed({"number": 0, "time": chain.written(now()), "heads": _heads(full=False)})
    db.session.commit()
    file = path().with_name(BETWEEN)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_text(statement + "\n", encoding="utf-8")
        fresh.replace(file)
    except OSError as error:
        log.warning("what the audit's chains grew by cannot be written to %s: %s", file, error)


def _heads(full: bool) -> dict[str, list[Any]]:
    """Where chains end, by tenant: number and digest of the last row; of those that grew since the last checkpoint,
    or of all.
    """
    query = select(AuditHead.tenant_id, AuditHead.seq, AuditHead.digest)
    return {row[0]: [row[1], row[2]] for row in db.session.execute(query if full else query.where(CHANGED))}


def _signed(payload: dict[str, Any]) -> str:
    from joserfc import jws

    if not (held := keys()):
        make_key()
        held = keys()
    kid, key = list(held.items())[-1]
    text = json.dumps(payload, separators=(",", ":"))
    return jws.serialize_compact({"alg": "RS256", "kid": kid}, text.encode(), key)


def _last() -> tuple[int, str]:
    """Number and hash of the newest statement."""
    number, statement = _newest()
    return number, hashlib.sha256(statement.encode()).hexdigest() if statement else GENESIS


def through() -> datetime | None:
    """Up to when rows were sealed, as the newest statement tells; None without one. Whoever altered it is told by
    verification.
    """
    try:
        return datetime.fromisoformat(json.loads(decoded(_newest()[1].split(".")[1]))["through"])
    except (ValueError, KeyError, IndexError, TypeError):
        return None


def _newest() -> tuple[int, str]:
    """Number and text of the newest statement of table and file: a table that lost some goes on after the file's."""
    newest = select(AuditCheckpoint.number, AuditCheckpoint.statement).order_by(AuditCheckpoint.number.desc()).limit(1)
    held = db.session.execute(newest).first()
    stands = [(held[0], held[1])] if held else []
    if line := last_line(path()):
        stands.append((number_of(line), line))
    return max(stands, default=(0, ""))


def number_of(statement: str) -> int:
    """The number that a statement gives itself; 0 if it is none."""
    try:
        return int(json.loads(decoded(statement.split(".")[1]))["number"])
    except (ValueError, KeyError, IndexError, TypeError):
        return 0


def append_to_file() -> None:
    """Add to the file what the table has after its last line. A folder that cannot be written stops nothing else."""
    file = path()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        line = last_line(file)
        known = number_of(line) if line else 0
        if (db.session.scalar(select(func.max(AuditCheckpoint.number))) or 0) <= known:
            return
        later = select(AuditCheckpoint.statement).where(AuditCheckpoint.number > known)
        lines = db.session.scalars(later.order_by(AuditCheckpoint.number).execution_options(yield_per=100))
        with file.open("a", encoding="utf-8") as out:
            for statement in lines:
                out.write(statement + "\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        log.warning("the audit's checkpoints cannot be written to %s: %s", file, error)


def last_line(file: Path) -> str:
    """The last line of a file that holds something; empty without one."""
    if not file.exists():
        return ""
    with file.open("rb") as opened:
        at, tail = opened.seek(0, os.SEEK_END), b""
        while at > 0 and b"\n" not in tail.strip(b"\n"):
            size = min(BLOCK, at)
            at = opened.seek(at - size)
            tail = opened.read(size) + tail
    return tail.strip().rpartition(b"\n")[2].decode("utf-8", "replace")


def in_table() -> Iterator[str]:
    """The statements of the database, oldest first."""
    query = select(AuditCheckpoint.statement).order_by(AuditCheckpoint.number).execution_options(yield_per=100)
    yield from db.session.scalars(query)


def in_file(file: Path) -> Iterator[str]:
    """The statements of a file: the site's own, or an exported one. None if it is not there."""
    if not file.exists():
        return
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.strip() and not line.startswith("{"):
                yield line.strip()


def exported() -> Iterator[str]:
    """Public keys and every statement, line by line, for whoever keeps them elsewhere."""
    yield json.dumps(public_keys())
    yield from in_table()


Read = Callable[[str], dict[str, Any] | None]  # the payload of a statement; None where no known key signed it


def told_by(statements: Iterator[str], source: str, read: Read) -> tuple[Told, list[str]]:
    """What statements told, and what is wrong with them."""
    told = Told()
    problems = []
    for statement in statements:
        problems += [f"{source}: {problem}" for problem in told.add(statement, read(statement))]
    return told, problems


def told_between(read: Read) -> tuple[dict[str, tuple[int, str]], list[Text]]:
    """Where the file between two checkpoints says that chains end, and what is wrong with it."""
    file, newest = path().with_name(BETWEEN), db.session.scalar(select(func.max(AuditCheckpoint.at)))
    statement = next(in_file(file), "")
    payload = read(statement)
    if statement and payload is None:
        return {}, [plain(f"{file}: no known key signed it")]
    told = payload or {"heads": {}, "time": ""}
    heads = {tenant: (seq, digest) for tenant, (seq, digest) in told["heads"].items()}
    if newest is None or told["time"] >= chain.written(newest - SETTLED):
        return heads, []
    return heads, [(OLDER if statement else NO_BETWEEN).format(file=file)]


def reader() -> Read:
    """Reads signed statements; many a second, as a site of some years has a million."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
    from cryptography.hazmat.primitives.hashes import SHA256

    def number(text: str) -> int:
        return int.from_bytes(decoded(text), "big")

    known = {key["kid"]: key for key in public_keys()["keys"]}
    public = {kid: RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key() for kid, key in known.items()}

    def is_signed(key: Mapping[str, Any], signed: bytes, signature: bytes) -> bool:
        try:
            public[key["kid"]].verify(signature, signed, PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    return lambda statement: payload_of(statement, known, is_signed)
