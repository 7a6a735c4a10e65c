"""Checking name and password, and choosing a new password. Same answer and time for a wrong name and a wrong
password.
"""

from __future__ import annotations

from datetime import timedelta

from flask import g
from sqlalchemy import func, select, update

from app import audit, caller
from app.db import db, now
from app.errors import ConsoleError, ErrorCode, invalid
from app.words import Text, _
from plugins.iam import passwords
from plugins.iam.models import ACTIVE, FROZEN, Member, Membership
from plugins.iam.principals import home_tenant
from plugins.iam.signin import device, throttle

WRONG = ErrorCode(
    "IAM/WRONG_NAME_OR_PASSWORD",
    401,
    _("Login name or password is wrong."),
    _("Try again, or ask an administrator to reset the password."),
)
LOCKED = ErrorCode(
    "IAM/SIGN_IN_LOCKED",
    429,
    _("There were too many attempts. Signing in is locked for {time} more."),
    _("Wait, or ask an administrator to reset the password."),
)
FROZEN_MEMBER = ErrorCode(
    "IAM/MEMBER_FROZEN",
    403,
    _("This account is frozen."),
    _("Ask a tenant administrator to unfreeze it."),
)
NO_TENANT = ErrorCode(
    "IAM/NO_TENANT",
    403,
    _("This account was removed from every tenant."),
    _("Ask a tenant administrator to add it again."),
)
ERRORS = (WRONG, LOCKED, FROZEN_MEMBER, NO_TENANT)


def check(login: str, password: str) -> Member:
    """The person that name and password prove.

    :raises ConsoleError: IAM/WRONG_NAME_OR_PASSWORD, IAM/SIGN_IN_LOCKED; after the right password also
        IAM/MEMBER_FROZEN and IAM/NO_TENANT
    """
    member, account = _find(login), device.account_of(login)
    _note(login, member)
    _refuse_locked(account, member if account == login.strip().lower() else None)
    if not passwords.matches(member.password_hash if member else "", password):
        raise _failure(account, member)
    assert member is not None
    throttle.forget(account)
    if member.state != ACTIVE:
        raise FROZEN_MEMBER() if member.state == FROZEN else WRONG()
    if not db.session.scalar(select(func.count()).where(Membership.member_id == member.id)):
        raise NO_TENANT()
    member.failures, member.locked_until = 0, None
    return member


def check_own(member: Member, password: str) -> None:
    """Whether somebody who is signed in knows their password; wrong ones are throttled as at the sign-in.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/SIGN_IN_LOCKED
    """
    account = f"own password of {member.id}"
    _refuse_locked(account, None)
    if not passwords.matches(member.password_hash, password):
        raise invalid({"old": WRONG.reason})
    throttle.forget(account)


def signed_in(member: Member) -> None:
    """Note when and from where somebody signed in."""
    member.last_login_at, member.last_login_ip = now(), caller.current().source_ip


def set_password(member: Member, new: str, again: str, shortest: int = passwords.SHORTEST) -> None:
    """Give a member a new password that they chose.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    problem = passwords.problem(new, member.login, shortest)
    if problem is None and passwords.matches(member.password_hash, new):
        problem = passwords.SAME
    if problem is not None:
        raise invalid({"new": problem})
    if new != again:
        raise invalid({"again": _("The two are not the same.")})
    member.password_hash, member.password_changed_at, member.must_reset = passwords.hashed(new), now(), False


def duration(seconds: int) -> Text:
    """``2 min 5 s``."""
    minutes, rest = divmod(max(1, seconds), 60)
    if not minutes:
        return _("{rest} s").format(rest=rest)
    return _("{minutes} min {rest} s").format(minutes=minutes, rest=rest)


def _find(login: str) -> Member | None:
    return db.session.scalar(select(Member).where(Member.login == login.strip().lower()))


def _note(login: str, member: Member | None) -> None:
    audit.note("member", member.id if member else "", login[:255], login=login[:255])
    g.audit_note["tenant"] = home_tenant(member)


def _refuse_locked(account: str, member: Member | None) -> None:
    """Count the attempt; refuse it where the account is locked, also by what its row has kept while Redis lost it."""
    left = 0
    if member is not None and member.locked_until is not None:
        left = int((member.locked_until - now()).total_seconds())
    if left <= 0:
        left = throttle.attempt(account, caller.current().source_ip).seconds
    if left > 0:
        raise LOCKED(time=duration(left), extra={"retryAfter": left})


def _failure(account: str, member: Member | None) -> ConsoleError:
    """Keep the count, though the answer rolls back whatever else the request did."""
    seconds = throttle.locked(account)
    if member is not None:
        values: dict[str, object] = {"failures": Member.failures + 1}
        if account == member.login.lower():
            values["locked_until"] = now() + timedelta(seconds=seconds) if seconds else None
        db.session.execute(update(Member).where(Member.id == member.id).values(values))
    db.session.commit()
    return LOCKED(time=duration(seconds), extra={"retryAfter": seconds}) if seconds else WRONG()
