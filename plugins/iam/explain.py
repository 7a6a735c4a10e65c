"""Which permissions there are, and why somebody may use one or not."""

from __future__ import annotations

from typing import Annotated

from flask import Response, request, url_for

from app import site
from app.auth.explain import explain, on_behalf
from app.contracts.shapes import doc
from app.errors import NOT_FOUND
from app.guard import guard
from app.web.api import In, ListQuery, Out, Page
from app.web.language import t
from app.web.render import render
from app.web.table import Action, Cell
from app.words import _
from plugins.iam import catalogue, delegation
from plugins.iam.blueprint import api, bp
from plugins.iam.directory import LocalDirectory
from plugins.iam.grants.conditions import ATTRIBUTES
from plugins.iam.permissions import CHECK, ROLE_READ
from plugins.iam.principals import Holder


class PermissionOut(Out):
    """A right that some plugin declares."""

    name: Annotated[str, doc("Name of the permission, `plugin.noun.verb`.")]
    plugin: Annotated[str, doc("Plugin that declares it.")]
    title: Annotated[str, doc("What it allows, in the caller's language.")]
    reads: Annotated[bool, doc("Whether it changes nothing.")]


class Question(In):
    """May this principal use the permission on the resource?"""

    principal: Annotated[Holder, doc("Who is asked about.")]
    permission: Annotated[str, doc("Name of the permission.")]
    resource: Annotated[dict[str, str], doc("Attributes of the resource, such as `cluster` or `product`.")] = {}


class Answer(Out):
    """Whether, and why."""

    allowed: Annotated[bool, doc("Whether it is allowed.")]
    reason: Annotated[str, doc("Why, in the caller's language.")]


@api.operation(
    "GET",
    "/iam/permissions",
    "iam.permissions.list",
    _("List permissions"),
    ROLE_READ,
    query=ListQuery,
    returns=Page[PermissionOut],
)
def list_permissions(query: ListQuery) -> Page[PermissionOut]:
    words = query.q.lower().split()
    found = [
        PermissionOut(p.name, p.name.partition(".")[0], t(p.title), p.reads)
        for p in sorted(catalogue.permissions().values(), key=lambda p: p.name)
        if all(word in f"{p.name} {p.title} {t(p.title)}".lower() for word in words)
    ]
    return Page(found)


@bp.get("/iam/permissions")
@guard(ROLE_READ)
def permission_list() -> Response:
    words = request.args.get("q", "").lower().split()
    known = sorted(catalogue.permissions().values(), key=lambda p: p.name)
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


@api.operation(
    "POST",
    "/iam/check",
    "iam.check",
    _("Ask what somebody may do, and why"),
    CHECK,
    body=Question,
    returns=Answer,
    public="it only asks",
)
def check(body: Question) -> Answer:
    principal = LocalDirectory().principal(f"{body.principal.type}:{body.principal.id}", delegation.me().tenant_id)
    if principal is None:
        raise NOT_FOUND(what=_("principal"))
    decision = on_behalf(principal, body.permission, body.resource)
    return Answer(decision.allowed, t(decision.reason))


@bp.get("/iam/why")
@guard(CHECK)
def why() -> Response:
    user, permission = request.args.get("user", "").strip(), request.args.get("permission", "")
    attribute, value = request.args.get("attribute", ""), request.args.get("value", "").strip()
    decision = None
    if user and permission:
        resource = {attribute: value} if attribute and value else None
        tenant = delegation.me().tenant_id
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
        attributes=list(ATTRIBUTES.items()),
    )
