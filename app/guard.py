"""Who may call a route, and what of it is recorded: declared once beside the route, enforced in one place.

``@guard`` marks the view and wraps nothing, so the order of decorators cannot break it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from app.contracts.declarations import Permission
from app.words import Text, _

F = TypeVar("F", bound=Callable[..., Any])
ResourceOf = Callable[[Mapping[str, Any]], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that is recorded: code ``plugin.noun.done`` and its name for people."""

    code: str
    title: Text


@dataclass(frozen=True, slots=True)
class Guard:
    """The mark of a view.

    ``resource`` computes what the call acts on from the view's arguments, for
    conditions on grants. ``external`` operations are recorded before they start;
    ``dry_run`` says whether what they call can be asked without acting.
    Without ``csrf`` a change needs no token of the form that it came from, and
    without ``session`` it is not looked up who is at the browser.
    """

    permission: Permission | None = None
    audit: Operation | None = None
    reason: str = ""
    resource: ResourceOf | None = None
    external: bool = False
    csrf: bool = True
    session: bool = True
    dry_run: bool = True


def guard(
    permission: Permission,
    *,
    audit: Operation | None = None,
    resource: ResourceOf | None = None,
    external: bool = False,
    reason: str = "",
) -> Callable[[F], F]:
    """Let holders of *permission* call this view; record it as *audit* if it changes something.

    A view that takes POST, PUT, PATCH or DELETE without *audit* needs a *reason*.
    """

    def mark(view: F) -> F:
        view.guard = Guard(permission, audit, reason, resource, external)  # type: ignore[attr-defined]
        return view

    return mark


def public(reason: str, *, audit: Operation | None = None, csrf: bool = True, session: bool = True) -> Callable[[F], F]:
    """Let anybody call this view, and say why that is right.

    :param csrf: False for what programs call, which have no form, and which a session at the browser does not help
    :param session: False for what is the same for everybody, so that nobody is looked up
    """

    def mark(view: F) -> F:
        view.guard = Guard(None, audit, reason, csrf=csrf, session=session)  # type: ignore[attr-defined]
        return view

    return mark


def signed_in(reason: str, *, audit: Operation | None = None) -> Callable[[F], F]:
    """Let everybody who signed in call this view: it shows or changes only what is their own."""
    return guard(SIGNED_IN, audit=audit, reason=reason)


SIGNED_IN = Permission("core.self.use", _("Use the console"), reads=True)
