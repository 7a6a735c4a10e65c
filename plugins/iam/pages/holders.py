"""What somebody holds, as a card: roles with their validity and conditions, and AccessKeys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from sqlalchemy import select

from app.contracts.text import Text, plain
from app.db import db, scoped
from app.web.frame import may as allowed
from app.web.frame import why_not
from app.web.language import exact, t
from app.web.table import Action, Cell
from plugins.iam import permissions as may
from plugins.iam.directory import role_of, roles_of
from plugins.iam.models import ACTIVE, MEMBER, AccessKey, Grant
from plugins.iam.pages.common import act, date_cell, state_cell
from plugins.iam.service import handing
from plugins.iam.service.grants import ATTRIBUTES

SHOWN = 200  # rows of a card; lists have all
FOREVER = Text("Until revoked", "长期有效")


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
        return Text("{name} {values}", "{name} {values}").format(name=name, values=values)
    if kind == "source-ip":
        ranges = ", ".join(condition.get("ranges", ()))
        return Text("from {ranges}", "来源 {ranges}").format(ranges=ranges)
    if kind == "time":
        return Text("{a} to {b}", "{a} 至 {b}").format(a=condition.get("from", ""), b=condition.get("to", ""))
    return Text("with a second factor", "须二次验证") if kind == "mfa" else plain(str(kind))


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
            condition_words(row.conditions) or None, validity_cell(row), row.granted_by, revoke_action(row, titles[row.role]),
        ]
        for row in held
    ]  # fmt: skip
    reason = why_not(may.GRANT_EDIT)
    return {
        "title": Text("Roles", "角色"),
        "columns": [Text("Role", "角色"), Text("Only for", "条件"), Text("Valid until", "有效期"), Text("Granted by", "授权人"), plain("")],
        "rows": rows,
        "empty": Text("No role yet.", "暂无角色。"),
        "actions": [Action(Text("Grant a role", "授权"), url_for(".grant_new", type=kind, id=principal_id), dialog=True, icon="plus", disabled_reason=reason)],
    }  # fmt: skip


def revoke_action(row: Grant, role: str) -> Action:
    """Take this grant of a role, named, back."""
    reason = why_not(may.GRANT_EDIT)
    return act(
        Text("Revoke", "撤销"), url_for("iam.grant_revoke", grant_id=row.id), danger=True, disabled_reason=reason,
        confirm=Text("Revoke {role}? It stops working at once.", "撤销 {role}？将立即失效。").format(role=role),
    )  # fmt: skip


def key_rows(kind: str, owner_id: str) -> dict[str, Any]:
    """The card of somebody's AccessKeys in this tenant."""
    me = handing.me()
    own = me.key == f"{kind}:{owner_id}"
    query = select(AccessKey).where(AccessKey.tenant_id == me.tenant_id, AccessKey.owner_type == kind)
    found = db.session.scalars(query.where(AccessKey.owner_id == owner_id).order_by(AccessKey.created_at)).all()
    reason = None if own or (allowed(may.KEY_EDIT) and kind != MEMBER) else why_not(may.KEY_EDIT)
    rows = [
        [Cell("mono", text=k.id, copy=True), state_cell(k.state), date_cell(k.created_at), date_cell(k.last_used_at), k.last_used_ip, *_key_actions(k, reason)]
        for k in found
    ]  # fmt: skip
    return {
        "title": Text("AccessKeys", "AccessKey"),
        "help": Text("Programs prove themselves with them. Two at most, so that one can be replaced while the other works.",
                     "供程序使用的凭证，最多两个，便于轮换。"),
        "columns": [Text("ID", "ID"), Text("State", "状态"), Text("Created", "创建时间"), Text("Last used", "最近使用"),
            Text("From", "来源地址"), plain(""), plain(""), plain("")],
        "rows": rows,
        "empty": Text("No AccessKey yet.", "暂无 AccessKey。"),
        "actions": [act(Text("New AccessKey", "新建 AccessKey"), url_for("iam.key_create", type=kind, id=owner_id), icon="plus", disabled_reason=reason)],
    }  # fmt: skip


def _key_actions(row: AccessKey, reason: Text | None) -> list[Action]:
    toggle = (
        act(Text("Disable", "禁用"), url_for("iam.key_disable", key_id=row.id), disabled_reason=reason,
            confirm=Text("Disable {key}? Programs that use it are refused at once.", "禁用 {key}？使用它的程序将立即被拒绝。").format(key=row.id))
        if row.state == ACTIVE
        else act(Text("Enable", "启用"), url_for("iam.key_enable", key_id=row.id), disabled_reason=reason)
    )  # fmt: skip
    still = Text("Disable it first.", "请先禁用。") if row.state == ACTIVE else None
    return [
        act(Text("Reveal", "查看密钥"), url_for("iam.key_reveal", key_id=row.id), dialog=True, disabled_reason=reason),
        toggle,
        act(Text("Delete", "删除"), url_for("iam.key_delete", key_id=row.id), danger=True, disabled_reason=reason or still,
            confirm=Text("Delete {key} for good?", "永久删除 {key}？").format(key=row.id)),
    ]  # fmt: skip
