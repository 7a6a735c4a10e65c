"""The error family: every failure that reaches a person has a code, a reason and a remedy (guide 2.8.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.words import Text, _


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
    """What is wrong with one field: a JSON pointer (RFC 6901) into the input, words, and a code for programs."""

    pointer: str
    message: Text
    code: str = "invalid"


def pointer_of(name: str) -> str:
    """The pointer to the field that the code calls *name*, as shapes spell it: ``redirect_uris`` is
    ``/redirectUris``.
    """
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

    @property
    def told(self) -> Text:
        """Why it failed and what to do about it."""
        return _("{reason} {remedy}").format(reason=self.reason, remedy=self.remedy)

    def kept(self) -> dict[str, object]:
        """The error as rows keep it: its code, and its words in both languages."""
        kept: dict[str, object] = {"code": self.code, "reason": self.reason.in_all(), "remedy": self.remedy.in_all()}
        return {**kept, "extra": dict(self.extra)} if self.extra else kept

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"


NOT_FOUND = ErrorCode(
    "CORE/NOT_FOUND",
    404,
    _("There is no {what} here."),
    _("Check the address, or whether the right tenant and workspace are chosen."),
)
INVALID_INPUT = ErrorCode(
    "CORE/INVALID_INPUT",
    422,
    _("Some of what was entered cannot be accepted."),
    _("Correct what is named and send it again."),
)
MALFORMED = ErrorCode(
    "CORE/MALFORMED",
    400,
    _("The request cannot be read: {detail}"),
    _("Send well-formed JSON in UTF-8, as the API description shows."),
)
CONFLICT = ErrorCode(
    "CORE/CONFLICT",
    409,
    _("{detail}"),
    _("Reload to see what it is now, then decide again."),
)
CHANGED = ErrorCode(
    "CORE/CHANGED_MEANWHILE",
    412,
    _("Somebody changed this after you opened it."),
    _("Look at what it is now, then send your change again."),
)
FORBIDDEN = ErrorCode(
    "CORE/FORBIDDEN",
    403,
    _("This needs the permission {permission}, which you do not hold here."),
    _("Ask an administrator of the tenant for a role that holds it."),
)
SIGNED_OUT = ErrorCode(
    "CORE/SIGNED_OUT",
    401,
    _("You are not signed in, or the session has ended."),
    _("Sign in and try again."),
)
CSRF = ErrorCode(
    "CORE/CSRF",
    403,
    _("The form did not come from this console."),
    _("Reload the page and send the form again."),
)
OTHER_SESSION = ErrorCode(
    "CORE/FORM_OF_ANOTHER_SESSION",
    403,
    _("This page was opened before you signed in again."),
    _("Send it once more: the page belongs to the new session now."),
)
TOO_LARGE = ErrorCode(
    "CORE/TOO_LARGE",
    413,
    _("What was sent is larger than {limit} allow."),
    _("Send a smaller file, or split it."),
)
NO_DRY_RUN = ErrorCode(
    "CORE/DRY_RUN_NOT_OFFERED",
    422,
    _("This cannot be tried without doing it: what it calls offers no dry run."),
    _("Leave dryRun out to do it."),
)
NO_SERVICE = ErrorCode(
    "CORE/NOT_AVAILABLE_ON_THIS_SITE",
    503,
    _("{what} is not available on this site."),
    _("Enable the plugin {plugin} in the site's settings."),
)
NOT_ALLOWED_METHOD = ErrorCode(
    "CORE/METHOD_NOT_ALLOWED",
    405,
    _("This address does not take the method {method}."),
    _("See /api/docs for what it takes."),
)
UNKNOWN = ErrorCode(
    "CORE/UNEXPECTED",
    500,
    _("Something failed that the console did not foresee."),
    _("Try again; if it stays, give the trace ID to the site's administrator, who finds the cause in the log."),
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
