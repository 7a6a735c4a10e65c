"""A resource is declared once, and so is each of its actions: the API's operations, the routes of the pages, the forms
with
labels and errors, what is said afterwards and the audit row follow from the declaration (C-60).

An action is a function of the service: it takes the row that the address names and what it asks for, a Struct, and
decides.
A page that is more than a list, a form or a button is a plain view beside.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from flask import Blueprint, Response, request, url_for
from sqlalchemy import Select

from app.contracts.declarations import Permission
from app.contracts.shapes import ask_of
from app.db import TenantOwned, get_scoped, scoped
from app.errors import ErrorCode
from app.guard import Operation, guard
from app.web import conflicts, dialogs
from app.web.api import Api, ListQuery, Out, Page, page
from app.web.dialogs import Form
from app.web.forms import parse
from app.web.frame import why_not
from app.web.listing import Column, Filter, Listing
from app.web.paging import Expression
from app.web.render import go
from app.web.table import Action, Empty
from app.words import Text, _, plain

EDIT, SAVE, SAVED = _("Edit {name}"), _("Save"), _("Saved.")
CREATED, DELETED = _("{name} was created."), _("{name} was deleted.")


M = TypeVar("M", bound=TenantOwned)
Of = TypeVar("Of", contravariant=True)
Act = Callable[..., None]
NO_OFFERS: Mapping[str, Any] = {}
ARGUMENT = re.compile(r"<(\w+)>")


class Offer(Protocol[Of]):
    """Choices for a row that match a text: value and label of some."""

    __name__: str

    def __call__(self, row: Of, text: str, /) -> Sequence[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class Button:
    """What a row, or its page, offers."""

    title: Text
    endpoint: str
    permission: Permission
    dialog: bool = False
    icon: str = ""
    danger: bool = False
    confirm: Text | None = None
    arguments: tuple[str, ...] = ()  # what its address names besides the row


@dataclass
class Resource(Generic[M]):
    """Things of one kind.

    :param id: what the identifiers of its operations begin with, ``iam.groups``
    :param noun: what the names of its pages begin with, ``group``
    :param path: where its pages are, and below ``/api/v1`` its operations
    :param title: the heading of its list; ``one`` is what one is called in a sentence
    :param identifier: the type of its argument in addresses, with its description
    """

    api: Api
    pages: Blueprint
    id: str
    noun: str
    path: str
    title: Text
    one: Text
    model: type[M]
    shape: type[Out]
    identifier: Any
    read: Permission
    buttons: list[Button] = field(default_factory=list)  # of each row
    new: list[Button] = field(default_factory=list)  # of the list
    has_page: bool = False
    others: dict[str, Button] = field(default_factory=dict)  # where a page puts them, by verb

    def get(self, identifier: str) -> M:
        """The row with this identifier.

        :raises ConsoleError: CORE/NOT_FOUND, also where it is another tenant's
        """
        return get_scoped(self.model, identifier, self.one)

    def shaped(self, row: M) -> Out:
        """The row as the API answers it."""
        return msgspec.convert(row, self.shape, from_attributes=True)

    def url(self, row: M | None = None, page: str = "", **named: str) -> str:
        """Where a page of a row is, its own by default, or one of the list."""
        name = f"{self.pages.name}.{self.noun}" + (f"_{page}" if page else "")
        values: dict[str, Any] = {self.argument: row.id, **named} if row is not None else dict(named)
        return url_for(name, **values)

    @property
    def argument(self) -> str:
        """The name of its identifier in addresses."""
        return f"{self.noun}_id"

    @property
    def place(self) -> str:
        """The rule of one of them."""
        return f"{self.path}/<{self.argument}>"

    def actions(self, row: M) -> list[Action]:
        """What can be done with a row, as its menu and its page show it."""
        return [self._action(button, row) for button in self.buttons]

    def button(self, verb: str, row: M, *named: str) -> Action:
        """What the action *verb* offers on a page.

        :param named: what its address names besides the row
        """
        return self._action(self.others[verb], row, named)

    def _action(self, button: Button, row: M | None = None, named: Sequence[str] = ()) -> Action:
        address = self.url(row, button.endpoint, **dict(zip(button.arguments, named, strict=True)))
        return Action(
            button.title,
            address,
            "get" if button.dialog else "post",
            button.danger,
            button.confirm.format(name=row.name) if button.confirm and row is not None else None,  # type: ignore[attr-defined]
            button.dialog,
            why_not(button.permission),
            button.icon,
            primary=button in self.new,
        )

    def listed(
        self,
        summary: Text,
        columns: Sequence[Column],
        *,
        search: Sequence[Expression],
        sort: str,
        empty: Text,
        query: Callable[[], Select[Any]] | None = None,
        of: Callable[[Any], M] = lambda row: row,
        filters: Sequence[Filter] = (),
    ) -> None:
        """Its list: a page with CSV, and an operation of the API.

        :param query: what is listed; rows that are more than the resource are taken apart by *of*
        """
        find = query or (lambda: scoped(self.model))

        def show() -> Response:
            listing = Listing(
                self.noun + "s",
                find(),
                columns,
                search,
                filters,
                sort,
                key=lambda row: of(row).id,
                href=lambda row: self.url(of(row)) if self.has_page else "",
                actions=lambda row: self.actions(of(row)),
                empty=Empty(self.title, empty),
            )
            return listing.respond(
                "core/list.html", title=self.title, actions=[self._action(button) for button in self.new]
            )

        def answer(query: ListQuery) -> Page[Any]:
            sorts = {column.field or column.key: column.sort for column in columns if column.sort is not None}
            shape: Callable[[Any], Out] = lambda row: self.shaped(of(row))  # noqa: E731
            return page(find(), query, shape, sorts=sorts, search=search, key=self.model.id, default=sort)

        self.pages.add_url_rule(self.path, f"{self.noun}_list", guard(self.read)(show))
        self.api.operation(
            "GET",
            self.path,
            f"{self.id}.list",
            summary,
            self.read,
            query=ListQuery,
            returns=Page[self.shape],  # type: ignore[name-defined]
        )(answer)

    def shown(self, summary: Text) -> Callable[[Callable[[M], Response]], Callable[[M], Response]]:
        """One of them: the page that the function makes of the row, and an operation of the API."""

        def declare(view: Callable[[M], Response]) -> Callable[[M], Response]:
            self.has_page = True
            self.pages.add_url_rule(
                self.place, self.noun, guard(self.read)(lambda **ids: view(self.get(ids[self.argument])))
            )
            self._operation("GET", "", "get", summary, self.read, self.shaped, returns=self.shape)
            return view

        return declare

    def creates(
        self,
        summary: Text,
        permission: Permission,
        audit: Operation,
        *,
        title: Text,
        submit: Text,
        said: Text = CREATED,
        errors: Sequence[ErrorCode] = (),
    ) -> Callable[[Callable[[Any], M]], Callable[[Any], M]]:
        """The function makes one of what it asks for."""

        def declare(create: Callable[[Any], M]) -> Callable[[Any], M]:
            wanted = _asked_by(create)

            def send() -> Response:
                row = create(parse(wanted))
                return self._done(row, said.format(name=row.name))  # type: ignore[attr-defined]

            def form() -> Form:
                return Form(title, self.url(None, "new"), submit, dialogs.asked(wanted))

            dialogs.routes(self.pages, f"{self.path}/new", f"{self.noun}_new", permission, audit, form, send)
            self.new.append(Button(title, "new", permission, dialog=True, icon="plus"))
            answer: Callable[[Any], Out] = lambda body: self.shaped(create(body))  # noqa: E731
            self.api.operation(
                "POST",
                self.path,
                f"{self.id}.create",
                summary,
                permission,
                audit=audit,
                body=wanted,
                returns=self.shape,
                status=201,
                errors=errors,
            )(answer)
            return create

        return declare

    def changes(
        self, summary: Text, permission: Permission, audit: Operation, *, errors: Sequence[ErrorCode] = ()
    ) -> Callable[[Callable[[M, Any], M]], Callable[[M, Any], M]]:
        """The function changes one to what it asks for; a change to another version than the stored one is refused."""

        def declare(change: Callable[[M, Any], M]) -> Callable[[M, Any], M]:
            wanted = _asked_by(change)

            def act(row: M, body: Any) -> M:
                conflicts.need_version(row)  # type: ignore[arg-type]
                return change(row, body)

            def send(**ids: str) -> Response:
                return self._done(act(self.get(ids[self.argument]), parse(wanted)), SAVED)

            def form(**ids: str) -> Form:
                row = self.get(ids[self.argument])
                fields = dialogs.asked(wanted)
                values = {item["name"]: getattr(row, item["name"]) for item in fields}
                title = EDIT.format(name=row.name)  # type: ignore[attr-defined]
                return Form(title, self.url(row, "edit"), SAVE, fields, values=values, row=row)  # type: ignore[arg-type]

            dialogs.routes(self.pages, f"{self.place}/edit", f"{self.noun}_edit", permission, audit, form, send)
            self.buttons.append(Button(_("Edit"), "edit", permission, dialog=True, icon="pencil"))
            answer: Callable[[M, Any], Out] = lambda row, body: self.shaped(act(row, body))  # noqa: E731
            self._operation(
                "PUT",
                "",
                "update",
                summary,
                permission,
                answer,
                audit=audit,
                body=wanted,
                returns=self.shape,
                errors=errors,
            )
            return change

        return declare

    def removes(
        self,
        summary: Text,
        permission: Permission,
        audit: Operation,
        *,
        verb: str = "delete",
        title: Text = _("Delete"),  # noqa: B008
        confirm: Text,
        said: Text = DELETED,
        errors: Sequence[ErrorCode] = (),
    ) -> Callable[[Callable[[M], None]], Callable[[M], None]]:
        """The function removes one, after a question."""

        def declare(remove: Callable[[M], None]) -> Callable[[M], None]:
            def send(**ids: str) -> Response:
                row = self.get(ids[self.argument])
                name = row.name  # type: ignore[attr-defined]
                remove(row)
                return go(self.url(None, "list"), said.format(name=name))

            self._button(verb, f"{self.place}/{verb}", permission, audit, send)
            self.buttons.append(Button(title, verb, permission, icon="trash-2", danger=True, confirm=confirm))
            self._operation("DELETE", "", "delete", summary, permission, remove, audit=audit, status=204, errors=errors)
            return remove

        return declare

    def acts(
        self,
        method: str,
        below: str,
        id: str,
        summary: Text,
        permission: Permission,
        audit: Operation,
        *,
        verb: str,
        label: Text,
        said: Text,
        title: Text | None = None,
        submit: Text = SAVE,
        icon: str = "",
        offers: Mapping[str, Offer[M]] = NO_OFFERS,
        errors: Sequence[ErrorCode] = (),
    ) -> Callable[[Act], Act]:
        """The function does something to one of them, and to what else the address of the operation names *below* it.

        On pages it is a button, :meth:`button`; what its arguments :class:`Ask` for, a dialog asks.
        :param offers: by argument, what can be chosen: the first of it and what is found by typing
        """

        def declare(act: Act) -> Act:
            asks = {name: ask for name, hint in _arguments_of(act).items() if (ask := ask_of(hint))}

            def do(**given: str) -> Response:
                row = self.get(given.pop(self.argument))
                act(row, **given, **{name: request.form.get(name, "") for name in asks})
                return go(self.url(row), said)

            def form(**ids: str) -> Form:
                row = self.get(ids[self.argument])
                fields = [
                    {**dialogs.field_of(name, ask), **self._offered(offers.get(name), row)}
                    for name, ask in asks.items()
                ]
                return Form((title or label).format(name=row.name), self.url(row, verb), submit, fields)  # type: ignore[attr-defined]

            named = tuple(name for name in ARGUMENT.findall(below) if name not in asks)
            self.others[verb] = Button(label, verb, permission, bool(asks), icon, arguments=named)
            if asks:
                rule = f"{self.place}{below.partition('/<')[0]}/{verb}"
                dialogs.routes(self.pages, rule, f"{self.noun}_{verb}", permission, audit, form, do)
            else:
                self._button(verb, f"{self.place}{below}/{verb}", permission, audit, do)
            for offer in offers.values():
                self._serve(offer, permission)
            self._operation(method, below, id, summary, permission, act, audit=audit, status=204, errors=errors)
            return act

        return declare

    def _offered(self, offer: Offer[M] | None, row: M) -> dict[str, Any]:
        if offer is None:
            return {}
        return {"options": offer(row, ""), "source": self.url(row, offer.__name__), "empty": plain("")}

    def _serve(self, offer: Offer[M], permission: Permission) -> None:
        """What is found by typing."""

        def found(**ids: str) -> Response:
            return dialogs.options(offer(self.get(ids[self.argument]), request.args.get("q", "")))

        name = offer.__name__
        self.pages.add_url_rule(f"{self.place}/{name}", f"{self.noun}_{name}", guard(permission)(found))

    def _done(self, row: M, said: Text) -> Response:
        """To the page of the row; where it has none, the dialog is closed and the list below refreshes."""
        return go(self.url(row), said) if self.has_page else dialogs.done(self.url(None, "list"), said)

    def _button(
        self, verb: str, rule: str, permission: Permission, audit: Operation, send: Callable[..., Response]
    ) -> None:
        view = guard(permission, audit=audit)(send)
        self.pages.add_url_rule(rule, f"{self.noun}_{verb}", view, methods=["POST"])

    def _operation(
        self,
        method: str,
        below: str,
        verb: str,
        summary: Text,
        permission: Permission,
        act: Callable[..., Any],
        **declared: Any,
    ) -> None:
        """An operation on one of them: *act* takes the row, then what else the address names and the body."""

        def run(**given: Any) -> Any:
            return act(self.get(given.pop(self.argument)), **given)

        run.__annotations__ = {self.argument: self.identifier, **_arguments_of(act)}
        self.api.operation(method, self.place + below, f"{self.id}.{verb}", summary, permission, **declared)(run)


def _arguments_of(act: Callable[..., Any]) -> dict[str, Any]:
    names = list(inspect.signature(act).parameters)[1:]
    known = inspect.get_annotations(act, eval_str=True)
    return {name: known[name] for name in names if name in known}


def _asked_by(act: Callable[..., Any]) -> type[msgspec.Struct]:
    """The Struct that a function takes last."""
    name = list(inspect.signature(act).parameters)[-1]
    kind: type[msgspec.Struct] = inspect.get_annotations(act, eval_str=True)[name]
    return kind
