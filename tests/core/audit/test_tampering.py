"""What somebody with the database in hand can do to the audit, and that verification names it (C-31)."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update

from app import audit, caller, crypto
from app.application import create_app
from app.audit import chain, checkpoints, offline, seal, sealer
from app.audit.models import AuditCheckpoint, AuditEvent, AuditHead, AuditSeal, AuditWaiting
from app.audit.verify import Break, verify
from app.config import load_settings
from app.contracts.identity import Principal
from app.core import audit_trail as trail
from app.core.audit_trail import AuditQuery
from app.db import db, new_id, now
from app.guard import Operation
from app.processes import database
from app.words import kept
from tests.databases import SERVERS

pytestmark = pytest.mark.req("C-31")
DID = Operation("test.thing.done", kept({"en": "Did a thing", "zh": "做了一件事"}))
MINE, THEIRS = "m" * 26, "t" * 26
ROWS = 30


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site_of_its_own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application on a database of its own, made by the migrations."""
    folder = tmp_path_factory.mktemp("audit")
    keys = crypto.ring() if crypto._ring else None

    def made(url: str) -> Iterator[Flask]:
        environ = {"ANTSTACK_DEMO": "1", "DATABASE_URL": url, "ANTSTACK_AUDIT_FOLDER": f"{folder}/apart"}
        app = create_app(load_settings(environ))
        with app.app_context():
            database.upgrade()
            yield app
            db.session.remove()
            db.engine.dispose()

    if request.param == "sqlite":
        yield from made(f"sqlite:///{folder}/a.db")
    else:
        with SERVERS[request.param]() as server:
            yield from made(server.url)
    crypto._ring = keys


@pytest.fixture
def sealed(site_of_its_own: Flask) -> Iterator[Flask]:
    """Two tenants with thirty sealed rows each, told by a checkpoint; then twenty more of them that none tells yet."""
    for table in reversed(AuditEvent.metadata.sorted_tables):
        if table.name.startswith("core_audit_"):
            db.session.execute(delete(table))
    db.session.commit()
    for name in (checkpoints.FILE, checkpoints.BETWEEN):
        checkpoints.path().with_name(name).unlink(missing_ok=True)
    record(ROWS)
    seal.seal_all()
    assert checkpoints.write()
    checkpoints.append_to_file()
    checkpoints.write_between()
    record(20)
    seal.seal_all()
    assert found() == []
    yield site_of_its_own
    db.session.rollback()


def record(count: int) -> None:
    """Rows of both tenants."""
    for number in range(count):
        for tenant in (MINE, THEIRS):
            with caller.acting_as(
                caller.Caller(principal=Principal("member", "p", "p@x", "P", tenant), trace_id="2" * 32)
            ):
                audit.record(
                    DID,
                    resource=("thing", str(number), f"thing {number}"),
                    detail={"n": number, "deep": {"b": 1.5, "a": "ä"}},
                )
    db.session.commit()


def found(**how: Any) -> list[Break]:
    db.session.rollback()
    db.session.expire_all()
    return list(verify(**how))


def words(**how: Any) -> str:
    return "\n".join(f"{item.tenant_id} {item.words} {item.event_id}" for item in found(**how))


def seals(tenant: str = MINE) -> list[AuditSeal]:
    return list(db.session.scalars(select(AuditSeal).where(AuditSeal.tenant_id == tenant).order_by(AuditSeal.seq)))


def remove(chosen: list[AuditSeal], with_seals: bool = True) -> None:
    identifiers = [item.event_id for item in chosen]
    db.session.execute(delete(AuditEvent).where(AuditEvent.id.in_(identifiers)))
    if with_seals:
        db.session.execute(delete(AuditSeal).where(AuditSeal.event_id.in_(identifiers)))
    db.session.commit()


