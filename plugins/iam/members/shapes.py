"""What is asked and answered of members."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from app.contracts.shapes import Ask, CreatedAt, Id, Version, doc
from app.web.api import In, Out
from app.words import _, pgettext
from plugins.iam import delegation
from plugins.iam.models import Member

MemberId = Annotated[str, doc("Identifier of the member.")]
NAME = Ask(pgettext("person", "Name"), more={"required": True})
NICKNAME, MOBILE, LANDLINE = Ask(_("Nickname")), Ask(_("Mobile"), "tel"), Ask(_("Landline"), "tel")
STAFF_NUMBER = Ask(_("Staff number"))


class PersonalData(In):
    """Somebody, as a row of a file tells of them. The login name is an e-mail address."""

    login: Annotated[
        str,
        Ask(_("Login name"), "email", {"help": _("An e-mail address.")}),
        doc("Login name, an e-mail address; unique on the site."),
    ]
    name: Annotated[str, NAME, doc("Name of the person.")]
    nickname: Annotated[str, NICKNAME, doc("Nickname.")] = ""
    mobile: Annotated[str, MOBILE, doc("Mobile number.")] = ""
    landline: Annotated[str, LANDLINE, doc("Landline number.")] = ""
    staff_number: Annotated[str, STAFF_NUMBER, doc("Staff number.")] = ""


class NewMember(PersonalData):
    """Somebody new. The login name is an e-mail address."""

    must_reset: Annotated[
        bool,
        Ask(_("Must choose another password at the first sign-in"), "checkbox", {"checked": True}),
        doc("Whether the password must be changed at the first sign-in."),
    ] = True


class Profile(In):
    """What may be changed of a person; what is left out stays."""

    name: Annotated[str | None, NAME, doc("Name of the person.")] = None
    nickname: Annotated[str | None, NICKNAME, doc("Nickname.")] = None
    mobile: Annotated[str | None, MOBILE, doc("Mobile number.")] = None
    landline: Annotated[str | None, LANDLINE, doc("Landline number.")] = None
    staff_number: Annotated[str | None, STAFF_NUMBER, doc("Staff number.")] = None


class Joining(In):
    """Whom to add: login name or identifier."""

    login: Annotated[
        str,
        Ask(_("Login name"), more={"help": _("Of somebody of the enterprise who is not in this tenant yet.")}),
        doc("Login name or identifier of the member."),
    ]


class JoinOption(In):
    """What an import asks beside its file."""

    join: Annotated[
        bool,
        Ask(
            _("Join the current tenant"),
            "checkbox",
            {"checked": True, "help": _("Without it, they belong to the enterprise alone and cannot sign in yet.")},
        ),
        doc("Whether the people join this tenant."),
    ] = True


class MemberOut(Out):
    """A member. ``password`` is there once: when it was just made."""

    id: Id
    login: Annotated[str, doc("Login name, an e-mail address.")]
    name: Annotated[str, doc("Name of the person.")]
    nickname: Annotated[str, doc("Nickname; empty where there is none.")]
    mobile: Annotated[str, doc("Mobile number; empty where it is not the caller's business.")]
    landline: Annotated[str, doc("Landline number; empty where it is not the caller's business.")]
    staff_number: Annotated[str, doc("Staff number; empty where there is none.")]
    state: Annotated[str, doc("`active` or `frozen`.")]
    must_reset: Annotated[bool, doc("Whether the password must be changed at the next sign-in.")]
    last_login_at: Annotated[datetime | None, doc("When the member last signed in.")]
    version: Version
    created_at: CreatedAt
    password: Annotated[str | None, doc("The new password, shown once; null otherwise.")] = None


def shaped(rows: Sequence[Member]) -> list[MemberOut]:
    """Members as the API answers them; without phone numbers, where they are not the caller's business."""
    return [_shaped(row) for row in rows]


def _shaped(row: Member) -> MemberOut:
    mobile, landline = (row.mobile, row.landline) if delegation.may_see_contact(row) else ("", "")
    return MemberOut(
        row.id,
        row.login,
        row.name,
        row.nickname or "",
        mobile or "",
        landline or "",
        row.staff_number or "",
        row.state,
        bool(row.must_reset),
        row.last_login_at,
        row.version or 1,
        row.created_at,
    )
