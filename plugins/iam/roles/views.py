"""The list of roles and the page of one, built-in or custom: more than rows of one table."""

from __future__ import annotations

from flask import Response, make_response, request, url_for
from markupsafe import Markup

from app.db import db, scoped
from app.guard import guard
from app.web import shown
from app.web.api import ListQuery, Page
from app.web.language import t
from app.web.render import render
from app.web.table import Action, Cell
from app.words import _, pgettext, plain
from plugins.iam import catalogue, delegation
from plugins.iam.blueprint import api, bp
from plugins.iam.grants import grants, holder_cell, validity_cell
from plugins.iam.grants.cards import SHOWN
from plugins.iam.grants.conditions import condition_words
from plugins.iam.models import Grant
from plugins.iam.permissions import ROLE_READ
from plugins.iam.roles import RoleId, RoleOut, get, get_own, roles, shaped


@api.operation(
    "GET", "/iam/roles", "iam.roles.list", _("List roles"), ROLE_READ, query=ListQuery, returns=Page[RoleOut]
)
def list_roles(query: ListQuery) -> Page[RoleOut]:
    return Page([shaped(role) for role in catalogue.roles_of_tenant(delegation.me().tenant_id, query.q)])


@bp.get("/iam/roles")
@guard(ROLE_READ)
def role_list() -> Response:
    wanted = request.args.get("q", "").strip()
    found = [_row(role) for role in catalogue.roles_of_tenant(delegation.me().tenant_id, wanted)]
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
        title=roles.title,
        actions=[make() for make in roles.new],
        q=wanted,
        columns=columns,
        rows=found,
        hint=_("Name, code or a permission in it"),
    )


def _row(role: catalogue.RoleShown) -> list[object]:
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
@guard(ROLE_READ)
def role_options() -> Response:
    found = catalogue.roles_of_tenant(delegation.me().tenant_id, request.args.get("q", ""), counted=False)
    granted = delegation.grantable({r.code for r in found})
    option = Markup('<option value="{}" data-help="{}">{}</option>')
    lines = [option.format(r.code, r.code, t(r.name)) for r in found if r.code in granted]
    return make_response(Markup("").join(lines))


@api.operation("GET", "/iam/roles/<role_id>", "iam.roles.get", _("Show a role"), ROLE_READ, returns=RoleOut)
def get_role(role_id: RoleId) -> RoleOut:
    return shaped(get(role_id))


@bp.get("/iam/roles/<role_id>")
@guard(ROLE_READ)
def role(role_id: str) -> Response:
    found = get(role_id)
    known = catalogue.permissions()
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
    holders = [
        [
            holder_cell(row),
            condition_words(row.conditions) or None,
            validity_cell(row),
            row.granted_by,
            grants.button("revoke", row),
        ]
        for row in held
    ]
    more = Action(_("All who hold it"), url_for(".grant_list", role=found.code))
    return shown.show(
        found.name,
        (roles.title, roles.url(None, "list")),
        actions=[] if found.built_in else roles.actions(get_own(found.id)),
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
