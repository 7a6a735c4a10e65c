"""What the pages of IAM share: dialogs that are one form, secrets shown once, and cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response

from app.contracts.declarations import Permission
from app.db import Versioned
from app.guard import Operation
from app.web import conflicts, dialogs
from app.web.dialogs import Form
from app.web.language import t
from app.web.render import render
from app.web.table import Action, Cell
from app.words import Text, _, plain
from plugins.iam.blueprint import bp

SAVE = _("Save")
SAVED = _("Saved.")


def dialog(
    rule: str,
    permission: Permission,
    audit: Operation,
    form: Callable[..., Form],
    find: Callable[..., Any] | None = None,
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Both routes of a dialog that is one form: GET shows *form*, POST does what the decorated function does.

    *find* gets what the rule names; *form* and the function are called with it. The GET route has the function's name.
    """

    def declare(act: Callable[..., Response]) -> Callable[..., Response]:
        def show(**ids: str) -> Form:
            return form(*_found(find, ids))

        def send(**ids: str) -> Response:
            return act(*_of_this_version(_found(find, ids)))

        dialogs.routes(bp, rule, act.__name__, permission, audit, show, send)
        return act

    return declare


def _of_this_version(found: tuple[Any, ...]) -> tuple[Any, ...]:
    for row in found:
        if isinstance(row, Versioned):
            conflicts.need_version(row)
    return found


def _found(find: Callable[..., Any] | None, ids: dict[str, str]) -> tuple[Any, ...]:
    return (find(*ids.values()),) if find else ()


def secret_once(title: Text, body: Text, items: Sequence[tuple[Text, str]], back: str) -> Response:
    """Show what will never be shown again."""
    response = render("iam/secret.html", fragment="dialog", title=title, body=body, items=items, back=back)
    response.headers["HX-Trigger"] = '{"changed": true}'
    return response


def state_cell(state: str) -> Cell:
    """A person's or key's state."""
    words = {
        "active": ("ok", _("Active")),
        "frozen": ("bad", _("Frozen")),
        "disabled": ("neutral", _("Disabled")),
    }
    tone, text = words.get(state, ("neutral", plain(state)))
    return Cell("tone", text=t(text), tone=tone, value=state)


def date_cell(moment: Any) -> Cell:
    """A time."""
    return Cell("time", value=moment)


def act(title: Text, url: str, **options: Any) -> Action:
    """An action that is a POST, unless it opens a dialog."""
    options.setdefault("method", "get" if options.get("dialog") else "post")
    return Action(title, url, **options)
