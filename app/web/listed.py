"""What is listed and shown of a resource: its rows, its page, and the operations of the API that read (C-60)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Annotated, Any, Generic

import msgspec
from flask import Blueprint, Response, url_for
from sqlalchemy import Select

from app.contracts.declarations import Permission
from app.db import db, scoped
from app.errors import NOT_FOUND
from app.guard import guard
from app.web.api import Api, ListQuery, Out, Page, page_together
from app.web.buttons import M, Offered
from app.web.frame import why_not
from app.web.listing import Column, Filter, Listing
from app.web.paging import Expression
from app.web.table import Action, Empty
from app.words import Text

ID = attrgetter("id")


@dataclass(frozen=True, slots=True)
class Once(Generic[M]):
    """What an action made, with the secret of it that is shown this one time."""

    row: M
    secret: str


@dataclass
class Listed(Generic[M]):
    """Things of one kind.

    :param noun: what the names of its pages begin with, ``group``
    :param path: where its pages are, and below ``/api/v1`` its operations, whose identifiers begin as it does:
        ``/iam/oidc-clients`` with ``iam.oidcClients``
    :param title: the heading of its list; ``one`` is what one is called in a sentence
    :param identifier: the type of its argument in addresses, with its description
    :param rows: those that the caller may see, by default all of the tenant
    :param find: one of them, where it takes more than these to find it
    :param shapes: what the API answers of rows, by default their fields
    :param name: what messages call one
    :param home: the page that shows one, where it is not its own
    :param once: the page that shows a secret; ``once_as`` is its field in the API
    :param reason: why nobody needs a permission of their own, where that is so
    :param argument: the name of what addresses name one by, and *key* is what they say
    :param served: path and identifiers of its operations, where these do not follow from *path*
    """

    api: Api
    pages: Blueprint
    noun: str
    path: str
    title: Text
    one: Text
    model: type[M]
    shape: type[Out]
    identifier: Any
    read: Permission
    rows: Callable[[], Select[Any]] | None = None
    find: Callable[[str], M] | None = None
    shapes: Callable[[Sequence[M]], Sequence[Out]] | None = None
    name: Callable[[M], str] = attrgetter("name")
    home: Callable[[M], str] | None = None
    once: Callable[[M, str], Response] | None = None
    once_as: str = "secret"
    reason: str = ""
    argument: str = ""
    key: Callable[[M], str] = ID
    served: tuple[str, str] | None = None
    offered: dict[str, Offered[M]] = field(default_factory=dict)  # by verb
    menu: list[Callable[[M], Action | None]] = field(default_factory=list)  # of each row
    new: list[Callable[[], Action]] = field(default_factory=list)  # of the list
    has_page: bool = False
    columns: Sequence[Column] = ()  # of its list

    def __post_init__(self) -> None:
        self.argument = self.argument or f"{self.noun}_id"

    def get(self, identifier: str) -> M:
        """The row with this identifier.

        :raises ConsoleError: CORE/NOT_FOUND, also where it is another tenant's
        """
        if self.find is not None:
            return self.find(identifier)
        row: M | None = db.session.scalar(self._rows().where(self.model.id == identifier))  # type: ignore[attr-defined]
        if row is None:
            raise NOT_FOUND(what=self.one)
        return row

    def shaped(self, made: M | Once[M]) -> Out:
        """The row as the API answers it."""
        if isinstance(made, Once):
            return msgspec.structs.replace(self.shaped(made.row), **{self.once_as: made.secret or None})
        return self._shapes([made])[0]

    def url(self, row: M | None = None, page: str = "", **named: str) -> str:
        """Where a page of a row is, its own by default, or one of the list."""
        name = f"{self.pages.name}.{self.noun}" + (f"_{page}" if page else "")
        values: dict[str, Any] = {self.argument: self.key(row), **named} if row is not None else dict(named)
        return url_for(name, **values)

    @property
    def place(self) -> str:
        """The rule of one of them."""
        return f"{self.path}/<{self.argument}>"

    def offers(self, entry: Callable[[M], Action | None]) -> Callable[[M], Action | None]:
        """An entry of each row's menu that no action of the resource makes."""
        self.menu.append(entry)
        return entry

    def actions(self, row: M) -> list[Action]:
        """What can be done with a row, as its menu and its page show it."""
        return [action for entry in self.menu if (action := entry(row)) is not None]

    def button(self, verb: str, row: M, *named: str) -> Action:
        """What the action *verb* offers on a page.

        :param named: what its address names besides the row
        """
        offered = self.offered[verb]
        button, name = offered.button, self.name(row)
        return Action(
            button.label,
            self.url(row, verb, **dict(zip(offered.arguments, named, strict=True))),
            "get" if offered.dialog else "post",
            button.danger,
            button.confirm.format(name=name) if button.confirm else None,
            offered.dialog,
            why_not(offered.permission) or button.refused(row),
            button.icon,
        )

    def listed(
        self,
        summary: Text,
        columns: Sequence[Column],
        *,
        search: Sequence[Expression],
        sort: str,
        empty: Text | Callable[[], Empty],
        query: Callable[[], Select[Any]] | None = None,
        of: Callable[[Any], M] = lambda row: row,
        filters: Sequence[Filter] = (),
        buttons: Callable[[], Sequence[Action]] = tuple,
        **look: Any,
    ) -> None:
        """Its list: a page with CSV, and an operation of the API.

        :param query: what is listed; rows that are more than the resource are taken apart by *of*
        :param filters: those that have a ``doc`` are the API's too
        :param buttons: what stands above it besides what its actions offer
        :param look: what else its :class:`Listing` says
        """
        if sort.removeprefix("-") not in {column.key for column in columns if column.sort is not None}:
            raise ValueError(f"{self.path} is sorted by {sort!r}, which is no column that can be sorted by")
        find, self.columns = query or self._rows, columns

        def show() -> Response:
            usual: dict[str, Any] = {
                "key": lambda row: str(ID(of(row))),
                "href": lambda row: self.url(of(row)) if self.has_page else "",
                "actions": lambda row: self.actions(of(row)),
                "empty": empty() if callable(empty) else Empty(self.title, empty),
            }
            listing = Listing(self.noun + "s", find(), columns, search, filters, sort, **usual | look)
            offered = [*(make() for make in self.new), *buttons()]
            return listing.respond("core/list.html", title=self.title, actions=offered)

        sorts = {column.field or column.key: column.sort for column in columns if column.sort is not None}
        default = _api_name(sort, columns)

        def answer(query: ListQuery) -> Page[Any]:
            found = find()
            for item in filters:
                if value := getattr(query, item.field or item.key, ""):
                    found = found.where(item.condition(value))
            together = lambda rows: self._shapes([of(row) for row in rows])  # noqa: E731
            return page_together(
                found, query, together, sorts=sorts, search=search, key=ID(self.model), default=default
            )

        self.pages.add_url_rule(self.path, f"{self.noun}_list", guard(self.read)(show))
        shape = Page[self.shape]  # type: ignore[name-defined]
        self.declare("GET", "", "list", summary, self.read, query=_query(filters), returns=shape)(answer)

    def shown(self, summary: Text) -> Callable[[Callable[[M], Response]], Callable[[M], Response]]:
        """One of them: the page that the function makes of the row, and an operation of the API."""

        def declare(view: Callable[[M], Response]) -> Callable[[M], Response]:
            self.has_page = True
            show = guard(self.read)(lambda **ids: view(self.get(ids[self.argument])))
            self.pages.add_url_rule(self.place, self.noun, show)
            self.answers(summary)
            return view

        return declare

    def answers(self, summary: Text) -> None:
        """One of them, in the API alone."""
        self._on_one("GET", "", "get", summary, self.read, self.shaped, returns=self.shape)

    def _rows(self) -> Select[Any]:
        return self.rows() if self.rows is not None else scoped(self.model)

    def _shapes(self, rows: Sequence[M]) -> Sequence[Out]:
        if self.shapes is not None:
            return self.shapes(rows)
        return [msgspec.convert(row, self.shape, from_attributes=True) for row in rows]

    def declare(
        self, method: str, below: str, verb: str, summary: Text, permission: Permission, **declared: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """An operation of the API: ``/iam/oidc-clients`` has ``iam.oidcClients.list``."""
        id = re.sub(r"-(\w)", lambda found: found[1].upper(), self.path.strip("/").replace("/", "."))
        path, id = self.served or (self.path, id)
        return self.api.operation(
            method, path + below, f"{id}.{verb}", summary, permission, public=self.reason, **declared
        )

    def _on_one(
        self,
        method: str,
        below: str,
        verb: str,
        summary: Text,
        permission: Permission,
        run: Callable[..., Any],
        act: Callable[..., Any] | None = None,
        **declared: Any,
    ) -> None:
        """An operation on one of them: *run* takes the row, then what else the address names and the body."""

        def on_one(**given: Any) -> Any:
            return run(self.get(given.pop(self.argument)), **given)

        on_one.__annotations__ = {self.argument: self.identifier, **arguments_of(act or run)}
        self.declare(method, f"/<{self.argument}>{below}", verb, summary, permission, **declared)(on_one)


def _query(filters: Sequence[Filter]) -> type[ListQuery]:
    """The query of a list with these filters."""
    fields = [(item.field or item.key, Annotated[str, item.doc], "") for item in filters if item.doc is not None]
    if not fields:
        return ListQuery
    made: Any = msgspec.defstruct("FilteredQuery", fields, bases=(ListQuery,), rename="camel", module=__name__)
    query: type[ListQuery] = made
    return query


def _api_name(sort: str, columns: Sequence[Column]) -> str:
    """What the API calls the order that a page has first."""
    name = sort.removeprefix("-")
    field = next((column.field for column in columns if column.key == name), "")
    return sort.replace(name, field) if field else sort


def arguments_of(act: Callable[..., Any]) -> dict[str, Any]:
    """The types of what a function takes beside the row, by name."""
    names = list(inspect.signature(act).parameters)[1:]
    known = inspect.get_annotations(act, eval_str=True)
    return {name: known[name] for name in names if name in known}
