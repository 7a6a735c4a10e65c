"""Pages of roles and permissions, and why a decision is what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, make_response, request, url_for
from markupsafe import Markup

from app import site
from app.auth.explain import explain
from app.db import db, scoped
from app.guard import guard
from app.web.forms import parse
from app.web.frame import why_not
from app.web.language import t
from app.web.render import go, render
from app.web.table import Action, Cell
from app.words import _, pgettext, plain
from plugins.iam import offered
from plugins.iam import permissions as may
from plugins.iam.directory import LocalDirectory
from plugins.iam.models import CustomRole, Grant
from plugins.iam.pages import bp, common
from plugins.iam.pages.common import CREATED, DELETED, EDIT, SAVE, Form, act, dialog
from plugins.iam.pages.holders import SHOWN, condition_words, revoke_action, validity_cell
from plugins.iam.service import grants, handing, roles
from plugins.iam.service.roles import RoleShown

TITLE = _("Roles")
NEW = _("New role")


@bp.get("/iam/roles")
@guard(may.ROLE_READ)
def role_list() -> Response:
    wanted = request.args.get("q", "").strip()
    reason = why_not(may.ROLE_EDIT)
    actions = [Action(NEW, url_for(".role_new"), dialog=True, primary=True, icon="plus", disabled_reason=reason)]
    found = [_row(role) for role in roles.all_of(handing.me().tenant_id, wanted)]
    columns = [
        _("Role"),
        _("Code"),
        _("Kind"),
        (pgettext("number", "Permissions"), "number"),
        (pgettext("number", "Held by"), "number"),
        _("Description"),
    ]
    return render(
        "iam/table.html",
        fragment="rows",
        title=TITLE,
        actions=actions,
        q=wanted,
        columns=columns,
        rows=found,
        hint=_("Name, code or a permission in it"),
    )


def _row(role: RoleShown) -> list[object]:
    kind = _("Built in") if role.built_in else _("Own")
    return [
        Cell("link", text=t(role.name), href=url_for(".role", role_id=role.id)),
        Cell("mono", text=role.code),
        Cell("tone", text=t(kind), tone="neutral" if role.built_in else "info"),
        len(role.permissions),
        role.held,
        role.description,
    ]


@bp.get("/iam/roles/options")
@guard(may.ROLE_READ)
def role_options() -> Response:
    found = roles.all_of(handing.me().tenant_id, request.args.get("q", ""), counted=False)
    granted = handing.grantable({r.code for r in found})
    option = Markup('<option value="{}" data-help="{}">{}</option>')
    lines = [option.format(r.code, r.code, t(r.name)) for r in found if r.code in granted]
    return make_response(Markup("").join(lines))


@bp.get("/iam/roles/<role_id>")
@guard(may.ROLE_READ)
def role(role_id: str) -> Response:
    found = roles.get(role_id)
    known = offered.permissions()
    rights = [
        [
            Cell("mono", text=name),
            known[name].title if name in known else "",
            Cell("bool", value=name in known and known[name].reads),
        ]
        for name in found.permissions
    ]
    held = db.session.scalars(
        scoped(Grant).where(Grant.role == found.code).order_by(Grant.created_at).limit(SHOWN)
    ).all()
    names = grants.names_of((row.principal_type, row.principal_id) for row in held)
    holders = [
        [
            holder_cell(row, names),
            condition_words(row.conditions) or None,
            validity_cell(row),
            row.granted_by,
            revoke_action(row, t(found.name)),
        ]
        for row in held
    ]
    more = Action(_("All who hold it"), url_for(".grant_list", role=found.code))
    actions: list[Action] = []
    if not found.built_in:
        actions = [
            Action(
                _("Edit"),
                url_for(".role_edit", role_id=found.id),
                dialog=True,
                icon="pencil",
                disabled_reason=why_not(may.ROLE_EDIT),
            ),
            act(
                _("Delete"),
                url_for(".role_delete", role_id=found.id),
                danger=True,
                icon="trash-2",
                disabled_reason=why_not(may.ROLE_EDIT),
                confirm=_("Delete the role {name}?").format(name=found.name),
            ),
        ]
    return common.show(
        found.name,
        (TITLE, url_for(".role_list")),
        actions=actions,
        facts=[(_("Code"), found.code), (_("Description"), found.description)],
        cards=[
            {
                "title": _("Held by"),
                "rows": holders,
                "actions": [more] if len(held) == SHOWN else [],
                "empty": _("Nobody holds it."),
                "columns": [_("Who"), _("Only for"), _("Valid until"), _("Granted by"), plain("")],
            },
            {
                "title": _("Permissions"),
                "rows": rights,
                "empty": _("None."),
                "columns": [_("Permission"), _("What it allows"), _("Reads only")],
            },
        ],
    )


def holder_cell(row: Grant, names: Mapping[tuple[str, str], str]) -> Cell:
    """Who holds a role, as a link to their page."""
    pages = {
        "member": ("iam.member", "member_id"),
        "group": ("iam.group", "group_id"),
        "serviceAccount": ("iam.account", "account_id"),
    }
    endpoint, argument = pages[row.principal_type]
    values: dict[str, Any] = {argument: row.principal_id}
    return Cell("link", text=names[row.principal_type, row.principal_id], href=url_for(endpoint, **values))


def _form(row: CustomRole | None = None) -> Form:
    options = [
        (p.name, p.title, p.name)
        for p in sorted(offered.permissions().values(), key=lambda p: p.name)
        if not p.name.startswith(may.OF_THE_SITE)
    ]
    fields = [
        {"name": "name", "label": _("Name"), "required": True},
        {
            "name": "code",
            "label": _("Code"),
            "mono": True,
            "help": _("Small letters, digits, hyphens. Stays for ever."),
        },
        {"name": "description", "label": _("Description")},
        {"name": "permissions", "label": _("Permissions"), "type": "transfer", "options": options},
    ]
    if row is None:
        return Form(NEW, url_for(".role_new"), _("Create the role"), fields)
    del fields[1]
    values = {key: getattr(row, key) for key in ("name", "description", "permissions")}
    title = EDIT.format(name=values["name"])
    return Form(title, url_for(".role_edit", role_id=row.id), SAVE, fields, values=values, row=row)


@dialog("/iam/roles/new", may.ROLE_EDIT, may.ROLE_CREATED, _form)
def role_new() -> Response:
    row = roles.create(parse(roles.RoleWanted))
    return go(url_for(".role", role_id=row.id), CREATED.format(name=row.name))


@dialog("/iam/roles/<role_id>/edit", may.ROLE_EDIT, may.ROLE_CHANGED, _form, roles.get_own)
def role_edit(row: CustomRole) -> Response:
    roles.change(row, parse(roles.RoleWanted))
    return go(url_for(".role", role_id=row.id), _("Saved. It counts from the next request on."))


@bp.post("/iam/roles/<role_id>/delete")
@guard(may.ROLE_EDIT, audit=may.ROLE_DELETED)
def role_delete(role_id: str) -> Response:
    row = roles.get_own(role_id)
    name = row.name
    roles.remove(row)
    return go(url_for(".role_list"), DELETED.format(name=name))


@bp.get("/iam/permissions")
@guard(may.ROLE_READ)
def permission_list() -> Response:
    words = request.args.get("q", "").lower().split()
    known = sorted(offered.permissions().values(), key=lambda p: p.name)
    rows = [
        [Cell("mono", text=p.name), p.title, p.name.partition(".")[0], Cell("bool", value=p.reads)]
        for p in known
        if all(word in f"{p.name} {p.title} {t(p.title)}".lower() for word in words)
    ]
    columns = [_("Permission"), _("What it allows"), _("Plugin"), _("Reads only")]
    actions = [Action(_("Why may somebody?"), url_for(".why"), icon="circle-help")]
    return render(
        "iam/table.html",
        fragment="rows",
        title=_("Permissions"),
        actions=actions,
        q=request.args.get("q", ""),
        columns=columns,
        rows=rows,
        hint=_("Plugin, name or words"),
    )


@bp.get("/iam/why")
@guard(may.CHECK)
def why() -> Response:
    user, permission = request.args.get("user", "").strip(), request.args.get("permission", "")
    attribute, value = request.args.get("attribute", ""), request.args.get("value", "").strip()
    decision = None
    if user and permission:
        resource = {attribute: value} if attribute and value else None
        tenant = handing.me().tenant_id
        decision = explain(LocalDirectory().key_of(user) or user, permission, resource, tenant)
    options = [(p.name, p.title, p.name) for p in sorted(site.catalogue().permissions.values(), key=lambda p: p.name)]
    return render(
        "iam/why.html",
        fragment="answer",
        decision=decision,
        user=user,
        permission=permission,
        attribute=attribute,
        value=value,
        options=options,
        attributes=list(grants.ATTRIBUTES.items()),
    )