def rechain(tenant: str, forged: bool = True) -> None:
    """Number and hash what is left anew, as somebody can who has everything but the key ring; head and all."""
    previous, seq = offline.GENESIS, 0
    for item in seals(tenant):
        row = list(db.session.execute(select(*chain.EVENT_COLUMNS).where(AuditEvent.id == item.event_id)).one())
        row[chain.CREATED] = chain.written(row[chain.CREATED])
        seq += 1
        digest = chain.digest(row, seq, previous, chain.written(item.sealed_after) if item.sealed_after else None)
        values = {"seq": seq, "previous": previous, "digest": digest}
        if not forged:
            values |= {"mac": chain.mac(digest, chain.mac_key())}
        db.session.execute(update(AuditSeal).where(AuditSeal.event_id == item.event_id).values(values))
        previous = digest
    db.session.execute(update(AuditHead).where(AuditHead.tenant_id == tenant).values(seq=seq, digest=previous))
    db.session.commit()


OTHER: dict[str, Any] = {
    "created_at": now() - timedelta(minutes=1),
    "workspace_id": "w",
    "detail": {"n": 99},
    "duration_ms": 7,
    "access_key_id": "k",
    "tenant_id": "z" * 26,
}


def named_after(table: Any, key: Any, column: str, other: Any) -> list[Break]:
    """What verification names while one column of row 8 has another value."""
    there = table.c.event_id == key if "event_id" in table.c else table.c.id == key
    before = db.session.execute(select(table.c[column]).where(there)).scalar_one()
    db.session.execute(update(table).where(there).values({column: other}))
    db.session.commit()
    named = found()
    there = table.c.event_id == other if column == "event_id" else there
    db.session.execute(update(table).where(there).values({column: before}))
    db.session.commit()
    return named


def test_whatever_column_of_a_row_is_altered_the_row_is_named(sealed: Flask) -> None:
    item = seals()[7].event_id
    for column in [known.name for known in AuditEvent.__table__.columns]:
        if column != "id":
            named = named_after(AuditEvent.__table__, item, column, OTHER.get(column, "other"))
            assert [(b.tenant_id, b.seq, b.event_id) for b in named] == [(MINE, 8, item)], column
    assert found() == []


def test_every_column_is_sealed() -> None:
    of_events = {column.name for column in AuditEvent.__table__.columns}
    of_seals = {"seq", "previous", "sealed_after"}

    assert set(offline.SEALED) == of_events | of_seals


def test_whatever_column_of_a_seal_is_altered_the_row_is_named(sealed: Flask) -> None:
    item = seals()[7].event_id
    for column in ("event_id", "previous", "digest", "sealed_after", "mac", "key"):
        other = now() - timedelta(days=1) if column == "sealed_after" else "0" * 26
        named = named_after(AuditSeal.__table__, item, column, other)
        assert 8 in [b.seq for b in named], column
    assert found() == []


@pytest.mark.parametrize(("first", "last"), [(1, 1), (15, 15), (31, 50)])
@pytest.mark.parametrize("with_seals", [True, False])
def test_rows_that_were_deleted_are_named(sealed: Flask, first: int, last: int, with_seals: bool) -> None:
    remove(seals()[first - 1 : last], with_seals)

    assert any((b.tenant_id, b.seq, max(b.seq, b.until)) == (MINE, first, last) for b in found())


@pytest.mark.parametrize("head", ["stays", "altered", "removed"])
def test_a_chain_whose_end_was_cut_is_named_whatever_its_head_tells(sealed: Flask, head: str) -> None:
    checkpoints.write()
    remove(seals()[30:])
    last = seals()[-1]
    mine = AuditHead.tenant_id == MINE
    if head == "altered":
        db.session.execute(update(AuditHead).where(mine).values(seq=last.seq, digest=last.digest, stated=last.seq))
    elif head == "removed":
        db.session.execute(delete(AuditHead).where(mine))
    db.session.commit()

    assert f"{MINE} #31–50: row and seal are gone" in words()


def test_a_tenant_whose_whole_chain_is_gone_is_named(sealed: Flask) -> None:
    remove(seals())
    db.session.execute(delete(AuditHead).where(AuditHead.tenant_id == MINE))
    db.session.commit()

    assert f"{MINE} #1–30: the whole chain is gone" in words()


