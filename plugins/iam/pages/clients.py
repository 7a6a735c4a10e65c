"""Pages of OIDC clients."""

from __future__ import annotations

from flask import Response, request, url_for

from app.contracts.identity import API, API_READ
from app.contracts.text import Text
from app.db import scoped
from app.guard import guard
from app.web.frame import may as allowed
from app.web.frame import why_not
from app.web.listing import Column, Listing
from app.web.render import go
from app.web.table import Action, Cell, Empty
from plugins.iam import permissions as may
from plugins.iam.oidc.keys import issuer
from plugins.iam.oidc.models import OidcClient
from plugins.iam.pages import bp, common
from plugins.iam.pages.common import DELETED, EDIT, SAVE, SAVED, Form, act, date_cell, dialog, lines
from plugins.iam.service import oidc_clients

TITLE = Text("OIDC clients", "OIDC 客户端")
API_TITLE = Text("May use the API in people's names", "可以用户身份调用 API")
API_WORDS = {
    "": Text("No", "否"),
    API_READ: Text("Yes, to read", "是，仅读取"),
    API: Text("Yes, to read and to change", "是，读取与修改"),
}


@bp.get("/iam/oidc-clients")
@guard(may.CLIENT_READ)
def client_list() -> Response:
    listing = Listing(
        "clients",
        scoped(OidcClient),
        [
            Column("name", Text("Name", "名称"), lambda r: r.name, sort=OidcClient.name, narrow=True),
            Column("client", Text("Client ID", "客户端 ID"), lambda r: r.client_id, kind="mono"),
            Column("kind", Text("Kind", "类型"), lambda r: Text("Public", "公开") if r.public else Text("With secret", "机密"), narrow=True),
            Column("trusted", Text("Trusted", "受信任"), lambda r: Cell("bool", value=r.trusted)),
            Column("created", Text("Created", "创建时间"), lambda r: date_cell(r.created_at), sort=OidcClient.created_at),
        ],
        search=(OidcClient.name, OidcClient.client_id),
        default_sort="name",
        href=lambda r: url_for(".client", client_id=r.id),
        actions=_actions,
        empty=Empty(TITLE, Text("Other applications can let people sign in with their account here.", "其他应用可使用本站点账号登录。")),
    )  # fmt: skip
    new = Action(Text("Register a client", "注册客户端"), url_for(".client_new"), dialog=True, primary=True, icon="plus", disabled_reason=why_not(may.CLIENT_EDIT))
    return common.listed(listing, TITLE, [new])


def _actions(row: OidcClient) -> list[Action]:
    no_secret = Text("A public client has no secret.", "公开客户端没有密钥。") if row.public else None
    return [
        act(Text("Edit", "编辑"), url_for(".client_edit", client_id=row.id), dialog=True, icon="pencil", disabled_reason=why_not(may.CLIENT_EDIT)),
        act(Text("Rotate the secret",
            "轮换密钥"), url_for(".client_rotate", client_id=row.id), dialog=True, icon="rotate-ccw", disabled_reason=why_not(may.CLIENT_EDIT) or no_secret),
        act(Text("Delete", "删除"), url_for(".client_delete", client_id=row.id), danger=True, icon="trash-2", disabled_reason=why_not(may.CLIENT_EDIT),
            confirm=Text("Delete {name}? Nobody can sign in to it any more.", "删除 {name}？将无法再通过它登录。").format(name=row.name)),
    ]  # fmt: skip


@bp.get("/iam/oidc-clients/<client_id>")
@guard(may.CLIENT_READ)
def client(client_id: str) -> Response:
    row = oidc_clients.get(client_id)
    yes, no = Text("Yes", "是"), Text("No", "否")
    addresses = [[uri, Text("Sign-in", "登录回调")] for uri in row.redirect_uris]
    addresses += [[uri, Text("After signing out", "退出后跳转")] for uri in row.post_logout_uris]
    if row.backchannel_uri:
        addresses.append([row.backchannel_uri, Text("Told that a session ended", "会话结束通知")])
    return common.show(
        row.name, (TITLE, url_for(".client_list")), actions=_actions(row),
        facts=[
            (Text("Client ID", "客户端 ID"), row.client_id), (Text("Public, without a secret", "公开（无密钥）"), yes if row.public else no),
            (Text("Trusted, without consent", "受信任（免授权确认）"), yes if row.trusted else no),
            (Text("Console of another site", "其他站点的控制台"), yes if row.site else no), (Text("Audience", "受众"), row.audience),
            (API_TITLE, API_WORDS[row.api_scope]),
            (Text("PKCE", "PKCE"), Text("Not required: this client is exempt", "不要求：该客户端已豁免") if row.without_pkce else Text("Required", "必须使用")),
            (Text("Issuer", "签发者"), issuer()), (Text("Created", "创建时间"), row.created_at),
        ],
        cards=[{"title": Text("Addresses",
            "地址"), "columns": [Text("Address", "地址"), Text("For", "用途")], "rows": addresses, "empty": Text("None.", "无。")}],
    )  # fmt: skip


