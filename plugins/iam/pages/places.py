"""Pages of tenants."""

from __future__ import annotations

from flask import Response, request, url_for

from app.guard import guard
from app.web.dialogs import done
from app.web.forms import parse
from app.web.frame import why_not
from app.web.listing import Column, Listing
from app.web.render import go
from app.web.table import Action, Empty
from app.words import _, pgettext
from plugins.iam import permissions as may
from plugins.iam.models import ACTIVE, Tenant
from plugins.iam.pages import bp, common
from plugins.iam.pages.common import CREATED, DELETED, SAVE, SAVED, Form, act, date_cell, dialog, state_cell
from plugins.iam.service import tenants

TENANTS = _("Tenants")


@bp.get("/iam/tenants")
@guard(may.TENANT_READ)
def tenant_list() -> Response:
    listing = Listing(
        "tenants",
        tenants.visible(),
        [
            Column("name", _("Name"), lambda r: r.name, sort=Tenant.name, narrow=True),
            Column("code", _("Code"), lambda r: r.code, kind="mono", sort=Tenant.code),
            Column("id", _("Tenant ID"), lambda r: r.id, kind="mono"),
            Column("state", _("State"), lambda r: state_cell(r.state), sort=Tenant.state, narrow=True),
            Column("created", _("Created"), lambda r: date_cell(r.created_at), sort=Tenant.created_at),
        ],
        search=(Tenant.name, Tenant.code, Tenant.id),
        default_sort="name",
        actions=_tenant_actions,
        empty=Empty(TENANTS, _("A tenant is a subsidiary or department with its own people and rights.")),
    )
    reason = why_not(may.SITE_TENANTS)
    new = Action(
        _("New tenant"), url_for(".tenant_new"), dialog=True, primary=True, icon="plus", disabled_reason=reason
    )
    return common.listed(listing, TENANTS, [new])


def _tenant_actions(row: Tenant) -> list[Action]:
    edit = why_not(may.TENANT_EDIT)
    site = why_not(may.SITE_TENANTS)
    off = row.state == ACTIVE
    question = _("Disable {name}? Everybody in it is signed out at once.").format(name=row.name)
    return [
        act(_("Rename"), url_for(".tenant_edit", tenant_id=row.id), dialog=True, icon="pencil", disabled_reason=edit),
        act(
            pgettext("tenant", "Disable") if off else _("Enable"),
            url_for(".tenant_state", tenant_id=row.id, enabled=0 if off else 1),
            danger=off,
            confirm=question if off else None,
            icon="power",
            disabled_reason=site,
        ),
        act(
            _("Delete"),
            url_for(".tenant_delete", tenant_id=row.id),
            danger=True,
            icon="trash-2",
            disabled_reason=site,
            confirm=_("Delete the tenant {name}? Only an empty one can be deleted.").format(name=row.name),
        ),
    ]


def _tenant_form(row: Tenant | None = None) -> Form:
    name = {"name": "name", "label": _("Name"), "required": True}
    if row is not None:
        title = _("Rename {name}").format(name=row.name)
        return Form(title, url_for(".tenant_edit", tenant_id=row.id), SAVE, [name], values={"name": row.name}, row=row)
    return Form(
        _("New tenant"),
        url_for(".tenant_new"),
        _("Create the tenant"),
        [
            name,
            {
                "name": "code",
                "label": _("Code"),
                "required": True,
                "mono": True,
                "help": _("Letters, digits and hyphens. Stays for ever."),
            },
            {"name": "administrator", "label": _("First administrator"), "help": _("The login name of a member.")},
        ],
    )


@dialog("/iam/tenants/new", may.SITE_TENANTS, may.TENANT_CREATED, _tenant_form)
def tenant_new() -> Response:
    row = tenants.create(parse(tenants.TenantWanted))
    return done(url_for(".tenant_list"), CREATED.format(name=row.name))


@dialog("/iam/tenants/<tenant_id>/edit", may.TENANT_EDIT, may.TENANT_CHANGED, _tenant_form, tenants.get)
def tenant_edit(row: Tenant) -> Response:
    tenants.change(row, tenants.TenantChange(name=request.form.get("name", "")))
    return done(url_for(".tenant_list"), SAVED)


@bp.post("/iam/tenants/<tenant_id>/state")
@guard(may.SITE_TENANTS, audit=may.TENANT_CHANGED)
def tenant_state(tenant_id: str) -> Response:
    row = tenants.change(tenants.get(tenant_id), tenants.TenantChange(enabled=request.args.get("enabled") == "1"))
    on = _("{name} is enabled.") if row.state == ACTIVE else _("{name} is disabled.")
    return go(url_for(".tenant_list"), on.format(name=row.name))


@bp.post("/iam/tenants/<tenant_id>/delete")
@guard(may.SITE_TENANTS, audit=may.TENANT_DELETED)
def tenant_delete(tenant_id: str) -> Response:
    row = tenants.get(tenant_id)
    name = row.name
    tenants.remove(row)
    return go(url_for(".tenant_list"), DELETED.format(name=name))
