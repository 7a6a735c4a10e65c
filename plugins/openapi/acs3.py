"""Calls signed with the Alibaba Cloud V3 signature, ACS3-HMAC-SHA256, so that its SDK cores call this API unmodified
(O-1).

Canonical request and string to sign as Alibaba Cloud's "V3 request body & signature mechanism" describes them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from flask import request
from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from app.caller import Caller
from app.contracts.identity import Directory
from app.db import db, now
from app.errors import ErrorCode
from app.services import need_service
from app.web.bearer import workspace
from app.words import Text, _
from plugins.openapi.models import Nonce

SCHEME = "ACS3-HMAC-SHA256"
HEADER = re.compile(
    r"^ACS3-HMAC-SHA256\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-fA-F]{64})\s*$"
)
MUST_SIGN = frozenset({"host", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"})
SKEW_SECONDS = 15 * 60
NONCE_KEPT = timedelta(seconds=2 * SKEW_SECONDS + 60)


def _code(reason: str, why: Text, remedy: Text, status: int = 401) -> ErrorCode:
    return ErrorCode(f"SIGNATURE/{reason}", status, why, remedy)


MALFORMED = _code(
    "MALFORMED",
    _("The Authorization header cannot be read."),
    _("Write it as ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…."),
)
NOT_SIGNED = _code(
    "HEADER_NOT_SIGNED",
    _("These headers must be signed: {headers}"),
    _("Add them to SignedHeaders."),
)
UNKNOWN_KEY = _code(
    "ACCESS_KEY_UNKNOWN",
    _("There is no AccessKey {key}."),
    _("Use an AccessKey of this site's IAM."),
)
KEY_DISABLED = _code(
    "ACCESS_KEY_DISABLED",
    _("The AccessKey {key} is disabled."),
    _("Enable it, or use another one."),
)
OWNER_NOT_ACTIVE = _code(
    "OWNER_NOT_ACTIVE",
    _("The owner of the AccessKey {key} is frozen or has left the tenant."),
    _("Ask a tenant administrator."),
)
SKEWED = _code(
    "DATE_SKEWED",
    _("x-acs-date is {seconds} s off; 15 minutes are allowed."),
    _("Set the caller's clock."),
)
WRONG_BODY = _code(
    "BODY_HASH_WRONG",
    _("x-acs-content-sha256 is not the SHA-256 of the body."),
    _("Hash the bytes that are sent."),
)
WRONG = _code(
    "DOES_NOT_MATCH",
    _("The signature does not match."),
    _("Compare the string to sign: its SHA-256 here is {digest}."),
)
REPLAYED = _code(
    "NONCE_REPLAYED",
    _("This x-acs-signature-nonce was used before."),
    _("Use a new nonce for every call."),
)
ERRORS = (MALFORMED, NOT_SIGNED, UNKNOWN_KEY, KEY_DISABLED, OWNER_NOT_ACTIVE, SKEWED, WRONG_BODY, WRONG, REPLAYED)

REFUSED = {"unknown": UNKNOWN_KEY, "disabled": KEY_DISABLED, "owner-not-active": OWNER_NOT_ACTIVE, "wrong": WRONG}


@dataclass(frozen=True, slots=True)
class Signed:
    """The Authorization header in its parts."""

    key: str
    headers: tuple[str, ...]
    signature: str


def parsed(header: str) -> Signed:
    """The parts of an Authorization header.

    :raises ConsoleError: SIGNATURE/MALFORMED, SIGNATURE/HEADER_NOT_SIGNED
    """
    found = HEADER.match(header)
    if found is None:
        raise MALFORMED()
    names = tuple(name.lower() for name in found.group(2).split(";") if name)
    missing = MUST_SIGN - set(names)
    if missing:
        raise NOT_SIGNED(headers=", ".join(sorted(missing)))
    return Signed(found.group(1), names, found.group(3).lower())


def door(caller: Caller) -> Caller:
    """Prove the caller of a signed request.

    :raises ConsoleError: SIGNATURE/…, each failure its own
    """
    signed = parsed(request.headers["Authorization"])
    _check_date(request.headers.get("x-acs-date", ""))
    body = request.get_data(cache=True)
    digest = hashlib.sha256(body).hexdigest()
    if not hmac.compare_digest(digest.encode(), request.headers.get("x-acs-content-sha256", "").lower().encode()):
        raise WRONG_BODY()
    text = string_to_sign(signed.headers, digest)
    found = need_service(Directory).signer(signed.key, text, signed.signature, caller.source_ip)
    if found.principal is None:
        raise REFUSED[found.verdict](key=signed.key, digest=hashlib.sha256(text.encode()).hexdigest())
    _use_nonce(signed.key, request.headers.get("x-acs-signature-nonce", ""))
    workspace_id = workspace(found.principal)
    return replace(caller, principal=found.principal, access_key_id=signed.key, workspace_id=workspace_id)


def string_to_sign(names: tuple[str, ...], body_digest: str) -> str:
    """The text that is signed for this request."""
    headers = "".join(f"{name}:{(request.headers.get(name) or '').strip()}\n" for name in sorted(names))
    canonical = "\n".join((request.method, _path(), _query(), headers, ";".join(sorted(names)), body_digest))
    return f"{SCHEME}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def _path() -> str:
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or quote(request.path, safe="/~")
    path = str(raw).partition("?")[0]
    return quote(unquote(path), safe="/~-_.") or "/"


def _query() -> str:
    pairs = [(quote(k, safe="~-_."), quote(v, safe="~-_.")) for k, v in request.args.items(multi=True)]
    return "&".join(f"{k}={v}" for k, v in sorted(pairs))


def _check_date(text: str) -> None:
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise SKEWED(seconds="?") from error
    off = abs((now() - moment).total_seconds())
    if off > SKEW_SECONDS:
        raise SKEWED(seconds=int(off))


def _use_nonce(key: str, nonce: str) -> None:
    """Take the nonce, once and for good: a row of the database, which outlasts Redis and whatever becomes of the
    request.
    """
    if not 8 <= len(nonce) <= 128:
        raise MALFORMED()
    digest = hashlib.sha256(f"{key} {nonce}".encode()).hexdigest()
    try:
        db.session.execute(insert(Nonce).values(digest=digest, used_at=now()))
        db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        raise REPLAYED() from error


def sweep() -> None:
    """Remove nonces of calls that their date refuses by now."""
    db.session.execute(delete(Nonce).where(Nonce.used_at < now() - NONCE_KEPT))
    db.session.commit()
