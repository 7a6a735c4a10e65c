"""A POST with an ``Idempotency-Key`` acts once: repeated within a day, it is answered as it was the first time (C-60).

What it answered may hold a secret, so it is sealed; what is over a day old is swept.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Response, g, request
from sqlalchemy import delete, select

from app import caller
from app.auth.models import IdempotentAnswer
from app.contracts.text import Text
from app.db import db, now
from app.errors import CONFLICT, invalid
from app.web.api import body_digest

KEPT = timedelta(hours=24)
LONGEST_KEY = 128
KEPT_STATUS = (200, 201, 202, 204)
TOO_LONG = Text(f"An Idempotency-Key has {LONGEST_KEY} characters at most.", f"Idempotency-Key 最多 {LONGEST_KEY} 个字符。")
SAME_KEY = Text(
    "The Idempotency-Key was used before with another request.", "该 Idempotency-Key 已用于另一个不同的请求。"
)


def repeated() -> Response | None:
    """The answer that this caller's key had before, if any; else the request is remembered for :func:`keep`.

    :raises ConsoleError: CORE/CONFLICT when the key was used for another request; CORE/INVALID_INPUT when it is too long
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
    g.replayed = True
    response = Response(held.body, held.status, mimetype="application/json")
    if held.location:
        response.headers["Location"] = held.location
    return response


def keep(response: Response) -> None:
    """Remember the answer of a request that had a key, in the transaction of its change."""
    if "idempotent" not in g or response.status_code not in KEPT_STATUS:
        return
    owner, key, digest = g.idempotent
    body, location = response.get_data(as_text=True), response.headers.get("Location", "")
    db.session.add(
        IdempotentAnswer(
            caller=owner, key=key, digest=digest, status=response.status_code, body=body, location=location
        )
    )  # fmt: skip


def sweep() -> None:
    """Remove answers that are no longer given."""
    db.session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.created_at <= now() - KEPT))
    db.session.commit()


def _owner() -> str:
    """Whose key it is: a key of one principal means nothing to another, nor to an application that acts for them."""
    who = caller.current()
    assert who.principal is not None
    return f"{who.principal.tenant_id}/{who.principal.key} {who.application}".rstrip()
