"""What somebody holds, as a card: roles with their validity and conditions."""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.db import db, scoped
from app.web.frame import why_not
from app.web.table import Action
from app.words import _, plain
from plugins.iam.grants import grants, role_cell, validity_cell
from plugins.iam.grants.conditions import condition_words
from plugins.iam.grants.form import NEW
from plugins.iam.models import Grant
from plugins.iam.permissions import GRANT_EDIT

SHOWN = 200  # rows of a card; lists have all


def grant_rows(kind: str, principal_id: str) -> dict[str, Any]:
    """The card of roles that somebody holds directly."""
    mine = scoped(Grant).where(Grant.principal_type == kind, Grant.principal_id == principal_id)
    rows = [
        [
            role_cell(row),
            condition_words(row.conditions) or None,
            validity_cell(row),
            row.granted_by,
            grants.button("revoke", row),
        ]
        for row in db.session.scalars(mine.order_by(Grant.created_at).limit(SHOWN))
    ]
    url, refused = url_for(".grant_new", type=kind, id=principal_id), why_not(GRANT_EDIT)
    return {
        "title": _("Roles"),
        "columns": [_("Role"), _("Only for"), _("Valid until"), _("Granted by"), plain("")],
        "rows": rows,
        "empty": _("No role yet."),
        "actions": [Action(NEW, url, dialog=True, icon="plus", disabled_reason=refused)],
    }
