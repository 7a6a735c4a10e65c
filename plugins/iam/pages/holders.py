"""What somebody holds, as a card: roles with their validity and conditions, and AccessKeys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from sqlalchemy import select

from app.db import db, scoped
from app.web.frame import may as allowed
from app.web.frame import why_not
from app.web.language import exact, t
from app.web.table import Action, Cell
from app.words import Text, _, pgettext, plain
from plugins.iam import permissions as may
from plugins.iam.directory import role_of, roles_of
from plugins.iam.models import ACTIVE, MEMBER, AccessKey, Grant
from plugins.iam.pages.common import act, date_cell, state_cell
from plugins.iam.service import handing
from plugins.iam.service.grants import ATTRIBUTES

SHOWN = 200  # rows of a card; lists have all
FOREVER = _("Until revoked")


def role_name(tenant_id: str, code: str) -> str:
    """A role's name for people."""
    found = role_of(tenant_id, code)
    return t(found[0]) if found else code


def role_names(held: Sequence[Grant]) -> dict[str, str]:
    """The names of the roles of grants, by code, read at once."""
    codes = {row.role for row in held}
    found = roles_of(handing.me().tenant_id, codes)
    return {code: t(found[code][0]) if code in found else code for code in codes}


def condition_words(conditions: Any) -> str:
    """Conditions in words."""
    return "; ".join(t(_words(condition)) for condition in conditions)


def _words(condition: Any) -> Text:
    kind = condition.get("kind")
    if kind == "resource":
        attribute = condition.get("attribute", "")
        name, values = ATTRIBUTES.get(attribute, plain(attribute)), ", ".join(condition.get("values", ()))
        return _("{name} {values}").format(name=name, values=values)
    if kind == "source-ip":
        ranges = ", ".join(condition.get("ranges", ()))
        return _("from {ranges}").format(ranges=ranges)
    if kind == "time":
        return _("{a} to {b}").format(a=condition.get("from", ""), b=condition.get("to", ""))
    return _("with a second factor") if kind == "mfa" else plain(str(kind))


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


def key_rows(kind: str, owner_id: str) -> dict[str, Any]:
    """The card of somebody's AccessKeys in this tenant."""
    me = handing.me()
    own = me.key == f"{kind}:{owner_id}"
    query = select(AccessKey).where(AccessKey.tenant_id == me.tenant_id, AccessKey.owner_type == kind)
    found = db.session.scalars(query.where(AccessKey.owner_id == owner_id).order_by(AccessKey.created_at)).all()
    reason = None if own or (allowed(may.KEY_EDIT) and kind != MEMBER) else why_not(may.KEY_EDIT)
    rows = [
        [
            Cell("mono", text=k.id, copy=True),
            state_cell(k.state),
            date_cell(k.created_at),
            date_cell(k.last_used_at),
            k.last_used_ip,
            *_key_actions(k, reason),
        ]
        for k in found
    ]
    return {
        "title": _("AccessKeys"),
        "help": _(
            "Programs prove themselves with them. Two at most, so that one can be replaced while the other works."
        ),
        "columns": [
            _("ID"),
            _("State"),
            _("Created"),
            _("Last used"),
            pgettext("address", "From"),
            plain(""),
            plain(""),
            plain(""),
        ],
        "rows": rows,
        "empty": _("No AccessKey yet."),
        "actions": [
            act(
                _("New AccessKey"),
                url_for("iam.key_create", type=kind, id=owner_id),
                icon="plus",
                disabled_reason=reason,
            )
        ],
    }


def _key_actions(row: AccessKey, reason: Text | None) -> list[Action]:
    toggle = (
        act(
            _("Disable"),
            url_for("iam.key_disable", key_id=row.id),
            disabled_reason=reason,
            confirm=_("Disable {key}? Programs that use it are refused at once.").format(key=row.id),
        )
        if row.state == ACTIVE
        else act(_("Enable"), url_for("iam.key_enable", key_id=row.id), disabled_reason=reason)
    )
    still = _("Disable it first.") if row.state == ACTIVE else None
    return [
        act(_("Reveal"), url_for("iam.key_reveal", key_id=row.id), dialog=True, disabled_reason=reason),
        toggle,
        act(
            _("Delete"),
            url_for("iam.key_delete", key_id=row.id),
            danger=True,
            disabled_reason=reason or still,
            confirm=_("Delete {key} for good?").format(key=row.id),
        ),
    ]
