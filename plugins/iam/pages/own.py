"""The account page: who one is here, own roles, AccessKeys, password and consents (guide 3.3)."""

from __future__ import annotations

from flask import Response, request, url_for
from sqlalchemy import select

from app import audit
from app.auth import decisions
from app.contracts.text import Text, plain
from app.db import db
from app.errors import NOT_FOUND
from app.guard import SIGNED_IN, signed_in
from app.web.language import exact, t
from app.web.render import go
from app.web.table import Action, Cell
from plugins.iam import passwords
from plugins.iam import permissions as may
from plugins.iam.directory import DIRECT
from plugins.iam.models import MEMBER, Enterprise, Member, Tenant
from plugins.iam.oidc import clients, logout, tokens
from plugins.iam.oidc.authorize import SCOPE_WORDS
from plugins.iam.oidc.models import Consent, Token
from plugins.iam.pages import bp, common
from plugins.iam.pages.common import SAVE, SAVED, Form, act, date_cell, dialog
from plugins.iam.pages.holders import condition_words, key_rows
from plugins.iam.pages.members import FIELDS
from plugins.iam.service import handing, members
from plugins.iam.signin import service

OWN = "one's own account"
TITLE = Text("My account", "我的账号")
SESSIONS = Text("Sessions", "会话")
OWN_FIELDS = [item for item in FIELDS if item["name"] != "staff_number"]


def _me() -> Member:
    me = handing.me()
    row = db.session.get(Member, me.id) if me.type == MEMBER else None
    if row is None:
        raise NOT_FOUND(what=members.WHAT)
    return row


@bp.get("/account")
@signed_in(OWN)
def own_account() -> Response:
    row, me = _me(), handing.me()
    tenant, enterprise = db.session.get(Tenant, me.tenant_id), db.session.scalar(select(Enterprise.name))
    return common.show(
        TITLE, (TITLE, url_for(".own_account")),
        actions=[
            Action(Text("Edit", "编辑"), url_for(".own_profile"), dialog=True, icon="pencil"),
            Action(Text("Change password", "修改密码"), url_for(".own_password"), dialog=True, icon="key-round"),
            Action(SESSIONS, url_for("auth.own_sessions"), icon="monitor"),
        ],
        facts=[
            (Text("Enterprise", "企业"), enterprise), (Text("Tenant", "租户"), tenant.name if tenant else ""), (Text("Tenant ID", "租户 ID"), me.tenant_id),
            (Text("Login name", "登录名"), row.login), (Text("Name", "姓名"), row.name), (Text("Nickname", "昵称"), row.nickname),
            (Text("Mobile", "手机"), row.mobile), (Text("Landline", "座机"), row.landline),
            (Text("Last sign-in", "最近登录"), row.last_login_at), (Text("Password changed", "密码修改时间"), row.password_changed_at),
        ],
        cards=[_role_card(), key_rows(MEMBER, row.id), _consent_card(row)],
    )  # fmt: skip


def _role_card() -> dict[str, object]:
    rows = [
        [g.role_name, Text("directly", "直接授予") if g.source == DIRECT else g.source, condition_words(g.conditions) or None,
         exact(g.expires_at) if g.expires_at else Text("Until revoked", "长期有效")]
        for g in decisions.held_by(handing.me())
    ]  # fmt: skip
    columns = [Text("Role", "角色"), Text("Through", "来源"), Text("Only for", "条件"), Text("Valid until", "有效期")]
    return {"title": Text("My roles here", "我的角色"), "columns": columns, "rows": rows, "empty": Text("No role in this tenant.", "在本租户中暂无角色。")}


def _consent_card(row: Member) -> dict[str, object]:
    rows = []
    for held in db.session.scalars(select(Consent).where(Consent.member_id == row.id).order_by(Consent.given_at)):
        client = clients.find(held.client_id)
        words = [t(SCOPE_WORDS[scope]) for scope in held.scopes if scope in SCOPE_WORDS]
        withdraw = act(Text("Withdraw", "撤回"), url_for(".consent_withdraw", consent_id=held.id), danger=True)
        rows.append([client.name if client else held.client_id, Cell("tags", items=words), date_cell(held.given_at), withdraw])
    return {
        "title": Text("Applications that I allowed", "已授权的应用"), "rows": rows, "empty": Text("None asked.", "暂无。"),
        "columns": [Text("Application", "应用"), Text("May", "权限"), Text("Since", "授权时间"), plain("")],
    }  # fmt: skip


def _profile_form(row: Member) -> Form:
    values = {str(item["name"]): getattr(row, str(item["name"])) for item in OWN_FIELDS}
    return Form(Text("Personal information", "个人信息"), url_for(".own_profile"), SAVE, OWN_FIELDS, values=values, row=row)


@dialog("/account/profile", SIGNED_IN, may.PROFILE_CHANGED, _profile_form, _me)
def own_profile(row: Member) -> Response:
    members.change(row, members.Profile(**{str(i["name"]): request.form.get(str(i["name"]), "") for i in OWN_FIELDS}))
    return go(url_for(".own_account"), SAVED)


def _password_form() -> Form:
    fields = [
        {"name": "old", "label": Text("Password of now", "当前密码"), "type": "secret", "autocomplete": "current-password", "required": True},
        {"name": "new", "label": Text("New password", "新密码"), "type": "secret", "autocomplete": "new-password", "required": True,
         "help": passwords.TOO_SHORT.format(n=passwords.SHORTEST)},
        {"name": "again", "label": Text("The same again", "再次输入"), "type": "secret", "autocomplete": "new-password", "required": True},
    ]  # fmt: skip
    body = Text("You are signed out everywhere and sign in anew.", "修改后将在所有设备退出，需重新登录。")
    return Form(Text("Change password", "修改密码"), url_for(".own_password"), Text("Change the password", "修改密码"), fields, body=body)


@dialog("/account/password", SIGNED_IN, may.PASSWORD_CHANGED, _password_form)
def own_password() -> Response:
    row = _me()
    service.check_own(row, request.form.get("old", ""))
    service.set_password(row, request.form.get("new", ""), request.form.get("again", ""))
    audit.note(MEMBER, row.id, row.login)
    logout.end_member(row.id)
    return go(url_for("auth.login"))


@bp.post("/account/consents/<consent_id>/withdraw")
@signed_in(OWN, audit=may.CONSENT_WITHDRAWN)
def consent_withdraw(consent_id: str) -> Response:
    held, row = db.session.get(Consent, consent_id), _me()
    if held is None or held.member_id != row.id:
        raise NOT_FOUND(what=Text("consent", "授权"))
    audit.note("client", held.client_id, held.client_id)
    tokens.revoke((Token.client_id == held.client_id) & (Token.principal_id == row.id))
    db.session.delete(held)
    return go(url_for(".own_account"), Text("Withdrawn; its tokens no longer work.", "已撤回，其令牌立即失效。"))


