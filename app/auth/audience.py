"""For whom an access token is, and how far it reaches: weighed here alone, on the IAM's site and on those that joined it.

The API takes the tokens of AccessKeys (client credentials), and those that a person
gave an application with a scope of the API. What an application may never get is a
credential that outlives the consent (RFC 6749, 3.3; RFC 6750, 3.1; RFC 9068, 4).
"""

from __future__ import annotations

from app import caller, site
from app.contracts.identity import API, API_READ, TokenRef
from app.contracts.text import Text
from app.errors import ConsoleError, ErrorCode
from app.guard import Guard

NOT_FOR_API = ErrorCode(
    "AUTH/TOKEN_NOT_FOR_THE_API",
    401,
    Text("The access token was given to {client} for something else than this API.", "该访问令牌授予 {client} 用于其他用途，不能用于本 API。"),
    Text(
        "Ask for the scope antstack.api, which the client's page must allow; programs use an AccessKey.",
        "请申请 antstack.api 范围（须在客户端页面允许）；程序请使用 AccessKey。",
    ),
)
SCOPE_TOO_SMALL = ErrorCode(
    "AUTH/SCOPE_TOO_SMALL",
    403,
    Text("The access token may only read; this needs the scope {scope}.", "该访问令牌仅可读取；此操作需要 {scope} 范围。"),
    Text("Get a token with that scope.", "请获取包含该范围的令牌。"),
)
NOT_BY_APPLICATIONS = ErrorCode(
    "AUTH/NOT_BY_AN_APPLICATION",
    403,
    Text("An application that acts for a person cannot get a credential that lasts.", "代表个人操作的应用不能获取长期凭据。"),
    Text("Do this signed in at the console, or with an AccessKey.", "请登录控制台或使用 AccessKey 进行此操作。"),
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
    """The ``WWW-Authenticate`` header of an answer to a bearer token; empty where there is none to give (RFC 6750, 3)."""
    if error.kind is SCOPE_TOO_SMALL:
        return f'Bearer error="insufficient_scope", scope="{API}"'
    return 'Bearer error="invalid_token"' if error.code.startswith("AUTH/TOKEN_NOT_") else ""
