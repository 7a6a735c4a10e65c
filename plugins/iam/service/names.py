"""Names that people give: neither empty nor too long, and once in a tenant."""

from __future__ import annotations

from typing import Annotated, TypeVar

from app.contracts.shapes import Ask, Description, doc
from app.db import db, scoped
from app.errors import invalid
from app.web.api import In
from app.words import Text, _
from plugins.iam.models import Group, ServiceAccount, Workspace
from plugins.iam.service.errors import TAKEN

LONGEST = 255
Named = TypeVar("Named", Group, ServiceAccount, Workspace)


class NamedWanted(In):
    """A name, and a sentence that says what it is for."""

    name: Annotated[
        str, Ask(_("Name"), more={"maxlength": LONGEST}), doc("Name that people see; unique in the tenant.")
    ]
    description: Description = ""


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
