"""What one plugin offers another: ask for a Protocol, get the implementation of this site."""

from __future__ import annotations

from typing import TypeVar, cast

from flask import current_app

from app import site
from app.errors import NO_SERVICE
from app.words import Text, _, plain

S = TypeVar("S")
EXTENSION = "antstack.services"
ANY_THAT_OFFERS = _("that offers {contract}")


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
        plugin, what = who_offers(contract)
        raise NO_SERVICE(what=what, plugin=plugin)
    return found


def who_offers(contract: type) -> tuple[Text, Text]:
    """The plugin to enable for *contract*, of those that are here, and what it offers with it."""
    for plugin, offer in site.catalogue().offers_of_others():
        if offer.contract is contract:
            return plain(plugin), offer.title
    return ANY_THAT_OFFERS.format(contract=contract.__name__), plain(contract.__name__)
