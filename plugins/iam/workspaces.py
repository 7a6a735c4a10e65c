"""Workspaces separate what one tenant runs, such as production and test (guide 3.2)."""

from __future__ import annotations

from typing import Annotated

from app import audit
from app.contracts.shapes import doc
from app.db import db, new_id, touch
from app.web.buttons import Button
from app.web.listing import Column
from app.web.resources import Resource
from app.words import _
from plugins.iam import delegation, names, permissions, seeding
from plugins.iam.blueprint import api, bp
from plugins.iam.errors import NOT_EMPTY, TAKEN
from plugins.iam.models import Workspace
from plugins.iam.names import NamedOut, NamedWanted
from plugins.iam.permissions import WORKSPACE_EDIT
from plugins.iam.tenants import holding

WorkspaceId = Annotated[str, doc("Identifier of the workspace.")]
TITLE = _("The workspace")


class WorkspaceWanted(NamedWanted):
    """A workspace's name and description."""


class WorkspaceOut(NamedOut):
    """A workspace."""


workspaces = Resource(
    api,
    bp,
    "workspace",
    "/iam/workspaces",
    _("Workspaces"),
    _("workspace"),
    Workspace,
    WorkspaceOut,
    WorkspaceId,
    permissions.WORKSPACE_READ,
)
workspaces.listed(
    _("List workspaces"),
    [
        Column("name", _("Name"), lambda r: r.name, sort=Workspace.name, narrow=True),
        Column("description", _("Description"), lambda r: r.description),
        Column("id", _("Workspace ID"), lambda r: r.id, "mono"),
        Column("created", _("Created"), lambda r: r.created_at, "time", Workspace.created_at, field="createdAt"),
    ],
    search=(Workspace.name, Workspace.description),
    sort="name",
    empty=_("A workspace separates what one tenant runs, such as production and test."),
)


@workspaces.creates(
    _("Create a workspace"),
    WORKSPACE_EDIT,
    permissions.WORKSPACE_CREATED,
    title=_("New workspace"),
    submit=_("Create the workspace"),
    errors=[TAKEN],
)
def create(wanted: WorkspaceWanted) -> Workspace:
    """A workspace of this tenant.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    name = names.free(Workspace, wanted.name, TITLE)
    row = Workspace(
        id=new_id(), tenant_id=delegation.me().tenant_id, name=name, description=wanted.description, version=1
    )
    seeding.add(row)
    audit.note("workspace", row.id, row.name)
    return row


@workspaces.changes(_("Change a workspace"), WORKSPACE_EDIT, permissions.WORKSPACE_CHANGED)
def change(row: Workspace, wanted: WorkspaceWanted) -> Workspace:
    """Another name or description.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    row.name, row.description = names.free(Workspace, wanted.name, TITLE, row.id), wanted.description
    touch(row)
    audit.note("workspace", row.id, row.name)
    return row


@workspaces.removes(
    _("Delete an empty workspace"),
    WORKSPACE_EDIT,
    permissions.WORKSPACE_DELETED,
    Button(
        "delete",
        _("Delete"),
        _("{name} was deleted."),
        confirm=_("Delete the workspace {name}? Only an empty one can be deleted."),
    ),
    errors=[NOT_EMPTY],
)
def remove(row: Workspace) -> None:
    """Delete a workspace in which nothing is left.

    :raises ConsoleError: IAM/NOT_EMPTY
    """
    left = sorted(holding("workspace_id", row.id))
    if left:
        raise NOT_EMPTY(name=row.name, what=", ".join(left[:5]))
    audit.note("workspace", row.id, row.name)
    db.session.delete(row)
