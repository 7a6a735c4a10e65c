"""What one plugin offers another: ask for a Protocol, get the implementation of this site."""

from __future__ import annotations

from typing import TypeVar, cast

from flask import current_app

from app.contracts.text import Text, plain
from app.errors import NO_SERVICE

S = TypeVar("S")
EXTENSION = "antstack.services"
PROVIDERS = {
    "Directory": ("iam", Text("The directory of people and keys", "人员与密钥目录")),
    "DnsRecords": ("dns", Text("Registration of names", "域名注册")),
}


def find_service(contract: type[S]) -> S | None:
    """The site's implementation of *contract*, or None: then hide the feature."""
    offered = current_app.extensions[EXTENSION]
    return cast("S | None", offered.get(contract))


def need_service(contract: type[S]) -> S:
    """The site's implementation of *contract*.

    :raises ConsoleError: CORE/NOT_AVAILABLE_ON_THIS_SITE, naming the plugin to enable
    """
    found = find_service(contract)
    if found is None:
        plugin, what = PROVIDERS.get(contract.__name__, ("?", plain(contract.__name__)))
        raise NO_SERVICE(what=what, plugin=plugin)
    return found
