"""Names that people give: neither empty nor too long, and once in a tenant."""

from __future__ import annotations

from typing import Annotated, TypeVar

from app.contracts.shapes import Ask, CreatedAt, Description, Id, Name, Version, doc
from app.db import db, scoped
from app.errors import invalid
from app.web.api import In, Out
from app.words import Text, _
from plugins.iam.errors import TAKEN
from plugins.iam.models import Group, ServiceAccount, Workspace

LONGEST = 255
Named = TypeVar("Named", Group, ServiceAccount, Workspace)


class NamedWanted(In):
    """A name, and a sentence that says what it is for."""

    name: Annotated[
        str, Ask(_("Name"), more={"maxlength": LONGEST}), doc("Name that people see; unique in the tenant.")
    ]
    description: Description = ""


class NamedOut(Out):
    """Something that has a name, and a sentence that says what it is for."""

    id: Id
    name: Name
    description: Description
    version: Version
    created_at: CreatedAt


def checked(name: str) -> str:
    """*name* without spaces around it.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    name = name.strip()
    if not name or len(name) > LONGEST:
        raise invalid({"name": _("Between 1 and {longest} characters.").format(longest=LONGEST)})
    return name


def free(model: type[Named], name: str, what: Text, besides: str = "") -> str:
    """*name*, checked, if no row of this tenant has it but the one *besides*.

    :param what: what has a name here, as a sentence begins with it
    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    name = checked(name)
    if db.session.scalar(scoped(model).where(model.name == name, model.id != besides)):
        raise TAKEN(what=what, name=name)
    return name
