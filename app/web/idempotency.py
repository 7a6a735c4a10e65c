"""A POST with an ``Idempotency-Key`` acts once: repeated within a day, it is answered as it was the first time (C-60).

What it answered may hold a secret, so it is sealed; what is over a day old is swept. Work outside of the database
cannot be
taken back, so its key is claimed before it begins: who comes with the same key meanwhile is refused before it acts too.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Response, g, request
from sqlalchemy import delete, select

from app import caller
from app.auth.models import IdempotentAnswer
from app.db import db, now
from app.errors import CONFLICT, invalid
from app.web.api import body_digest
from app.words import _

KEPT = timedelta(hours=24)
LONGEST_KEY = 128
KEPT_STATUS = (200, 201, 202, 204)
UNDER_WAY = 0  # the status of a claim
TOO_LONG = _("An Idempotency-Key has {longest_key} characters at most.").format(longest_key=LONGEST_KEY)
SAME_KEY = _("The Idempotency-Key was used before with another request.")
NOT_ENDED = _(
    "A request with this Idempotency-Key is under way, or was cut off: look at what it did before you repeat it."
)


def repeated() -> Response | None:
    """The answer that this caller's key had before, if any; else the request is remembered for :func:`keep`.

    :raises ConsoleError: CORE/CONFLICT when the key was used for another request, or for one that did not end;
        CORE/INVALID_INPUT when it is too long
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key or request.method != "POST" or not request.path.startswith("/api/"):
        return None
    if len(key) > LONGEST_KEY:  # cut off, two keys would be one
        raise invalid({"Idempotency-Key": TOO_LONG})
    owner, digest = _owner(), body_digest()
    held = db.session.scalar(
        select(IdempotentAnswer).where(IdempotentAnswer.caller == owner, IdempotentAnswer.key == key)
    )
    if held is not None and held.created_at <= now() - KEPT:
        db.session.delete(held)
        db.session.flush()
        held = None
    if held is None:
        g.idempotent = (owner, key, digest)
        return None
    if held.digest != digest:
        raise CONFLICT(detail=SAME_KEY)
    if held.status == UNDER_WAY:
        raise CONFLICT(detail=NOT_ENDED)
    g.replayed = True
    response = Response(held.body, held.status, mimetype="application/json")
    if held.location:
        response.headers["Location"] = held.location
    return response


def claim() -> None:
    """Take the request's key, if it has one, with the next commit, which is a CORE/CONFLICT where another request
    was faster.
    """
    if "idempotent" in g:
        owner, key, digest = g.idempotent
        db.session.add(IdempotentAnswer(caller=owner, key=key, digest=digest, status=UNDER_WAY, body=""))


def keep(response: Response) -> None:
    """Remember the answer of a request that had a key, in the transaction of its change; give back what it claimed
    if it failed.
    """
    if "idempotent" not in g:
        return
    owner, key, digest = g.idempotent
    if "claimed" in g:
        mine = (IdempotentAnswer.caller == owner, IdempotentAnswer.key == key, IdempotentAnswer.status == UNDER_WAY)
        db.session.execute(delete(IdempotentAnswer).where(*mine))
    if response.status_code not in KEPT_STATUS:
        return
    body, location = response.get_data(as_text=True), response.headers.get("Location", "")
    db.session.add(
        IdempotentAnswer(
            caller=owner, key=key, digest=digest, status=response.status_code, body=body, location=location
        )
    )


def sweep() -> None:
    """Remove answers that are no longer given."""
    db.session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.created_at <= now() - KEPT))
    db.session.commit()


def _owner() -> str:
    """Whose key it is: a key of one principal means nothing to another, nor to an application that acts for them."""
    who = caller.current()
    assert who.principal is not None
    return f"{who.principal.tenant_id}/{who.principal.key} {who.application}".rstrip()
