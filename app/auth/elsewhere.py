"""A site without people of its own: which directory answers for it, and whether it can be reached (C-1, C-10).

What asks another site stands on Authlib and requests. They cost every start a
tenth of a second, so that they are loaded when they are first needed.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from app import site
from app.auth.claimed import ClaimedDirectory
from app.config import Settings, SettingsError
from app.contracts.identity import Directory
from app.contracts.seed import Seed
from app.errors import ConsoleError
from app.services import who_offers
from app.words import Text, _

NOBODY_SIGNS_IN = _(
    "nobody can sign in: enable the plugin {plugin}, or set OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET"
)


def directories(settings: Settings, offered: Container[type]) -> Mapping[type, Directory]:
    """The directory of a site that has no plugin for it but names a provider.

    :param offered: contracts that a plugin of this site answers
    :raises SettingsError: both are there
    """
    if Directory in offered and settings.issuer != settings.url:
        raise SettingsError(
            "OIDC_ISSUER names another site, but a plugin of this one has the people: leave one of them out"
        )
    if Directory in offered or not settings.oidc_issuer:
        return {}
    if settings.oidc_claims:
        return {Directory: ClaimedDirectory()}
    from app.auth.remote import RemoteDirectory

    return {Directory: RemoteDirectory()}


def seed(wanted: Seed) -> None:
    """On a site without people of its own: seed for the administrator that the IAM has, in the last of their
    tenants.
    """
    directory = directories(site.settings(), site.catalogue().services).get(Directory)
    if directory is None:
        return
    wanted.admin_key = directory.key_of(wanted.admin_login)
    for tenant in directory.tenants_of(wanted.admin_key):
        spaces = directory.workspaces_of(tenant.id)
        wanted.tenant_id, wanted.workspace_id = tenant.id, spaces[0].id if spaces else ""


def check() -> Text | None:
    """For ``antstack doctor``: whether the provider that OIDC_ISSUER names answers, and gives its grants."""
    if not site.settings().oidc_issuer:
        return NOBODY_SIGNS_IN.format(plugin=who_offers(Directory)[0])
    from app.auth import oidc, snapshot

    try:
        oidc.metadata()
        if not site.settings().oidc_claims:
            snapshot.current()
    except ConsoleError as error:
        return error.told
    return None
