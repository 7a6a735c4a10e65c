"""A POST with an ``Idempotency-Key``: answered as the first time for a day, then as if it were new; kept sealed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.auth.models import IdempotentAnswer
from app.db import db, new_id, now
from app.web import idempotency
from plugins.iam.permissions import ACCOUNT_EDIT, ACCOUNT_READ, MEMBER_LEFT, MEMBER_RESET
from tests import factories

pytestmark = pytest.mark.req("C-60", "C-70")


def age(key: str, hours: float) -> None:
    """Make the answer of a key that old."""
    row = db.session.scalars(select(IdempotentAnswer).where(IdempotentAnswer.key == key)).one()
    row.created_at = now() - timedelta(hours=hours)
    db.session.commit()


def test_an_answer_is_given_again_for_a_day_and_then_the_request_is_new(api, as_holder_of):
    calls, key, name = api(as_holder_of(ACCOUNT_EDIT, ACCOUNT_READ)), new_id(), factories.unique("program")
    body = {"name": name}
    first = calls.post("/iam/service-accounts", body, headers={"Idempotency-Key": key})
    age(key, hours=23.9)
    again = calls.post("/iam/service-accounts", body, headers={"Idempotency-Key": key})
    age(key, hours=24.1)
    late = calls.post("/iam/service-accounts", body, headers={"Idempotency-Key": key})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert late.json["code"] == "IAM/NAME_TAKEN", "a day later it is another request"


def test_a_secret_in_an_answer_is_sealed_where_it_is_kept(api, as_holder_of):
    key = new_id()
    made = api(as_holder_of()).post("/iam/access-keys", {}, headers={"Idempotency-Key": key})

    kept = db.session.execute(text("SELECT * FROM core_idempotent_answer WHERE key = :key").bindparams(key=key)).one()
    assert made.status_code == 201
    assert made.json["secret"] not in str(kept)
    row = db.session.scalars(select(IdempotentAnswer).where(IdempotentAnswer.key == key)).one()
    assert made.json["secret"] in row.body


def test_answers_older_than_a_day_are_swept(api, as_holder_of, site):
    calls, old, young = api(as_holder_of(ACCOUNT_EDIT)), new_id(), new_id()
    for key in (old, young):
        calls.post("/iam/service-accounts", {"name": factories.unique("program")}, headers={"Idempotency-Key": key})
    age(old, hours=24.1)

    work = site.extensions["antstack.catalogue"].periodic["core.answers.sweep"]
    work.run()

    left = set(db.session.scalars(select(IdempotentAnswer.key).where(IdempotentAnswer.key.in_([old, young]))))
    assert work.run is idempotency.sweep
    assert work.every == 3600
    assert left == {young}


def test_a_key_is_taken_whole_or_refused(api, as_holder_of):
    calls, longest = api(as_holder_of(ACCOUNT_EDIT)), new_id().ljust(idempotency.LONGEST_KEY, "x")
    name = factories.unique("program")
    made = calls.post("/iam/service-accounts", {"name": name}, headers={"Idempotency-Key": longest})
    again = calls.post("/iam/service-accounts", {"name": name}, headers={"Idempotency-Key": longest})
    other = calls.post("/iam/service-accounts", {"name": name}, headers={"Idempotency-Key": longest + "2"})

    assert idempotency.LONGEST_KEY == 128
    assert (made.status_code, again.status_code, again.json) == (201, 201, made.json)
    assert (other.status_code, other.json["errors"][0]["pointer"]) == (422, "/Idempotency-Key")


@pytest.mark.parametrize(
    ("action", "status", "done"), [("reset-password", 200, MEMBER_RESET), ("leave", 204, MEMBER_LEFT)]
)
def test_whatever_was_done_is_answered_again_and_done_once(api, as_role, tenant, audit_log, action, status, done):
    person, key = factories.make_member(tenant), new_id()
    calls = api(as_role("tenant-administrator"))

    answers = [calls.post(f"/iam/members/{person.id}/{action}", headers={"Idempotency-Key": key}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [status, status]
    assert answers[0].data == answers[1].data
    assert [entry[2] for entry in audit_log() if entry[0] == done.code] == ["success"]
