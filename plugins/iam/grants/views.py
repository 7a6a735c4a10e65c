"""Pages of grants: who holds which role, until when and under which conditions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Response, request, url_for
from sqlalchemy import select

from app.db import db, now, scoped
from app.errors import invalid
from app.guard import guard
from app.web.dialogs import done, options
from app.web.forms import whole_number
from app.web.frame import why_not
from app.web.language import t, zone
from app.web.listing import Column, Filter, Listing, matching
from app.web.render import go
from app.web.table import Action, Cell, Empty
from app.words import Text, _, plain
from plugins.iam import catalogue, components, delegation, grants
from plugins.iam import permissions as may
from plugins.iam.blueprint import bp
from plugins.iam.components import Form, date_cell, dialog
from plugins.iam.grants.cards import holder_cell, revoke_action, role_name, role_names, validity_cell
from plugins.iam.grants.conditions import ATTRIBUTES, condition_words
from plugins.iam.models import GROUP, MEMBER, SERVICE_ACCOUNT, CustomRole, Grant, Group, Member, ServiceAccount
from plugins.iam.principals import members_of, name_of, names_of

TITLE = _("Grants")
NEW = _("Grant a role")
OFFERED = 20  # of each kind at once; more are found by typing
KINDS = {MEMBER: _("Member"), GROUP: _("Group"), SERVICE_ACCOUNT: _("Service account")}
DAYS = {0: _("Until revoked"), 1: _("1 day")}
CUSTOM = "custom"
NOBODY = plain("")


def _holds(text: str) -> Any:
    wanted = f"%{text}%"
    return (
        Grant.principal_id.in_(select(Member.id).where(Member.login.like(wanted)))
        | Grant.principal_id.in_(select(Group.id).where(Group.name.like(wanted)))
        | Grant.principal_id.in_(select(ServiceAccount.id).where(ServiceAccount.name.like(wanted)))
    )


def _role_choices() -> list[tuple[str, Text]]:
    built_in = [(r.code, r.title) for r in catalogue.roles().values()]
    return built_in + [
        (r.code, plain(r.name)) for r in db.session.scalars(scoped(CustomRole).order_by(CustomRole.name))
    ]


@bp.get("/iam/grants")
@guard(may.GRANT_READ)
def grant_list() -> Response:
    names: dict[tuple[str, str], str] = {}
    titles: dict[str, str] = {}

    def prepare(rows: Sequence[Grant]) -> None:
        names.update(names_of((row.principal_type, row.principal_id) for row in rows))
        titles.update(role_names(rows))

    listing = Listing(
        "grants",
        scoped(Grant),
        [
            Column("who", _("Who"), lambda g: holder_cell(g, names), narrow=True),
            Column("kind", _("Kind"), lambda g: KINDS[g.principal_type], sort=Grant.principal_type),
            Column(
                "role",
                _("Role"),
                lambda g: Cell("link", text=titles[g.role], href=url_for(".role", role_id=g.role)),
                sort=Grant.role,
                narrow=True,
            ),
            Column("conditions", _("Only for"), lambda g: condition_words(g.conditions)),
            Column("until", _("Valid until"), validity_cell, sort=Grant.expires_at),
            Column("by", _("Granted by"), lambda g: g.granted_by),
            Column("reason", _("Reason"), lambda g: g.reason, hidden=True),
            Column("created", _("Granted"), lambda g: date_cell(g.created_at), sort=Grant.created_at),
        ],
        filters=[
            Filter("kind", _("Kind"), Grant.principal_type, list(KINDS.items())),
            Filter("role", _("Role"), Grant.role, _role_choices),
            Filter("q2", _("Holder"), _holds),
        ],
        search=(Grant.role, Grant.granted_by, Grant.reason),
        default_sort="-created",
        actions=lambda g: [revoke_action(g, titles[g.role])],
        prepare=prepare,
        empty=Empty(TITLE, _("A grant lets a member, a group or a program hold a role.")),
    )
    reason = why_not(may.GRANT_EDIT)
    return components.listed(
        listing,
        TITLE,
        [Action(NEW, url_for(".grant_new"), dialog=True, primary=True, icon="plus", disabled_reason=reason)],
    )


def _validity() -> list[tuple[str, Text]]:
    found = [(str(days), DAYS.get(days) or _("{days} days").format(days=days)) for days in grants.VALIDITY]
    return [*found, (CUSTOM, _("Until a time …"))]


def _principals(text: str = "", only: str = "") -> list[tuple[str, str]]:
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


@bp.get("/iam/grants/holders")
@guard(may.GRANT_EDIT)
def grant_holders() -> Response:
    return options(_principals(request.args.get("q", "")))


def _form() -> Form:
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
            "options": _principals(only=chosen),
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


@dialog("/iam/grants/new", may.GRANT_EDIT, may.GRANTED, _form)
def grant_new() -> Response:
    kind, __, identifier = request.form.get("principal", "").partition(":")
    if not identifier or not request.form.get("role"):
        missing = {name: _("This is required.") for name in ("principal", "role") if not request.form.get(name)}
        raise invalid(missing)
    row = grants.give(
        kind,
        identifier,
        request.form["role"],
        conditions=_conditions(),
        expires_at=_expiry(),
        reason=request.form.get("reason", "")[:1000],
    )
    text = _("{who} holds {role} now.")
    return done(
        url_for(".grant_list"),
        text.format(who=name_of(kind, identifier), role=role_name(row.tenant_id, row.role)),
    )


def _expiry() -> datetime | None:
    chosen = request.form.get("validity", "0")
    if chosen == CUSTOM:
        try:
            return datetime.fromisoformat(request.form.get("until", "")).replace(tzinfo=zone())
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


@bp.post("/iam/grants/<grant_id>/revoke")
@guard(may.GRANT_EDIT, audit=may.REVOKED)
def grant_revoke(grant_id: str) -> Response:
    grants.revoke(grant_id)
    back = request.referrer if _own_page() and request.referrer else url_for(".grant_list")
    return go(back, _("Revoked. It no longer works."))


def _own_page() -> bool:
    return bool(request.referrer and request.referrer.startswith(request.host_url))