def _form(row: OidcClient | None = None) -> Form:
    fields = [
        {"name": "name", "label": Text("Name", "名称"), "required": True, "help": Text("People see it when they sign in.", "登录时向用户显示。")},
        {"name": "redirect_uris", "label": Text("Redirect addresses", "回调地址"), "type": "textarea", "rows": 3, "mono": True, "required": True,
         "help": Text("One a line; compared character by character.", "每行一个，逐字符比对。")},
        {"name": "post_logout_uris", "label": Text("Addresses after signing out", "退出后跳转地址"), "type": "textarea", "rows": 2, "mono": True},
        {"name": "backchannel_uri", "label": Text("Back-channel logout address", "后端退出通知地址"), "mono": True},
        {"name": "audience", "label": Text("Audience", "受众"), "mono": True,
         "help": Text("For one that reads tokens itself, such as a Kubernetes API server; leave empty otherwise.",
             "供自行校验令牌的应用使用（如 Kubernetes API Server），否则留空。")},
        {"name": "trusted", "label": Text("Trusted: people are not asked what it may know of them", "受信任：读取用户信息无需用户确认"), "type": "checkbox"},
        {"name": "api_scope", "label": API_TITLE, "type": "select", "options": list(API_WORDS.items()),
         "help": Text("Only with the consent of each person, also where it is trusted.", "须经每位用户确认，受信任的客户端亦然。")},
        {"name": "without_pkce", "label": Text("Exempt from PKCE: for an application with a secret that cannot use it",
            "豁免 PKCE：仅用于有密钥但不支持 PKCE 的应用"), "type": "checkbox"},
        {"name": "site", "label": Text("Console of another site: it uses the people, roles and AccessKeys of this one",
            "其他站点的控制台：使用本站点的人员、角色与 AccessKey"), "type": "checkbox"},
    ]  # fmt: skip
    held = {"site": may.SITE_JOIN, "api_scope": may.CLIENT_API}
    fields = [item for item in fields if item["name"] not in held or allowed(held[str(item["name"])])]
    if row is None:
        public = {"name": "public",
            "label": Text("Public: runs where it cannot keep a secret (browser, desktop)", "公开：运行于无法保管密钥的环境（浏览器、桌面）"), "type": "checkbox"}
        return Form(Text("Register a client", "注册客户端"), url_for(".client_new"), Text("Register", "注册"), [*fields, public])
    values = {
        "name": row.name, "redirect_uris": "\n".join(row.redirect_uris), "post_logout_uris": "\n".join(row.post_logout_uris),
        "backchannel_uri": row.backchannel_uri, "audience": row.audience, "trusted": row.trusted, "site": row.site,
        "api_scope": row.api_scope, "without_pkce": row.without_pkce,
    }  # fmt: skip
    shown = {str(item["name"]) for item in fields}
    values = {name: value for name, value in values.items() if name in shown}
    title = EDIT.format(name=row.name)
    return Form(title, url_for(".client_edit", client_id=row.id), SAVE, fields, values=values, row=row)


def _wanted() -> oidc_clients.ClientWanted:
    given = request.form
    return oidc_clients.ClientWanted(
        name=given.get("name", ""), redirect_uris=lines("redirect_uris"), post_logout_uris=lines("post_logout_uris"),
        backchannel_uri=given.get("backchannel_uri", ""), audience=given.get("audience", ""), public="public" in given, trusted="trusted" in given, site="site" in given,
        api_scope=given.get("api_scope", ""), without_pkce="without_pkce" in given,
    )  # fmt: skip


@dialog("/iam/oidc-clients/new", may.CLIENT_EDIT, may.CLIENT_CREATED, _form)
def client_new() -> Response:
    return _shown(oidc_clients.create(_wanted()))


def _shown(made: oidc_clients.WithSecret) -> Response:
    items = [(Text("Client ID", "客户端 ID"), made.client.client_id), (Text("Issuer", "签发者"), issuer())]
    if made.secret:
        items.append((Text("Secret", "密钥"), made.secret))
    body = Text("The secret is not shown again.", "密钥不会再次显示。")
    if not made.secret:
        body = Text("It has no secret: it proves itself with PKCE.", "该客户端无密钥，使用 PKCE 验证。")
    return common.secret_once(Text("Client {name}",
        "客户端 {name}").format(name=made.client.name), body, items, url_for(".client", client_id=made.client.id))


@dialog("/iam/oidc-clients/<client_id>/edit", may.CLIENT_EDIT, may.CLIENT_CHANGED, _form, oidc_clients.get)
def client_edit(row: OidcClient) -> Response:
    oidc_clients.change(row, _wanted())
    return go(url_for(".client", client_id=row.id), SAVED)


def _rotate_form(row: OidcClient) -> Form:
    return Form(
        Text("Rotate the secret of {name}?", "轮换 {name} 的密钥？").format(name=row.name), url_for(".client_rotate", client_id=row.id),
        Text("Make a new secret", "生成新密钥"), [],
        body=Text("The secret of now goes on working until the next rotation, so that the application can be changed over.",
                  "当前密钥在下次轮换前仍然有效，便于应用切换。"),
    )  # fmt: skip


@dialog("/iam/oidc-clients/<client_id>/rotate", may.CLIENT_EDIT, may.CLIENT_ROTATED, _rotate_form, oidc_clients.get)
def client_rotate(row: OidcClient) -> Response:
    return _shown(oidc_clients.rotate(row))


@bp.post("/iam/oidc-clients/<client_id>/delete")
@guard(may.CLIENT_EDIT, audit=may.CLIENT_DELETED)
def client_delete(client_id: str) -> Response:
    row = oidc_clients.get(client_id)
    name = row.name
    oidc_clients.remove(row)
    return go(url_for(".client_list"), DELETED.format(name=name))
