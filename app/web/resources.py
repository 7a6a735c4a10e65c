"""A resource is declared once, and so is each of its actions: the API's operations, the routes of the pages, the forms
with labels and errors, what is said afterwards and the audit row follow from the declaration (C-60).

An action is a function of the service: it takes the row that the address names and what it asks for, a Struct, and
decides. A page that is more than a list, a form or a button is a plain view beside.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
from flask import Response, request

from app.contracts.declarations import Permission
from app.contracts.shapes import ask_of
from app.errors import ErrorCode, invalid
from app.guard import Operation, guard
from app.web import conflicts, dialogs
from app.web.api import Out
from app.web.buttons import Button, M, Offer, Offered
from app.web.dialogs import Form
from app.web.forms import parse
from app.web.frame import why_not
from app.web.imports import Act, Import, Importer
from app.web.listed import Listed, Once, arguments_of
from app.web.render import go
from app.web.table import Action
from app.words import Text, _, plain

EDIT, SAVE, SAVED = _("Edit {name}"), _("Save"), _("Saved.")
WRONG_NAME = _("This is not its name.")
CREATED, DELETED = _("{name} was created."), _("{name} was deleted.")
ARGUMENT = re.compile(r"<(\w+)>")
F = TypeVar("F", bound=Callable[..., Any])


class Resource(Listed[M]):
    """Things of one kind, with what is done to them."""

    def creates(
        self,
        summary: Text,
        permission: Permission,
        audit: Operation,
        title: Text,
        submit: Text = SAVE,
        *,
        said: Text = CREATED,
        verb: str = "new",
        icon: str = "plus",
        form: Callable[[], Form] | None = None,
        reads: Callable[[], Any] | None = None,
        errors: Sequence[ErrorCode] = (),
    ) -> Callable[[F], F]:
        """The function makes one of what it asks for; with another *verb*, it brings one here.

        :param form: the dialog, and *reads* what was typed, where these are not the fields of what it asks for; without
            a form, what is read comes from a button
        """

        def declare(create: F) -> F:
            wanted = _asked_by(create)
            is_new = verb == "new"

            def send() -> Response:
                made = create(reads() if reads else parse(wanted))
                if isinstance(made, Once):
                    return self._shown_once(made)
                text = said.format(name=self.name(made))
                return self._done(made, text) if is_new else dialogs.done(self.url(None, "list"), text)

            def show() -> Form:
                return form() if form else Form(title, self.url(None, verb), submit, dialogs.asked(wanted))

            def offer() -> Action:
                refused = why_not(permission)
                return Action(
                    title, self.url(None, verb), dialog=True, disabled_reason=refused, icon=icon, primary=is_new
                )

            if reads and not form:
                self._route(f"{self.path}/{verb}", "create", permission, audit, send)
            else:
                dialogs.routes(self.pages, f"{self.path}/{verb}", f"{self.noun}_{verb}", permission, audit, show, send)
                self.new.append(offer)
            answer: Callable[[Any], Out] = lambda body: self.shaped(create(body))  # noqa: E731
            below, id, status = ("", "create", 201) if is_new else (f"/{verb}", verb, 200)
            shapes: dict[str, Any] = {"body": wanted, "returns": self.shape, "status": status}
            self.declare("POST", below, id, summary, permission, audit=audit, errors=errors, **shapes)(answer)
            return create

        return declare

    def changes(
        self,
        summary: Text,
        permission: Permission,
        audit: Operation,
        *,
        method: str = "PUT",
        label: Text = _("Edit"),  # noqa: B008
        title: Text = EDIT,
        said: Text = SAVED,
        before: Callable[[M], None] = lambda _row: None,
        errors: Sequence[ErrorCode] = (),
    ) -> Callable[[F], F]:
        """The function changes one to what it asks for; a change to another version than the stored one is refused.

        :param before: refuses to show the form
        """

        def declare(change: F) -> F:
            wanted = _asked_by(change)

            def act(row: M, body: Any) -> M:
                conflicts.need_version(row)  # type: ignore[arg-type]
                changed: M = change(row, body)
                return changed

            def send(**ids: str) -> Response:
                return self._done(act(self.get(ids[self.argument]), parse(wanted)), said)

            def form(**ids: str) -> Form:
                row = self.get(ids[self.argument])
                before(row)
                fields = dialogs.asked(wanted, row)
                heading, values = title.format(name=self.name(row)), dialogs.values_of(fields, row)
                return Form(heading, self.url(row, "edit"), SAVE, fields, values=values, row=row)  # type: ignore[arg-type]

            dialogs.routes(self.pages, f"{self.place}/edit", f"{self.noun}_edit", permission, audit, form, send)
            self._offer(Offered(Button("edit", label, icon="pencil", menu=True), permission, dialog=True))
            answer: Callable[[M, Any], Out] = lambda row, body: self.shaped(act(row, body))  # noqa: E731
            shapes: dict[str, Any] = {"body": wanted, "returns": self.shape, "versioned": True}
            self._on_one(method, "", "update", summary, permission, answer, audit=audit, errors=errors, **shapes)
            return change

        return declare

    def removes(
        self,
        summary: Text,
        permission: Permission,
        audit: Operation,
        button: Button[M],
        errors: Sequence[ErrorCode] = (),
        versioned: bool = False,
    ) -> Callable[[F], F]:
        """The function removes one, after a question; if it is *versioned*, of the version that a program names."""
        button = replace(button, icon="trash-2", danger=True, menu=True, leaves=True)
        return self.acts("DELETE", "", "delete", summary, permission, audit, button, errors=errors, versioned=versioned)

    def acts(
        self,
        method: str,
        below: str,
        id: str,
        summary: Text,
        permission: Permission,
        audit: Operation,
        button: Button[M],
        errors: Sequence[ErrorCode] = (),
        versioned: bool = False,
    ) -> Callable[[F], F]:
        """The function does something to one of them, and to what else the address of the operation names *below* it.

        On pages it is a button; what its arguments :class:`Ask` for, a dialog asks.
        """

        def declare(act: F) -> F:
            asks = {name: ask for name, hint in arguments_of(act).items() if (ask := ask_of(hint))}

            def do(**given: str) -> Response:
                row = self.get(given.pop(self.argument))
                name, back = self.name(row), self._back(row, button.leaves)
                if button.typed and request.form.get("confirm", "") != name:
                    raise invalid({"confirm": WRONG_NAME})
                made = act(row, **given, **{asked: request.form.get(asked, "") for asked in asks})
                return self._shown_once(made) if isinstance(made, Once) else go(back, button.said.format(name=name))

            def form(**ids: str) -> Form:
                row = self.get(ids[self.argument])
                offered = {name: self._choices(offer, row) for name, offer in button.offers.items()}
                fields = [{**dialogs.field_of(name, ask), **offered.get(name, {})} for name, ask in asks.items()]
                title = (button.title or button.label).format(name=self.name(row))
                body = button.body(row) if button.body else None
                submit = button.submit or button.label
                form = Form(title, self.url(row, button.verb), submit, fields, body=body, danger=button.danger)
                return replace(form, type_name=self.name(row)) if button.typed else form

            arguments = tuple(name for name in ARGUMENT.findall(below) if name not in asks)
            is_dialog = bool(asks or button.body)
            self._offer(Offered(button, permission, arguments, is_dialog))
            rule = self.place + (button.path or _page_of(below, button.verb, bool(asks)))
            if is_dialog:
                dialogs.routes(self.pages, rule, f"{self.noun}_{button.verb}", permission, audit, form, do)
            else:
                self._route(rule, button.verb, permission, audit, do)
            for offer in button.offers.values():
                self._serve(offer, permission)
            self._acts_in_api(method, below, id, summary, permission, act, audit, errors, versioned)
            return act

        return declare

    def _acts_in_api(
        self,
        method: str,
        below: str,
        id: str,
        summary: Text,
        permission: Permission,
        act: Callable[..., Any],
        audit: Operation,
        errors: Sequence[ErrorCode],
        versioned: bool,
    ) -> None:
        answers = inspect.signature(act).return_annotation not in ("None", None)

        def run(row: M, **given: Any) -> Out | None:
            if versioned:
                conflicts.need_version(row)  # type: ignore[arg-type]
            made = act(row, **given)
            return self.shaped(made) if answers else None

        more: dict[str, Any] = {"returns": self.shape} if answers else {"status": 204}
        more.update(audit=audit, errors=errors, versioned=versioned)
        self._on_one(method, below, id, summary, permission, run, act, **more)

    def imports(self, how: Import) -> Callable[[Act], Act]:
        """The function brings in many rows of a file at once (see :mod:`app.web.imports`)."""

        def declare(act: Act) -> Act:
            Importer(self, how, act).declare()
            return act

        return declare

    def _offer(self, offered: Offered[M]) -> None:
        button = offered.button
        self.offered[button.verb] = offered
        if button.menu:
            self.menu.append(lambda row: self.button(button.verb, row) if button.when(row) else None)

    def _choices(self, offer: Offer[M], row: M) -> dict[str, Any]:
        return {"options": offer(row, ""), "source": self.url(row, offer.__name__), "empty": plain("")}

    def _serve(self, offer: Offer[M], permission: Permission) -> None:
        """What is found by typing."""

        def found(**ids: str) -> Response:
            return dialogs.options(offer(self.get(ids[self.argument]), request.args.get("q", "")))

        name = offer.__name__
        self.pages.add_url_rule(f"{self.place}/{name}", f"{self.noun}_{name}", guard(permission)(found))

    def _back(self, row: M, leaves: bool = False) -> str:
        """The page that shows one, or showed it."""
        if self.home is not None:
            return self.home(row)
        return self.url(row) if self.has_page and not leaves else self.url(None, "list")

    def _done(self, row: M, said: Text) -> Response:
        """To the page of the row; where it has none, the dialog is closed and the list below refreshes."""
        return go(self.url(row), said) if self.has_page else dialogs.done(self.url(None, "list"), said)

    def _shown_once(self, made: Once[M]) -> Response:
        if self.once is None:
            raise TypeError(f"{self.path} has no page that shows a secret")
        return self.once(made.row, made.secret)

    def _route(
        self, rule: str, verb: str, permission: Permission, audit: Operation, send: Callable[..., Response]
    ) -> None:
        view = guard(permission, audit=audit, reason=self.reason)(send)
        self.pages.add_url_rule(rule, f"{self.noun}_{verb}", view, methods=["POST"])


def _page_of(below: str, verb: str, asks: bool) -> str:
    """Where a page has what an operation of the API has *below* one; what a dialog asks stands in no address."""
    named = "<" in below
    return f"{below.partition('/<')[0] if asks else below}/{verb}" if named or not below else below


def _asked_by(act: Callable[..., Any]) -> type[msgspec.Struct]:
    """The Struct that a function takes last."""
    name = list(inspect.signature(act).parameters)[-1]
    kind: type[msgspec.Struct] = inspect.get_annotations(act, eval_str=True)[name]
    return kind
