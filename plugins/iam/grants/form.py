"""The dialog that grants a role: it asks for conditions one by one, which the API takes as a list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import request, url_for

from app.db import db, now, scoped
from app.errors import invalid
from app.web.dialogs import Form
from app.web.forms import whole_number
from app.web.language import local_time, t
from app.web.listing import matching
from app.words import Text, _, plain
from plugins.iam import catalogue, delegation
from plugins.iam.grants.conditions import ATTRIBUTES
from plugins.iam.grants.shapes import GrantWanted
from plugins.iam.models import GROUP, MEMBER, SERVICE_ACCOUNT, Group, Member, ServiceAccount
from plugins.iam.principals import Holder, members_of, name_of

NEW = _("Grant a role")
OFFERED = 20  # of each kind at once; more are found by typing
KINDS = {MEMBER: _("Member"), GROUP: _("Group"), SERVICE_ACCOUNT: _("Service account")}
VALIDITY = (0, 1, 2, 3, 7, 14, 30)
DAYS = {0: _("Until revoked"), 1: _("1 day")}
CUSTOM = "custom"
NOBODY = plain("")


def _validity() -> list[tuple[str, Text]]:
    found = [(str(days), DAYS.get(days) or _("{days} days").format(days=days)) for days in VALIDITY]
    return [*found, (CUSTOM, _("Until a time …"))]


def holders(text: str = "", only: str = "") -> list[tuple[str, str]]:
    """Some of those who may hold a role and match the words; with *only*, that one."""
    tenant_id = delegation.me().tenant_id
    people = members_of(tenant_id).where(matching(text, (Member.login, Member.name))).order_by(Member.login)
    found = [(f"{MEMBER}:{m.id}", f"{m.login} ({m.name})") for m in db.session.scalars(people.limit(OFFERED))]
    kinds: tuple[tuple[str, type[Group] | type[ServiceAccount]], ...] = (
        (GROUP, Group),
        (SERVICE_ACCOUNT, ServiceAccount),
    )
    for kind, model in kinds:
        some = scoped(model).where(matching(text, (model.name,))).order_by(model.name).limit(OFFERED)
        found += [(f"{kind}:{row.id}", f"{t(KINDS[kind])} {row.name}") for row in db.session.scalars(some)]
    kind, __, identifier = only.partition(":")
    if identifier and only not in dict(found):
        found.insert(0, (only, name_of(kind, identifier)))
    return found


def form() -> Form:
    """The dialog that grants a role."""
    chosen = request.form.get("principal") or f"{request.args.get('type', '')}:{request.args.get('id', '')}"
    known = catalogue.roles_of_tenant(delegation.me().tenant_id, counted=False)
    granted = delegation.grantable({r.code for r in known})
    mine = [(r.code, r.name, r.code) for r in known if r.code in granted]
    attributes = [(key, text) for key, text in ATTRIBUTES.items()]
    fields: list[dict[str, Any]] = [
        {
            "name": "principal",
            "label": _("Who"),
            "type": "combobox",
            "options": holders(only=chosen),
            "required": True,
            "empty": NOBODY,
            "source": url_for(".grant_holders"),
        },
        {
            "name": "role",
            "label": _("Role"),
            "type": "combobox",
            "options": mine,
            "required": True,
            "empty": NOBODY,
            "source": url_for(".role_options"),
            "help": _("Search by name or by a permission in it. Only roles that you may hand out are listed."),
        },
        {"name": "validity", "label": _("Valid for"), "type": "select", "options": _validity(), "value": "0"},
        {"name": "until", "label": _("Until"), "type": "datetime-local", "when": f"validity={CUSTOM}"},
        {
            "name": "attribute",
            "label": _("Only for this"),
            "type": "select",
            "options": attributes,
            "empty": _("Everything"),
        },
        {"name": "values", "label": _("Names"), "when": "attribute", "help": _("Separated by commas.")},
        {
            "name": "ranges",
            "label": _("Only from these addresses"),
            "placeholder": _("10.0.0.0/8, 192.168.1.7"),
            "mono": True,
        },
        {"name": "from", "label": _("Only from this time of day"), "type": "time"},
        {"name": "to", "label": _("to this"), "type": "time"},
        {"name": "mfa", "label": _("Only with a second factor"), "type": "checkbox"},
        {"name": "reason", "label": _("Reason")},
    ]
    values = {"principal": chosen} if chosen != ":" else {}
    return Form(NEW, url_for(".grant_new"), _("Grant"), fields, values=values)


def typed() -> GrantWanted:
    """What was typed.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    kind, __, identifier = request.form.get("principal", "").partition(":")
    role = request.form.get("role", "")
    if not identifier or not role:
        raise invalid({name: _("This is required.") for name in ("principal", "role") if not request.form.get(name)})
    reason = request.form.get("reason", "")[:1000]
    return GrantWanted(Holder(kind, identifier), role, _expiry(), _conditions(), reason)


def _expiry() -> datetime | None:
    chosen = request.form.get("validity", "0")
    if chosen == CUSTOM:
        try:
            return local_time(request.form.get("until", ""))
        except ValueError:
            raise invalid({"until": _("Write a date and a time.")}) from None
    days = whole_number(chosen)
    if days is None:
        raise invalid({"validity": _("Choose how long it is valid.")})
    return now() + timedelta(days=days) if days else None


def _conditions() -> list[dict[str, Any]]:
    given, found = request.form, []
    if given.get("attribute"):
        found.append({"kind": "resource", "attribute": given["attribute"], "values": _split(given.get("values", ""))})
    if given.get("ranges", "").strip():
        found.append({"kind": "source-ip", "ranges": _split(given["ranges"])})
    if given.get("from") or given.get("to"):
        found.append({"kind": "time", "from": given.get("from") or "00:00", "to": given.get("to") or "24:00"})
    if given.get("mfa"):
        found.append({"kind": "mfa"})
    return found


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]
