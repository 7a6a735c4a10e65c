"""What somebody holds, as a card: roles with their validity and conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from app.db import db, scoped
from app.web.frame import why_not
from app.web.language import exact, t
from app.web.table import Action, Cell
from app.words import _, plain
from plugins.iam import delegation
from plugins.iam import permissions as may
from plugins.iam.catalogue import role_of, roles_of
from plugins.iam.components import act
from plugins.iam.grants.conditions import condition_words
from plugins.iam.models import Grant

SHOWN = 200  # rows of a card; lists have all
FOREVER = _("Until revoked")


def role_name(tenant_id: str, code: str) -> str:
    """A role's name for people."""
    found = role_of(tenant_id, code)
    return t(found[0]) if found else code


def role_names(held: Sequence[Grant]) -> dict[str, str]:
    """The names of the roles of grants, by code, read at once."""
    codes = {row.role for row in held}
    found = roles_of(delegation.me().tenant_id, codes)
    return {code: t(found[code][0]) if code in found else code for code in codes}


def validity_cell(row: Grant) -> Cell:
    """Until when a grant lasts."""
    return Cell("text", text=exact(row.expires_at) if row.expires_at else t(FOREVER))


def grant_rows(kind: str, principal_id: str) -> dict[str, Any]:
    """The card of roles that somebody holds directly."""
    mine = scoped(Grant).where(Grant.principal_type == kind, Grant.principal_id == principal_id)
    held = db.session.scalars(mine.order_by(Grant.created_at).limit(SHOWN)).all()
    titles = role_names(held)
    rows = [
        [
            Cell("link", text=titles[row.role], href=url_for(".role", role_id=row.role)),
            condition_words(row.conditions) or None,
            validity_cell(row),
            row.granted_by,
            revoke_action(row, titles[row.role]),
        ]
        for row in held
    ]
    reason = why_not(may.GRANT_EDIT)
    return {
        "title": _("Roles"),
        "columns": [_("Role"), _("Only for"), _("Valid until"), _("Granted by"), plain("")],
        "rows": rows,
        "empty": _("No role yet."),
        "actions": [
            Action(
                _("Grant a role"),
                url_for(".grant_new", type=kind, id=principal_id),
                dialog=True,
                icon="plus",
                disabled_reason=reason,
            )
        ],
    }


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


def revoke_action(row: Grant, role: str) -> Action:
    """Take this grant of a role, named, back."""
    reason = why_not(may.GRANT_EDIT)
    return act(
        _("Revoke"),
        url_for("iam.grant_revoke", grant_id=row.id),
        danger=True,
        disabled_reason=reason,
        confirm=_("Revoke {role}? It stops working at once.").format(role=role),
    )