def test_a_row_that_lost_its_seal_is_named_and_is_not_sealed_again(sealed: Flask) -> None:
    chosen = seals()[30:]
    db.session.execute(delete(AuditSeal).where(AuditSeal.event_id.in_([item.event_id for item in chosen])))
    db.session.execute(update(AuditEvent).where(AuditEvent.id == chosen[0].event_id).values(login="other"))
    db.session.commit()
    assert seal.seal_all() == 0

    assert {b.event_id for b in found() if "has no seal" in b.problem.in_("en")} == {item.event_id for item in chosen}


def test_rows_that_were_unsealed_and_sealed_again_contradict_the_checkpoint(sealed: Flask) -> None:
    checkpoints.write()
    chosen = seals()[30:]
    db.session.execute(delete(AuditSeal).where(AuditSeal.event_id.in_([item.event_id for item in chosen])))
    last = seals()[-1]
    db.session.execute(update(AuditHead).where(AuditHead.tenant_id == MINE).values(seq=last.seq, digest=last.digest))
    db.session.execute(update(AuditEvent).where(AuditEvent.id == chosen[0].event_id).values(login="other"))
    db.session.execute(insert(AuditWaiting), [{"event_id": item.event_id} for item in chosen])
    db.session.commit()
    assert seal.seal_all() == 20

    assert f"{MINE} #50: a signed checkpoint tells another digest" in words()


def test_a_row_that_was_removed_and_everything_rechained_is_named_by_its_seals(sealed: Flask) -> None:
    remove([seals()[4]])
    rechain(MINE)

    assert f"{MINE} #5–49: its seal was not made with a key of this site" in words()


def test_a_chain_that_was_made_again_with_the_key_ring_contradicts_the_checkpoint(sealed: Flask) -> None:
    remove([seals()[4]])
    rechain(MINE, forged=False)

    assert f"{MINE} #30: a signed checkpoint tells another digest" in words()


def test_a_row_that_was_moved_to_another_tenant_is_named(sealed: Flask) -> None:
    item = seals()[3]
    db.session.execute(update(AuditEvent).where(AuditEvent.id == item.event_id).values(tenant_id=THEIRS))
    db.session.commit()

    assert f"{MINE} #4: it was moved to another tenant {item.event_id}" in words()


def test_rows_that_changed_places_are_named(sealed: Flask) -> None:
    first, second = seals()[3:5]
    names = (first.event_id, second.event_id)
    for seq, name in ((4, "x"), (5, names[0]), (4, names[1])):
        db.session.execute(
            update(AuditSeal).where(AuditSeal.tenant_id == MINE, AuditSeal.seq == seq).values(event_id=name)
        )
    db.session.commit()

    assert {4, 5} <= {b.seq for b in found()} | {b.until for b in found()}


def slip_in(tenant: str, ago: timedelta, waits: bool) -> str:
    """A row that the console never recorded, written by SQL."""
    item = db.session.scalars(select(AuditEvent).limit(1)).one()
    values = {column.name: getattr(item, column.name) for column in AuditEvent.__table__.columns}
    values |= {"id": new_id(), "tenant_id": tenant, "created_at": now() - ago}
    db.session.execute(insert(AuditEvent.__table__).values(values))
    if waits:
        db.session.execute(insert(AuditWaiting).values(event_id=values["id"]))
    db.session.commit()
    return str(values["id"])


def test_a_row_that_was_slipped_in_is_named_and_never_sealed(sealed: Flask) -> None:
    made = slip_in(MINE, timedelta(0), waits=False)

    assert seal.seal_all() == 0
    assert [(b.event_id, b.problem.in_("en")[:15]) for b in found()] == [(made, "it has no seal ")]


