"""Dialogs that are one form: GET shows it, POST does what it asks, and what failed comes back with what was typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from flask import Blueprint, Response, make_response, request
from markupsafe import Markup

from app.contracts.declarations import Permission
from app.contracts.shapes import Ask, ask_of
from app.db import Versioned
from app.errors import CSRF, FORBIDDEN, NOT_FOUND, SIGNED_OUT, ConsoleError, FieldError, pointer_of
from app.guard import Operation, guard
from app.htmx import htmx
from app.web import conflicts
from app.web.forms import constrained
from app.web.frame import may
from app.web.language import zone
from app.web.problems import refuse
from app.web.render import dialog_done, go, render
from app.words import Text

Field = dict[str, Any]  # arguments of ``form.field`` (components/form.html)
TYPED = ("text", "email", "textarea", "select")
STAY_REFUSED = (FORBIDDEN, CSRF, SIGNED_OUT, NOT_FOUND)


@dataclass
class Form:
    """A dialog that is one form. ``row`` is what it edits, ``values`` what of it; ``type_name`` is typed first."""

    title: Text
    url: str
    submit: Text
    fields: Sequence[Field]
    body: Text | None = None
    danger: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)
    row: Versioned | None = None
    type_name: str = ""

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
        return render("core/dialog.html", fragment="dialog", status=status, form_=self, fields=fields, error=error)

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


def asked(shape: type[msgspec.Struct], row: Any = None) -> list[Field]:
    """The fields of a form that asks for *shape*: those that say how they are asked for, and of a *row* may change."""
    fields = {item.name: item for item in msgspec.structs.fields(shape)}
    asks = {name: ask for name, hint in constrained(shape).items() if (ask := ask_of(hint))}
    return [
        {**_default(fields[name]), **field_of(name, ask, fields[name].required)}
        for name, ask in asks.items()
        if not (ask.stays and row is not None) and (ask.needs is None or may(ask.needs))
    ]


def _default(item: msgspec.structs.FieldInfo) -> Field:
    """What a field holds before anybody typed: what the shape takes where nothing is given."""
    if not isinstance(item.default, (str, int, float)) or item.default == "":
        return {}
    return {"checked": item.default} if isinstance(item.default, bool) else {"value": item.default}


def field_of(name: str, ask: Ask, required: bool = True) -> Field:
    """The field of a form that asks for what has this name; choices that are a function are read now."""
    more = {key: value() if callable(value) else value for key, value in ask.more.items()}
    return {"name": name, "label": ask.label, "type": ask.widget, "required": required, **more}


def values_of(fields: Sequence[Field], row: Any) -> dict[str, Any]:
    """What a form shows of a row; a list in a text area, one a line."""
    values = {item["name"]: _as_typed(getattr(row, item["name"])) for item in fields}
    areas = {item["name"] for item in fields if item["type"] == "textarea"}
    return {name: "\n".join(v) if name in areas and isinstance(v, list) else v for name, v in values.items()}


def _as_typed(value: Any) -> Any:
    """A time as ``datetime-local`` takes it, in the person's time zone."""
    return value.astimezone(zone()).strftime("%Y-%m-%dT%H:%M") if isinstance(value, datetime) else value


def routes(
    pages: Blueprint,
    rule: str,
    endpoint: str,
    permission: Permission,
    audit: Operation,
    show: Callable[..., Form],
    send: Callable[..., Response],
) -> None:
    """Both routes of a dialog; the one that shows it has the name *endpoint*, *show* and *send* get what the rule
    names.
    """

    @guard(permission)
    def shown(**ids: str) -> Response:
        return show(**ids).shown()

    @guard(permission, audit=audit)
    def sent(**ids: str) -> Response:
        return try_to(lambda: send(**ids), lambda: show(**ids))

    pages.add_url_rule(rule, endpoint, shown, methods=["GET"])
    pages.add_url_rule(rule, f"{endpoint}_send", sent, methods=["POST"])


def try_to(act: Callable[[], Response], form: Callable[[], Form]) -> Response:
    """Do it; an expected failure comes back as the form, with what was typed and what is wrong."""
    try:
        return act()
    except ConsoleError as error:
        if error.kind in STAY_REFUSED:
            raise
        refuse(error)
        return form().shown(error)


def options(found: Sequence[tuple[str, str]]) -> Response:
    """What a combobox with a source offers for what was typed."""
    option = Markup('<option value="{}">{}</option>')
    return make_response(Markup("").join(option.format(value, label) for value, label in found))


def done(url: str, message: Text) -> Response:
    """Close the dialog and let the list behind it refresh; without script, go to *url*."""
    return dialog_done(message) if htmx else go(url, message)
