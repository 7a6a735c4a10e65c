"""What can go wrong between this console and the provider that signs its people in."""

from __future__ import annotations

from app.contracts.text import Text
from app.errors import ErrorCode

PROVIDER_AWAY = ErrorCode(
    "AUTH/PROVIDER_UNREACHABLE",
    503,
    Text("The identity provider {issuer} does not answer.", "身份提供方 {issuer} 没有响应。"),
    Text("Check that it runs and that OIDC_ISSUER names it.", "请检查其是否运行，以及 OIDC_ISSUER 是否正确。"),
)
SIGN_IN_FAILED = ErrorCode(
    "AUTH/SIGN_IN_FAILED",
    400,
    Text("The sign-in could not be completed: {detail}", "登录未能完成：{detail}"),
    Text("Start again from the sign-in page.", "请从登录页重新开始。"),
)
SITE_REFUSED = ErrorCode(
    "AUTH/SITE_NOT_JOINED",
    503,
    Text("The IAM at {issuer} does not take this console as a joined site.", "位于 {issuer} 的 IAM 未将本控制台认定为已接入站点。"),
    Text(
        "Mark the OIDC client there as the console of another site, and check OIDC_CLIENT_ID and OIDC_CLIENT_SECRET here.",
        "请在该 IAM 中将 OIDC 客户端标记为其他站点的控制台，并检查本站点的 OIDC_CLIENT_ID 与 OIDC_CLIENT_SECRET。",
    ),
)
NO_SUCH_ENDPOINT = ErrorCode(
    "AUTH/PROVIDER_LACKS_ENDPOINT",
    503,
    Text("The identity provider {issuer} has no {endpoint}.", "身份提供方 {issuer} 未提供 {endpoint}。"),
    Text(
        "For a provider that is no AntStack IAM, say with OIDC_CLAIMS where its claims hold the roles.",
        "若该身份提供方不是 AntStack IAM，请通过 OIDC_CLAIMS 指定角色所在的声明。",
    ),
)
NOT_VALID = ErrorCode(
    "AUTH/SNAPSHOT_NOT_VALID",
    503,
    Text("The grants that {issuer} sent cannot be trusted: {detail}", "{issuer} 下发的授权快照不可信：{detail}"),
    Text("Check OIDC_ISSUER and OIDC_CLIENT_ID, and the clocks of both sites.", "请检查 OIDC_ISSUER、OIDC_CLIENT_ID 以及两个站点的时钟。"),
)
NOT_TOLD = ErrorCode(
    "AUTH/PROVIDER_DOES_NOT_TELL",
    401,
    Text("The identity provider of this site signs people in, but says nothing of {what}.", "本站点的身份提供方仅用于人员登录，不提供{what}信息。"),
    Text("Sign in with a browser, or use an AntStack IAM as the provider.", "请使用浏览器登录，或改用 AntStack IAM 作为身份提供方。"),
)
ERRORS = (PROVIDER_AWAY, SIGN_IN_FAILED, SITE_REFUSED, NO_SUCH_ENDPOINT, NOT_VALID, NOT_TOLD)