@pytest.mark.parametrize("tenant", [MINE, "n" * 26])
def test_a_back_dated_row_is_named_though_the_sealer_took_it(sealed: Flask, tenant: str) -> None:
    made = slip_in(tenant, timedelta(days=1), waits=True)
    assert seal.seal_all() == 1

    assert [(b.tenant_id, b.event_id) for b in found()] == [(tenant, made)]
    assert "dated before" in words()


@pytest.mark.parametrize("tenant", [MINE, "n" * 26])
def test_a_back_dated_row_is_named_though_the_heads_were_made_to_forget_what_is_newest(
    sealed: Flask, tenant: str
) -> None:
    """Heads are not signed: somebody with the database lowers them, lets the sealer take the row, and puts them
    back.
    """
    before = db.session.execute(select(AuditHead.tenant_id, AuditHead.newest)).all()
    db.session.execute(update(AuditHead).values(newest=now() - timedelta(days=9)))
    made = slip_in(tenant, timedelta(days=1), waits=True)
    assert seal.seal_all() == 1
    for name, newest in before:
        db.session.execute(update(AuditHead).where(AuditHead.tenant_id == name).values(newest=newest))
    db.session.commit()

    assert [(b.tenant_id, b.event_id) for b in found() if "dated before" in b.problem.in_("en")] == [(tenant, made)]


