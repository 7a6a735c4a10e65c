"""What the pages of IAM share: dialogs that are one form, secrets shown once, and lists of facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, make_response, request
from markupsafe import Markup

from app.contracts.declarations import Permission
from app.contracts.text import Text, plain
from app.db import Versioned
from app.errors import CSRF, FORBIDDEN, NOT_FOUND, SIGNED_OUT, ConsoleError, FieldError, pointer_of
from app.guard import Operation, guard
from app.web import conflicts
from app.web.language import t
from app.web.listing import Listing
from app.web.problems import refuse
from app.web.render import dialog_done, go, render
from app.web.table import Action, Cell
from plugins.iam.pages import bp

Field = dict[str, Any]
TYPED = ("text", "email", "textarea", "select")
STAY_REFUSED = (FORBIDDEN, CSRF, SIGNED_OUT, NOT_FOUND)
EDIT, SAVE = Text("Edit {name}", "编辑 {name}"), Text("Save", "保存")
SAVED = Text("Saved.", "已保存。")
CREATED = Text("{name} was created.", "{name} 已创建。")
DELETED = Text("{name} was deleted.", "{name} 已删除。")


@dataclass
class Form:
    """A dialog that is one form. ``fields`` are arguments of ``form.field``; ``row`` is what it edits, ``values`` what of it."""

    title: Text
    url: str
    submit: Text
    fields: Sequence[Field]
    body: Text | None = None
    danger: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    row: Versioned | None = None

    @property
    def hidden(self) -> dict[str, str]:
        """Which version it shows."""
        return conflicts.hidden(self.row, self.values) if self.row is not None else {}

    @property
    def size(self) -> str:
        """How wide the dialog is."""
        return "l" if any(f.get("type") == "transfer" for f in self.fields) else "m" if self.fields else "s"

    def shown(self, error: ConsoleError | None = None) -> Response:
        """The form, with what was typed and what is wrong with it."""
        error = conflicts.explained(error, self.values)
        if error is not None:
            error.errors = tuple(self._at_its_field(wrong) for wrong in error.errors)
        fields = [self._filled(item, error is not None) for item in self.fields]
        status = 422 if error is not None else 200
        return render("iam/form.html", fragment="dialog", status=status, form_=self, fields=fields, error=error)

    def _at_its_field(self, wrong: FieldError) -> FieldError:
        """An error of a shape beside the field of the form: ``/redirectUris/0`` is of ``redirect_uris``."""
        whole = "/".join(wrong.pointer.split("/")[:2])
        name = next((item["name"] for item in self.fields if pointer_of(item["name"]) == whole), None)
        return FieldError(f"/{name}", wrong.message) if name else wrong

    def _filled(self, item: Field, sent: bool) -> Field:
        made, name = dict(item), item["name"]
        kind = made.get("type", "text")
        if name in self.values and kind in TYPED:
            made["initial"] = self.values[name] or ""
        if sent:
            if kind == "checkbox":
                made["checked"] = name in request.form
            elif made.get("multiple") or kind == "transfer":
                made["value"] = request.form.getlist(name)
            elif kind != "secret":
                made["value"] = request.form.get(name, "")
        elif name in self.values:
            made["checked" if kind == "checkbox" else "value"] = self.values[name]
        return made



def dialog(
    rule: str, permission: Permission, audit: Operation, form: Callable[..., Form], find: Callable[..., Any] | None = None
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Both routes of a dialog that is one form: GET shows *form*, POST does what the decorated function does.

    *find* gets what the rule names; *form* and the function are called with it. The GET route has the function's name.
    """

    def declare(act: Callable[..., Response]) -> Callable[..., Response]:
        @guard(permission)
        def show(**ids: str) -> Response:
            return form(*_found(find, ids)).shown()

        @guard(permission, audit=audit)
        def send(**ids: str) -> Response:
            return sent(lambda: act(*_of_this_version(_found(find, ids))), lambda: form(*_found(find, ids)))

        bp.add_url_rule(rule, act.__name__, show, methods=["GET"])
        bp.add_url_rule(rule, f"{act.__name__}_send", send, methods=["POST"])
        return act

    return declare


def sent(act: Callable[[], Response], form: Callable[[], Form]) -> Response:
    """Do it; an expected failure comes back as the form, with what was typed and what is wrong."""
    try:
        return act()
    except ConsoleError as error:
        if error.kind in STAY_REFUSED:
            raise
        refuse(error)
        return form().shown(error)


def _of_this_version(found: tuple[Any, ...]) -> tuple[Any, ...]:
    for row in found:
        if isinstance(row, Versioned):
            conflicts.need_version(row)
    return found


def _found(find: Callable[..., Any] | None, ids: dict[str, str]) -> tuple[Any, ...]:
    return (find(*ids.values()),) if find else ()


def options(found: Sequence[tuple[str, str]]) -> Response:
    """What a combobox with a source offers for what was typed."""
    option = Markup('<option value="{}">{}</option>')
    return make_response(Markup("").join(option.format(value, label) for value, label in found))


def done(url: str, message: Text) -> Response:
    """Close the dialog and let the list behind it refresh; without script, go to *url*."""
    return dialog_done(message) if request.headers.get("HX-Request") == "true" else go(url, message)


def secret_once(title: Text, body: Text, items: Sequence[tuple[Text, str]], back: str) -> Response:
    """Show what will never be shown again."""
    response = render("iam/secret.html", fragment="dialog", title=title, body=body, items=items, back=back)
    response.headers["HX-Trigger"] = '{"changed": true}'
    return response


def show(title: str | Text, trail: tuple[Text, str], facts: Sequence[tuple[Text, Any]] = (), **context: Any) -> Response:
    """The page of one thing: facts, and cards with tables."""
    return render("iam/show.html", title=title, trail=trail, fact_list=facts, **context)


def listed(listing: Listing, title: Text, actions: Sequence[Action] = ()) -> Response:
    """The page of a list."""
    return listing.respond("iam/list.html", title=title, actions=actions)


def state_cell(state: str) -> Cell:
    """A person's or key's state."""
    words = {
        "active": ("ok", Text("Active", "正常")),
        "frozen": ("bad", Text("Frozen", "已冻结")),
        "disabled": ("neutral", Text("Disabled", "已禁用")),
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


def lines(name: str) -> list[str]:
    """The lines of a text area that are not empty."""
    return [line.strip() for line in request.form.get(name, "").splitlines() if line.strip()]
