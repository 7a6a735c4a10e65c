"""Names that people give: neither empty nor too long, and once in a tenant."""

from __future__ import annotations

from typing import TypeVar

from app.contracts.text import Text
from app.db import db, scoped
from app.errors import invalid
from plugins.iam.models import Group, ServiceAccount, Workspace
from plugins.iam.service.errors import TAKEN

LONGEST = 255
Named = TypeVar("Named", Group, ServiceAccount, Workspace)


def checked(name: str) -> str:
    """*name* without spaces around it.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    name = name.strip()
    if not name or len(name) > LONGEST:
        raise invalid({"name": Text("Between 1 and {longest} characters.", "1 到 {longest} 个字符。").format(longest=LONGEST)})
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
