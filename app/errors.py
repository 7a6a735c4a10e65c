"""The error family: every failure that reaches a person has a code, a reason and a remedy (guide 2.8.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.contracts.text import Text


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """An entry of the error catalogue.

    ``code`` has two parts, ``AREA/REASON`` in capitals; ``status`` is the HTTP
    status; ``reason`` and ``remedy`` may hold ``{placeholders}``.
    """

    code: str
    status: int
    reason: Text
    remedy: Text

    def __call__(
        self,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, object] | None = None,
        **values: object,
    ) -> ConsoleError:
        """Make the error with its placeholders filled, ready to raise."""
        return ConsoleError(self, values, errors=errors, extra=extra)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; ``pointer`` is a JSON pointer (RFC 6901) into the input."""

    pointer: str
    message: Text


def pointer_of(name: str) -> str:
    """The pointer to the field that the code calls *name*, as shapes spell it: ``redirect_uris`` is ``/redirectUris``."""
    first, *words = name.split("_")
    return "/" + first + "".join(word.capitalize() for word in words)


@dataclass
class ConsoleError(Exception):
    """An expected failure. One handler turns it into a page, a fragment or problem+json."""

    kind: ErrorCode
    values: Mapping[str, object] = field(default_factory=dict)
    errors: Sequence[FieldError] = ()
    extra: Mapping[str, object] | None = None

    @property
    def code(self) -> str:
        """The two-part code, e.g. ``CORE/NOT_FOUND``."""
        return self.kind.code

    @property
    def status(self) -> int:
        """The HTTP status that answers it."""
        return self.kind.status

    @property
    def reason(self) -> Text:
        """Why it failed, with its placeholders filled."""
        return self.kind.reason.format(**self.values)

    @property
    def remedy(self) -> Text:
        """What the person can do about it, with its placeholders filled."""
        return self.kind.remedy.format(**self.values)

    def kept(self) -> dict[str, object]:
        """The error as rows keep it: its code, and its words in both languages."""
        kept: dict[str, object] = {"code": self.code, "reason": self.reason.both(), "remedy": self.remedy.both()}
        return {**kept, "extra": dict(self.extra)} if self.extra else kept

    def __str__(self) -> str:
        return f"{self.code}: {self.reason.en}"


NOT_FOUND = ErrorCode(
    "CORE/NOT_FOUND",
    404,
    Text("There is no {what} here.", "这里没有{what}。"),
    Text(
        "Check the address, or whether the right tenant and workspace are chosen.",
        "请检查地址，并确认当前租户与工作空间是否正确。",
    ),
)
INVALID_INPUT = ErrorCode(
    "CORE/INVALID_INPUT",
    422,
    Text("Some of what was entered cannot be accepted.", "部分输入无法接受。"),
    Text("Correct what is named and send it again.", "请更正所指出的内容后重新提交。"),
)
MALFORMED = ErrorCode(
    "CORE/MALFORMED",
    400,
    Text("The request cannot be read: {detail}", "无法读取该请求：{detail}"),
    Text("Send well-formed JSON in UTF-8, as the API description shows.", "请按 API 说明发送 UTF-8 编码的合法 JSON。"),
)
CONFLICT = ErrorCode(
    "CORE/CONFLICT",
    409,
    Text("{detail}", "{detail}"),
    Text("Reload to see what it is now, then decide again.", "请刷新查看最新状态后再操作。"),
)
CHANGED = ErrorCode(
    "CORE/CHANGED_MEANWHILE",
    412,
    Text("Somebody changed this after you opened it.", "在您打开之后，他人修改了此内容。"),
    Text("Look at what it is now, then send your change again.", "请查看当前内容，再重新提交您的修改。"),
)
FORBIDDEN = ErrorCode(
    "CORE/FORBIDDEN",
    403,
    Text(
        "This needs the permission {permission}, which you do not hold here.",
        "此操作需要权限 {permission}，您当前没有。",
    ),
    Text("Ask an administrator of the tenant for a role that holds it.", "请向租户管理员申请包含该权限的角色。"),
)
SIGNED_OUT = ErrorCode(
    "CORE/SIGNED_OUT",
    401,
    Text("You are not signed in, or the session has ended.", "您尚未登录，或会话已结束。"),
    Text("Sign in and try again.", "请登录后重试。"),
)
CSRF = ErrorCode(
    "CORE/CSRF",
    403,
    Text("The form did not come from this console.", "该表单不是由本控制台发出的。"),
    Text("Reload the page and send the form again.", "请刷新页面后重新提交。"),
)
OTHER_SESSION = ErrorCode(
    "CORE/FORM_OF_ANOTHER_SESSION",
    403,
    Text("This page was opened before you signed in again.", "此页面是在您重新登录之前打开的。"),
    Text("Send it once more: the page belongs to the new session now.", "请再次提交：此页面现已属于新会话。"),
)
TOO_LARGE = ErrorCode(
    "CORE/TOO_LARGE",
    413,
    Text("What was sent is larger than {limit} allow.", "发送的内容超过了 {limit} 的限制。"),
    Text("Send a smaller file, or split it.", "请缩小文件或拆分后再发送。"),
)
NO_DRY_RUN = ErrorCode(
    "CORE/DRY_RUN_NOT_OFFERED",
    422,
    Text("This cannot be tried without doing it: what it calls offers no dry run.", "此操作无法仅试运行：所调用的系统不支持试运行。"),
    Text("Leave dryRun out to do it.", "如需执行，请去掉 dryRun 参数。"),
)
NO_SERVICE = ErrorCode(
    "CORE/NOT_AVAILABLE_ON_THIS_SITE",
    503,
    Text("{what} is not available on this site.", "本站点未提供{what}。"),
    Text("Enable the plugin {plugin} in the site's settings.", "请在站点配置中启用插件 {plugin}。"),
)
NOT_ALLOWED_METHOD = ErrorCode(
    "CORE/METHOD_NOT_ALLOWED",
    405,
    Text("This address does not take the method {method}.", "该地址不支持 {method} 方法。"),
    Text("See /api/docs for what it takes.", "请查看 /api/docs 了解其支持的方法。"),
)
UNKNOWN = ErrorCode(
    "CORE/UNEXPECTED",
    500,
    Text("Something failed that the console did not foresee.", "发生了控制台未预料的故障。"),
    Text(
        "Try again; if it stays, give the trace ID to the site's administrator, who finds the cause in the log.",
        "请重试；若仍失败，请将追踪 ID 提供给站点管理员，可据此在日志中查明原因。",
    ),
)

CORE_ERRORS = (
    NOT_FOUND,
    INVALID_INPUT,
    MALFORMED,
    CONFLICT,
    CHANGED,
    FORBIDDEN,
    SIGNED_OUT,
    CSRF,
    OTHER_SESSION,
    TOO_LARGE,
    NO_DRY_RUN,
    NO_SERVICE,
    NOT_ALLOWED_METHOD,
    UNKNOWN,
)


def invalid(errors: Mapping[str, Text] | Sequence[FieldError]) -> ConsoleError:
    """An INVALID_INPUT error from ``{field or pointer: message}`` or ready FieldErrors."""
    if isinstance(errors, Mapping):
        errors = [FieldError(key if key.startswith("/") else f"/{key}", text) for key, text in errors.items()]
    return INVALID_INPUT(errors=tuple(errors))