def test_a_row_of_a_chain_that_goes_on_is_named_as_back_dated_whatever_its_seal_tells(
    sealed: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by somebody who has the files too, so that no checkpoint tells what is newest."""
    monkeypatch.setattr(checkpoints, "_newest", lambda: (0, ""))
    record(1)
    seal.seal_all()
    db.session.execute(update(AuditHead).values(newest=now() - timedelta(days=9)))
    made = slip_in(MINE, timedelta(days=1), waits=True)
    seal.seal_all()

    assert made in [b.event_id for b in found() if "dated before" in b.problem.in_("en")]


def test_a_row_that_waits_for_its_seal_since_it_is_dated_in_the_future_is_named(sealed: Flask) -> None:
    """It would be shown, and could be altered for ever."""
    made = slip_in(MINE, timedelta(days=-1), waits=True)
    assert seal.seal_all() == 0

    named = [(b.tenant_id, b.event_id, b.problem.in_("en")[:24]) for b in found()]
    assert named == [(MINE, made, "it is dated in the futur")]


def test_an_operation_that_took_long_and_rows_after_an_outage_of_the_sealer_are_not_taken_for_back_dated(
    sealed: Flask,
) -> None:
    with caller.acting_as(caller.Caller(principal=Principal("member", "p", "p@x", "P", MINE), trace_id="2" * 32)):
        begun = audit.record(DID, "started")
        begun.created_at = now() - timedelta(minutes=40)
        db.session.commit()
        seal.seal_all()
        audit.complete(begun, "success", resource=("", "", ""), detail={}, duration_ms=40 * 60_000)
        db.session.commit()
    assert seal.seal_all() == 1

    assert found() == []


def test_a_row_that_was_removed_before_it_was_sealed_is_named(sealed: Flask) -> None:
    record(1)
    lost = db.session.scalars(select(AuditWaiting.event_id)).first()
    db.session.execute(delete(AuditEvent).where(AuditEvent.id == lost))
    db.session.commit()

    assert "it was removed before it was sealed" in words()


def test_a_file_of_checkpoints_that_was_deleted_is_named(sealed: Flask) -> None:
    checkpoints.path().unlink()

    assert "is gone or empty, though there are 1 checkpoints" in words()


def test_a_file_of_checkpoints_that_was_edited_is_named(sealed: Flask) -> None:
    head, body, signature = checkpoints.path().read_text().strip().split(".")
    payload = json.loads(offline.decoded(body))
    payload["heads"][MINE][0] = 3
    other = chain.msgspec.json.encode(payload)

    checkpoints.path().write_text(f"{head}.{base64.urlsafe_b64encode(other).decode().rstrip('=')}.{signature}\n")

    assert "checkpoint 1: no known key signed it" in words()


def test_a_file_of_checkpoints_that_was_cut_is_named_once_it_should_have_more(sealed: Flask) -> None:
    checkpoints.write()
    db.session.execute(update(AuditCheckpoint).values(at=now() - timedelta(hours=1)))
    db.session.commit()

    assert "ends with checkpoint 1, the database with 2" in words()


def test_the_file_tells_of_rows_that_went_together_with_the_checkpoints(sealed: Flask) -> None:
    checkpoints.write()
    checkpoints.append_to_file()
    remove(seals()[20:])
    last = seals()[-1]
    db.session.execute(
        update(AuditHead).where(AuditHead.tenant_id == MINE).values(seq=last.seq, digest=last.digest, stated=0)
    )
    db.session.execute(delete(AuditCheckpoint))
    db.session.commit()

    assert f"{MINE} #21–50: row and seal are gone" in words()
    assert "the database lacks the checkpoints 1 to 2" in words()


def test_what_was_sealed_since_the_last_checkpoint_is_told_too(sealed: Flask) -> None:
    work = sealer.Sealer()
    assert work.slice() == 0
    record(1)
    assert work.slice() == 2
    newest = seals()[-1]
    remove([newest])
    last = seals()[-1]
    db.session.execute(update(AuditHead).where(AuditHead.tenant_id == MINE).values(seq=last.seq, digest=last.digest))
    db.session.commit()

    assert f"{MINE} #{newest.seq}: row and seal are gone" in words()


def test_a_newest_row_that_was_unsealed_altered_and_sealed_again_is_told(sealed: Flask) -> None:
    """By somebody who has the database, and lets the sealer do the rest."""
    record(1)
    sealer.Sealer().slice()
    newest = seals()[-1]
    db.session.execute(delete(AuditSeal).where(AuditSeal.event_id == newest.event_id))
    last = seals()[-1]
    db.session.execute(update(AuditHead).where(AuditHead.tenant_id == MINE).values(seq=last.seq, digest=last.digest))
    db.session.execute(update(AuditEvent).where(AuditEvent.id == newest.event_id).values(operator="Somebody else"))
    db.session.execute(insert(AuditWaiting).values(event_id=newest.event_id))
    db.session.commit()
    seal.seal_all()

    assert f"{MINE} #{newest.seq}: a signed checkpoint tells another digest" in words()


def test_what_stands_between_two_checkpoints_counts_only_with_a_signature_of_the_site(sealed: Flask) -> None:
    record(1)
    sealer.Sealer().slice()
    file = checkpoints.path().with_name(checkpoints.BETWEEN)
    head, body, signature = file.read_text().strip().split(".")
    other = json.dumps({**json.loads(offline.decoded(body)), "heads": {MINE: [3, "0" * 64]}}).encode()
    file.write_text(f"{head}.{base64.urlsafe_b64encode(other).decode().rstrip('=')}.{signature}\n")

    assert "between.jws: no known key signed it" in words()


@pytest.mark.parametrize("how", ["deleted", "emptied", "put back"])
def test_a_file_between_two_checkpoints_that_was_taken_away_or_put_back_is_named(sealed: Flask, how: str) -> None:
    file = checkpoints.path().with_name(checkpoints.BETWEEN)
    if how == "put back":
        db.session.execute(update(AuditCheckpoint).values(at=now() + timedelta(hours=1)))
        db.session.commit()
    else:
        file.write_text("")
    if how == "deleted":
        file.unlink()

    assert ("between.jws is older than" if how == "put back" else "between.jws is gone or empty") in words()


def test_a_checkpoint_leaves_no_older_file_between(sealed: Flask) -> None:
    file = checkpoints.path().with_name(checkpoints.BETWEEN)
    file.unlink()
    db.session.execute(update(AuditCheckpoint).values(at=now() - timedelta(hours=1)))
    db.session.commit()
    record(1)
    sealer.Sealer().slice()

    assert len(list(checkpoints.in_table())) == 2
    assert found() == []


@pytest.mark.parametrize("where", ["table", "file"])
def test_the_statement_between_two_checkpoints_in_the_place_of_one_is_named(
    sealed: Flask, tmp_path: Path, where: str
) -> None:
    statement = checkpoints.path().with_name(checkpoints.BETWEEN).read_text()
    if where == "file":
        checkpoints.path().write_text(statement)
    else:
        db.session.execute(update(AuditCheckpoint).values(statement=statement.strip()))
        db.session.commit()

    assert "checkpoint 1: it is the statement between two checkpoints" in words()


@pytest.mark.parametrize("part", [0, 1])
def test_a_statement_nested_without_end_is_named(sealed: Flask, part: int) -> None:
    parts = checkpoints.path().read_text().strip().split(".")
    parts[part] = base64.urlsafe_b64encode(b"[" * 100_000).decode().rstrip("=")
    checkpoints.path().write_text(".".join(parts) + "\n")

    assert "checkpoint 1: no known key signed it" in words()


def test_a_sealed_row_that_somebody_made_wait_again_holds_up_no_other(sealed: Flask) -> None:
    db.session.execute(insert(AuditWaiting).values(event_id=seals()[3].event_id))
    db.session.commit()
    record(1)

    assert seal.seal_all() == 2


def test_an_export_has_every_row_whatever_a_page_holds(sealed: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "PAGE", 7)
    lines = list(trail.lines(trail.events(AuditQuery(), MINE), "jsonl"))

    told = [json.loads(line) for line in lines]
    assert sorted(row["seq"] for row in told) == list(range(1, 51))


def test_an_exported_copy_tells_when_database_and_file_were_both_rewritten(sealed: Flask, tmp_path: Path) -> None:
    checkpoints.write()
    kept = tmp_path / "kept.jws"
    kept.write_text("\n".join(checkpoints.exported()))
    remove(seals()[20:])
    last = seals()[-1]
    db.session.execute(
        update(AuditHead).where(AuditHead.tenant_id == MINE).values(seq=last.seq, digest=last.digest, stated=0)
    )
    db.session.execute(delete(AuditCheckpoint))
    db.session.commit()
    checkpoints.path().unlink()
    checkpoints.write_if_due()

    assert f"{MINE} #21–50: row and seal are gone" in words(exported=kept)


def test_checkpoints_that_all_went_are_missed(sealed: Flask) -> None:
    db.session.execute(delete(AuditCheckpoint))
    db.session.commit()
    checkpoints.path().unlink()

    assert "there is no checkpoint any more, though some were made" in words()


def test_a_key_that_somebody_slipped_in_signs_nothing(sealed: Flask) -> None:
    """Keys are sealed under the key ring; whoever cannot seal cannot add one, and statements of theirs count for
    nothing.
    """
    from joserfc import jws
    from joserfc.jwk import RSAKey

    forged = RSAKey.generate_key(2048, private=True)
    text = json.dumps(
        {"number": 1, "previous": offline.GENESIS, "heads": {}, "rows": 0, "full": True, "through": "", "time": ""}
    )
    statement = jws.serialize_compact({"alg": "RS256", "kid": forged.thumbprint()}, text.encode(), forged)
    db.session.execute(update(AuditCheckpoint).values(statement=statement))
    db.session.commit()

    assert "core_audit_checkpoint: checkpoint 1: no known key signed it" in words()


def test_after_a_rotation_old_rows_verify_as_long_as_the_ring_keeps_their_key(
    sealed: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = crypto.ring()._keys
    monkeypatch.setattr(crypto, "_ring", crypto.KeyRing({"new": b"n" * 32, **old}))
    record(2)
    seal.seal_all()
    assert {item.key for item in seals()} == {"new", *old}
    assert found() == []

    monkeypatch.setattr(crypto, "_ring", crypto.KeyRing({"new": b"n" * 32}))
    with pytest.raises(crypto.KeyMissing):
        found()


def exports(folder: Path) -> tuple[list[str], str, str]:
    names = []
    for tenant in (MINE, THEIRS):
        (folder / tenant).write_text("".join(trail.chained(tenant)))
        names.append(str(folder / tenant))
    (folder / "checkpoints").write_text("\n".join(checkpoints.exported()))
    (folder / "keys").write_text(json.dumps(checkpoints.public_keys(), indent=1))
    return names, str(folder / "checkpoints"), str(folder / "keys")


def offline_says(*arguments: str) -> tuple[int, str]:
    """What the verifier says when its one file runs alone: -I keeps the console's packages away."""
    command = [sys.executable, "-I", "-S", offline.__file__, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    return done.returncode, done.stdout + done.stderr


def test_exports_verify_without_the_site(sealed: Flask, tmp_path: Path) -> None:
    checkpoints.write()
    names, statements, keys = exports(tmp_path)

    assert offline_says("--whole", "--checkpoints", statements, "--keys", keys, *names) == (
        0,
        "100 sealed rows, 0 not sealed yet, 2 checkpoints: all hold\n",
    )


@pytest.mark.parametrize("damage", ["altered", "middle", "end", "first", "moved", "rechained", "statement"])
def test_the_verifier_of_exports_finds_what_was_done_to_them(sealed: Flask, tmp_path: Path, damage: str) -> None:
    checkpoints.write()
    (mine, _), statements, keys = exports(tmp_path)
    lines = [json.loads(line) for line in Path(mine).read_text().splitlines()]
    if damage == "altered":
        lines[5]["detail"]["n"] = 99
    elif damage == "moved":
        lines[5]["tenant_id"] = THEIRS
    elif damage == "rechained":
        del lines[5]
        previous = offline.GENESIS
        for seq, line in enumerate(lines, 1):
            line |= {"seq": seq, "previous": previous}
            previous = line["digest"] = offline.digest_of(line)
    elif damage == "statement":
        body = Path(statements).read_text()
        Path(statements).write_text(body[:-9] + ("A" if body[-9] != "A" else "B") + body[-8:])
    else:
        gone = {"middle": slice(5, 7), "end": slice(40, 50), "first": slice(0, 1)}[damage]
        del lines[gone]
    Path(mine).write_text("\n".join(json.dumps(line) for line in lines))

    code, said = offline_says("--whole", "--checkpoints", statements, "--keys", keys, mine)

    assert code == 1, said


def test_the_fast_digest_is_the_one_that_the_verifier_takes() -> None:
    """Every character and every JSON value: the site's encoder and the standard library's must agree."""
    characters = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    values: dict[str, Any] = dict.fromkeys(offline.SEALED)
    values |= {"operator": characters, "duration_ms": 2**40, "seq": 3, "previous": "p", "created_at": "c"}
    for detail in ({"a": characters}, {"a": [1, 1.5, 1e300, 1e16, -0.0, True, None, "x"]}, {}):
        values["detail"] = detail
        event = [offline.text_of(detail) if name == "detail" else values[name] for name in chain.OF_THE_EVENT]

        assert chain.digest(event, 3, "p", None) == offline.digest_of(values)


def test_the_stored_text_of_a_detail_is_what_an_export_writes_again(sealed: Flask) -> None:
    for stored in db.session.scalars(select(text("CAST(detail AS TEXT)")).select_from(AuditEvent)):
        assert offline.text_of(json.loads(stored)) == stored


def test_statements_follow_each_other(sealed: Flask) -> None:
    checkpoints.write()
    assert not checkpoints.write()  # nothing new to tell

    first, second = checkpoints.in_table()
    payload = json.loads(offline.decoded(second.split(".")[1]))
    assert payload["previous"] == hashlib.sha256(first.encode()).hexdigest()
    assert (payload["number"], payload["rows"]) == (2, 100)


def test_the_keys_that_verify_checkpoints_are_published(sealed: Flask) -> None:
    answer = sealed.test_client().get("/.well-known/antstack-audit-keys.json")

    assert answer.json == checkpoints.public_keys()
    assert "d" not in answer.json["keys"][0]
