"""For whom an access token is, and how far it reaches: weighed here alone, on the IAM's site and on those that joined
it.

The API takes the tokens of AccessKeys (client credentials), and those that a person
gave an application with a scope of the API. What an application may never get is a
credential that outlives the consent (RFC 6749, 3.3; RFC 6750, 3.1; RFC 9068, 4).
"""

from __future__ import annotations

from app import caller, site
from app.contracts.identity import API, API_READ, TokenRef
from app.errors import ConsoleError, ErrorCode
from app.guard import Guard
from app.words import _

NOT_FOR_API = ErrorCode(
    "AUTH/TOKEN_NOT_FOR_THE_API",
    401,
    _("The access token was given to {client} for something else than this API."),
    _("Ask for the scope antstack.api, which the client's page must allow; programs use an AccessKey."),
)
SCOPE_TOO_SMALL = ErrorCode(
    "AUTH/SCOPE_TOO_SMALL",
    403,
    _("The access token may only read; this needs the scope {scope}."),
    _("Get a token with that scope."),
)
NOT_BY_APPLICATIONS = ErrorCode(
    "AUTH/NOT_BY_AN_APPLICATION",
    403,
    _("An application that acts for a person cannot get a credential that lasts."),
    _("Do this signed in at the console, or with an AccessKey."),
)
ERRORS = (NOT_FOR_API, SCOPE_TOO_SMALL, NOT_BY_APPLICATIONS)


def need_api(token: TokenRef) -> None:
    """Refuse a token that is for somebody else than the API of this site.

    :raises ConsoleError: AUTH/TOKEN_NOT_FOR_THE_API
    """
    settings = site.settings()
    here = settings.url if site.own_iam() else settings.issuer
    if here not in token.audience or not token.scopes & {API, API_READ}:
        raise NOT_FOR_API(client=token.client_id)


def need_scope(mark: Guard, changes: bool) -> None:
    """Refuse what is beyond the scope of the caller's token; a session and a signature have no scope.

    :param changes: whether the request's method changes something
    :raises ConsoleError: AUTH/SCOPE_TOO_SMALL
    """
    scopes = caller.current().scopes
    if scopes is None or API in scopes or mark.permission is None:
        return
    if not mark.permission.reads or (changes and mark.audit is not None):
        raise SCOPE_TOO_SMALL(scope=API)


def need_own_proof() -> None:
    """Refuse an application that acts for a person: what is answered here is a credential that would outlive its token.

    :raises ConsoleError: AUTH/NOT_BY_AN_APPLICATION
    """
    if caller.current().application:
        raise NOT_BY_APPLICATIONS()


def challenge(error: ConsoleError) -> str:
    """The ``WWW-Authenticate`` header of an answer to a bearer token; empty where there is none to give (RFC 6750,
    3).
    """
    if error.kind is SCOPE_TOO_SMALL:
        return f'Bearer error="insufficient_scope", scope="{API}"'
    return 'Bearer error="invalid_token"' if error.code.startswith("AUTH/TOKEN_NOT_") else ""
