"""Bringing in members from a file (I-20): who is new is created, whose login name exists is overwritten, and who may
not be overwritten by the caller is refused, row by row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from sqlalchemy import select

from app import audit, lengths
from app.auth import audience, decisions
from app.db import db, new_id, now
from app.errors import ConsoleError
from app.web.api import dry_run
from app.web.imported import CREATED, OVERWRITTEN, UNCHANGED, Outcome, refused
from app.web.imports import Import
from app.words import _
from plugins.iam import delegation, directory, passwords, permissions
from plugins.iam.catalogue import roles_of
from plugins.iam.errors import OF_ANOTHER_TENANT, PERSON_ABOVE_YOU
from plugins.iam.members import checked_login, members
from plugins.iam.members.shapes import JoinOption, PersonalData
from plugins.iam.models import ACTIVE, MEMBER, Member, Membership
from plugins.iam.principals import roles_held

AT_ONCE = 500  # parameters of one statement


@members.imports(
    Import(
        _("Import members"),
        permissions.MEMBER_EDIT,
        permissions.MEMBERS_IMPORTED,
        PersonalData,
        "login",
        JoinOption,
    )
)
def import_members(rows: Sequence[PersonalData], given: Collection[str], options: JoinOption) -> list[Outcome]:
    """Members as the rows tell. Of somebody who exists, what the file has is overwritten and the rest stays.

    Somebody new has a random password, to be changed at the first sign-in, and no role.
    """
    audience.need_own_proof()
    known = _Known([row.login.strip().lower() for row in rows])
    outcomes = [_bring_in(row, given, options, known) for row in rows]
    db.session.flush()
    tenant_id = delegation.me().tenant_id
    db.session.add_all(Membership(id=new_id(), tenant_id=tenant_id, member_id=one) for one in known.joining)
    db.session.flush()
    directory.bump(tenant_id)
    return outcomes


class _Known:
    """Whom these login names belong to, and what of them decides whether the caller may overwrite them."""

    def __init__(self, logins: Sequence[str]) -> None:
        tenant_id = delegation.me().tenant_id
        self.members: dict[str, Member] = {}
        self.here: set[str] = set()
        self.elsewhere: set[str] = set()
        self.joining: list[str] = []
        held: dict[str, set[str]] = {}
        for some in _some(logins):
            found = db.session.scalars(select(Member).where(Member.login.in_(some))).all()
            self.members |= {member.login: member for member in found}
            ids = [member.id for member in found]
            places = select(Membership.member_id, Membership.tenant_id).where(Membership.member_id.in_(ids))
            for member_id, place in db.session.execute(places):
                (self.here if place == tenant_id else self.elsewhere).add(member_id)
            held |= roles_held(tenant_id, ids)
        roles = set(roles_of(tenant_id, {role for some in held.values() for role in some}))
        beyond = roles - delegation.grantable(roles)
        self.above = {member_id for member_id, some in held.items() if some & beyond}
        self.reaches_all = decisions.allows(permissions.SITE_PEOPLE)

    def need_overwritable(self, member: Member) -> None:
        """As :func:`delegation.need_manageable`, for all at once; one's own data is one's own.

        :raises ConsoleError: IAM/MEMBER_OF_ANOTHER_TENANT, IAM/PERSON_ABOVE_YOU
        """
        if member.id in self.elsewhere and not self.reaches_all:
            raise OF_ANOTHER_TENANT(name=member.login)
        if member.id in self.above and delegation.me().key != f"{MEMBER}:{member.id}":
            raise PERSON_ABOVE_YOU(name=member.name)


def _bring_in(row: PersonalData, given: Collection[str], options: JoinOption, known: _Known) -> Outcome:
    try:
        login = checked_login(row)
        values = {name: getattr(row, name).strip() for name in sorted(given) if name != "login"}
        lengths.need_room([Member(login=login, **values)])
        member = known.members.get(login)
        if member is not None:
            known.need_overwritable(member)
    except ConsoleError as error:
        return refused(error)
    member, outcome = _create(login, values) if member is None else (member, _overwrite(member, values))
    if options.join and member.id not in known.here:
        known.joining.append(member.id)
        if outcome.verb != CREATED:
            audit.record(permissions.MEMBER_JOINED, resource=(MEMBER, member.id, login))
            return replace(outcome, verb=OVERWRITTEN)
    return outcome


def _create(login: str, values: dict[str, str]) -> tuple[Member, Outcome]:
    password = "" if dry_run() else passwords.made()
    hashed = passwords.hashed_random(password) if password else ""
    member = Member(id=new_id(), login=login, **values, must_reset=True, password_hash=hashed, state=ACTIVE)
    member.password_changed_at = now()
    db.session.add(member)
    audit.record(permissions.MEMBER_CREATED, resource=(MEMBER, member.id, login), detail={"person": member.name})
    return member, Outcome(CREATED, secret=password)


def _overwrite(member: Member, values: dict[str, str]) -> Outcome:
    before = {name: was for name, value in values.items() if (was := getattr(member, name) or "") != value}
    if not before:
        return Outcome(UNCHANGED)
    changed = {name: values[name] for name in before}
    for name, value in changed.items():
        setattr(member, name, value)
    audit.record(permissions.MEMBER_CHANGED, resource=(MEMBER, member.id, member.login), detail={"changed": changed})
    return Outcome(OVERWRITTEN, before)


def _some(items: Sequence[str]) -> Iterator[list[str]]:
    left = iter(items)
    while some := list(islice(left, AT_ONCE)):
        yield some
