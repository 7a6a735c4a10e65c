"""Lists: search, filter, sort, paging, columns and CSV, all in the query string and done by the database (C-50)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from flask import Response, request, stream_with_context
from msgspec import Meta
from sqlalchemy import ColumnElement, Select, and_, func, inspect, or_, true
from sqlalchemy.orm import InstrumentedAttribute
from werkzeug.datastructures import MultiDict

from app.db import db
from app.errors import ConsoleError
from app.web.language import t
from app.web.paging import COUNTED, Cursor, Expression, Found, bounded_count, cursor_of, page_of
from app.web.render import render
from app.web.table import Action, Cell, Chip, Empty, ShownColumn, ShownFilter, ShownRow
from app.words import Text, _, plain

SIZES = (50, 100, 200)
CHUNK = 1_000  # rows of a CSV that are read at once
# Where a page is, in the query string: after or before a row, or the last one.
TOP: Mapping[str, None] = {"after": None, "before": None, "end": None}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list. ``value`` makes a row's Cell, or a plain value that ``kind`` dresses.

    ``narrow`` columns stay at 400 px; ``hidden`` ones are off until chosen.
    """

    key: str
    title: Text
    value: Callable[[Any], Any]
    kind: str = "text"
    sort: Expression | None = None
    narrow: bool = False
    hidden: bool = False
    align: str = ""
    field: str = ""  # what the API calls it, where that is not its key

    def cell(self, row: Any) -> Cell:
        """The cell of *row*."""
        value = self.value(row)
        if isinstance(value, Cell):
            return value
        if isinstance(value, Text):
            return Cell(self.kind, text=t(value))
        if self.kind in ("labels", "tags"):
            items = [f"{k}={v}" for k, v in value.items()] if isinstance(value, Mapping) else list(value or ())
            return Cell(self.kind, items=items)
        if self.kind == "status":
            return Cell("status", status=str(value))
        text = "" if value is None or isinstance(value, datetime) else str(value)
        return Cell(self.kind, text=text, value=value, copy=self.kind == "mono")


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of a list: ``options`` are (value, name) pairs, or a function that reads them.

    ``by`` is the column compared for equality, or a function value → condition. With ``doc``, a filter of the API too;
    without options, of the API alone.
    """

    key: str
    title: Text
    by: Expression | Callable[[str], Any]
    options: Sequence[tuple[str, Text]] | Callable[[], Sequence[tuple[str, Text]]] = ()
    doc: Meta | None = None
    field: str = ""  # what the API calls it, where that is not its key

    def choices(self) -> Sequence[tuple[str, Text]]:
        """The options, read now if they are a function."""
        return self.options() if callable(self.options) else self.options

    def condition(self, value: str) -> Any:
        """The SQL condition for *value*."""
        if isinstance(self.by, (ColumnElement, InstrumentedAttribute)):
            return self.by == value
        return self.by(value)


@dataclass
class Listing:
    """A list page: what is selected, how it is shown, and what the query string asked for.

    ``counted`` is to how many rows it is counted; a search that no index serves in its order counts to fewer.
    ``prepare`` is given the rows of a page before their cells are made, to look up at once what these need.
    """

    id: str
    query: Select[Any]
    columns: InitVar[Sequence[Column]]
    search: Sequence[Expression] = ()
    filters: InitVar[Sequence[Filter]] = ()
    default_sort: str = ""
    href: Callable[[Any], str] = field(default=lambda _row: "")
    key: Callable[[Any], str] = field(default=lambda row: str(row.id))
    actions: Callable[[Any], Sequence[Action]] = field(default=lambda _row: ())
    bulk: Sequence[Action] = ()
    prepare: Callable[[Sequence[Any]], object] = field(default=lambda _rows: None)
    empty: Empty | None = None
    poll: float | None = None
    search_hint: Text = _("Search")  # noqa: RUF009 - frozen
    new_count: int = 0
    counted: int = COUNTED

    def __post_init__(self, columns: Sequence[Column], filters: Sequence[Filter]) -> None:
        self.declared = columns
        self.declared_filters = filters
        self.args: MultiDict[str, str] = MultiDict(request.args)
        self.url = request.path
        self.q = self.args.get("q", "").strip()
        self.sort = self.args.get("sort", "") or self.default_sort
        self.is_gone = self._leave_gone_place()
        wanted = self.args.get("size", 0, type=int)
        self.size = wanted if wanted in SIZES else SIZES[0]
        self.all_columns = self._heads()
        self.columns = [head for head in self.all_columns if head.visible]  # type: ignore[attr-defined]
        shown = self._shown_filters()
        self.filters = shown  # type: ignore[attr-defined]
        self.chips = self._chips(shown)

    def _leave_gone_place(self) -> bool:
        """Whether the query string names a place that is none of this list, such as one of another sort: it begins
        anew.
        """
        try:
            __ = [self._cursor(name) for name in ("after", "before")]
        except ConsoleError:
            self.args = MultiDict([(name, value) for name, value in self.args.items(multi=True) if name not in TOP])
            return True
        return False

    @cached_property
    def total(self) -> int:
        """How many rows there are, counted to a bound. What a search found is not looked for twice where it fits a
        page.
        """
        is_first = not any(self.args.get(name) for name in ("after", "before", "end"))
        if self.q and is_first and not self._page.more:
            return len(self._page.rows)
        return bounded_count(self._filtered(), self.counted)

    @property
    def is_long(self) -> bool:
        """Whether there are more rows than were counted."""
        return self.total > self.counted

    @property
    def first(self) -> int | None:
        """Number of the first row shown, from 1; None where it is not known, at the end of a long list."""
        return self._before + 1 if self._before is not None else None

    @property
    def last(self) -> int | None:
        """Number of the last row shown."""
        return self._before + len(self._page.rows) if self._before is not None else None

    @property
    def rows(self) -> list[ShownRow]:
        """The rows of this page."""
        columns = self._visible()
        self.prepare(self._page.rows)
        return [
            ShownRow(self.key(row), self.href(row), {c.key: c.cell(row) for c in columns}, self.actions(row), row)
            for row in self._page.rows
        ]

    @cached_property
    def _page(self) -> Found:
        """The page that the query string names; the last one where nothing is left after a row that is named."""
        column, keys, descending = self._order()
        after, before = (self._cursor(name) for name in ("after", "before"))
        if before or "end" in self.args:
            return page_of(self._filtered(), column, keys, descending, self._end_size(before), before, backwards=True)
        found = page_of(self._filtered(), column, keys, descending, self.size, after)
        if after is not None and not found.rows:
            self.args = MultiDict([*self.args.items(multi=True), ("end", "1")])
            return page_of(self._filtered(), column, keys, descending, self._end_size(None), backwards=True)
        return found

    def _end_size(self, before: Cursor | None) -> int:
        """The last page has what the pages before it leave."""
        return self.size if before or self.is_long else self.total % self.size or self.size

    @cached_property
    def _before(self) -> int | None:
        """How many rows stand before this page; None at the end of a list that was not counted whole."""
        after, before, rows = self._cursor("after"), self._cursor("before"), self._page.rows
        if "end" in self.args:
            return None if self.is_long else max(0, self.total - len(rows))
        if before is not None:
            return None if before.before < 0 else max(0, before.before - len(rows))
        return 0 if after is None else None if after.before < 0 else after.before

    def _cursor(self, name: str) -> Cursor | None:
        token = self.args.get(name, "")
        return cursor_of(token, self.sort) if token else None

    @property
    def previous_url(self) -> str | None:
        """The address of the page before this one."""
        backwards = "end" in self.args or bool(self._cursor("before"))
        if not self._page.rows or not (self._page.more if backwards else self._cursor("after")):
            return None
        before = self._before if self._before is not None else -1
        return self._place(before=str(Cursor(self.sort, self._page.first, before)))

    @property
    def next_url(self) -> str | None:
        """The address of the page after this one."""
        backwards = bool(self._cursor("before"))
        if not self._page.rows or "end" in self.args or not (backwards or self._page.more):
            return None
        before = self._before + len(self._page.rows) if self._before is not None else -1
        return self._place(after=str(Cursor(self.sort, self._page.last, before)))

    @property
    def first_url(self) -> str:
        """The address of the first page."""
        return self._place()

    @property
    def last_url(self) -> str:
        """The address of the last page."""
        return self._place(end="1")

    @property
    def here_url(self) -> str:
        """The address of this page."""
        return self._with()

    def _place(self, **place: str) -> str:
        return self._with(**{**TOP, **place})

    def _visible(self) -> list[Column]:
        visible = {head.key for head in self.all_columns if head.visible}
        return [column for column in self.declared if column.key in visible]

    def _shown_filters(self) -> list[ShownFilter]:
        shown = []
        for item in self.declared_filters:
            value = self.args.get(item.key, "")
            options: list[tuple[str, Text, bool, str, int | None]] = [
                (option, title, option == value, self._with(**{item.key: option, **TOP}), None)
                for option, title in item.choices()
            ]
            shown.append(ShownFilter(item.key, item.title, options, value, self._with(**{item.key: None, **TOP})))
        return shown

    def _chips(self, shown: Sequence[ShownFilter]) -> list[Chip]:
        found = []
        for item in shown:
            if item.value:
                label = next((name for value, name, *__ in item.options if value == item.value), None)
                found.append(Chip(item.title, label or plain(item.value), item.clear_url))
        return found

    @property
    def csv_url(self) -> str:
        """Where the whole list, as filtered, is had as CSV."""
        return self._with(format="csv", **TOP)

    def csv(self) -> Response:
        """The whole list as CSV, streamed; the columns that are shown."""
        columns = self._visible()

        def lines() -> Iterator[str]:
            yield "\ufeff" + csv_line([t(column.title) for column in columns])
            for row in self._all():
                yield csv_line([column.cell(row).plain() for column in columns])

        name = f"attachment; filename={self.id}.csv"
        return Response(stream_with_context(lines()), mimetype="text/csv", headers={"Content-Disposition": name})

    def _all(self) -> Iterator[Any]:
        """Every row, read by key, so that no transaction stays open for as long as the download takes."""
        column, keys, descending = self._order()
        beyond: Cursor | None = None
        while True:
            found = page_of(self._filtered(), column, keys, descending, CHUNK, beyond)
            self.prepare(found.rows)
            yield from found.rows
            if not found.more:
                return
            beyond = Cursor(self.sort, found.last)
            db.session.expunge_all()
            db.session.rollback()

    def respond(self, template: str, **context: Any) -> Response:
        """The page, its rows for HTMX, or CSV: what the request asked for."""
        if self.args.get("format") == "csv":
            return self.csv()
        return render(template, fragment="rows", listing=self, **context)

    def _filtered(self) -> Select[Any]:
        query = self.query
        for item in self.declared_filters:
            if value := self.args.get(item.key, ""):
                query = query.where(item.condition(value))
        if self.q and self.search:
            query = query.where(matching(self.q, self.search))
        return query

    def _order(self) -> tuple[Expression | None, list[Expression], bool]:
        """By what the list is sorted, what tells its rows apart, and whether it descends."""
        name, descending = self.sort.removeprefix("-"), self.sort.startswith("-")
        column = next((c.sort for c in self.declared if c.key == name), None)
        return column, list(inspect(self.query.column_descriptions[0]["entity"]).primary_key), descending

    def _heads(self) -> list[ShownColumn]:
        chosen = {*self.args.getlist("cols")} & {column.key for column in self.declared}
        heads = []
        for column in self.declared:
            descending = self.sort == f"-{column.key}"
            ascending = self.sort == column.key
            heads.append(
                ShownColumn(
                    column.key,
                    column.title,
                    column.kind,
                    column.sort is not None,
                    column.narrow,
                    "desc" if descending else "asc" if ascending else None,
                    self._with(sort=f"-{column.key}" if ascending else column.key, **TOP),
                    column.align or ("right" if column.kind in ("number", "bytes", "percent") else ""),
                    column.key in chosen if chosen else not column.hidden,
                )
            )
        return heads

    def _with(self, **changes: str | None) -> str:
        args = self.args.copy()
        args.pop("format", None)
        for key, value in changes.items():
            args.poplist(key)
            if value is not None:
                args[key] = value
        pairs = [(key, value) for key, values in args.lists() for value in values]
        return f"{self.url}?{urlencode(pairs)}" if pairs else self.url


def matching(text: str, columns: Sequence[Expression]) -> ColumnElement[bool]:
    """Rows in which every word of *text* occurs in one of the columns, whatever the case."""
    conditions = []
    for word in text.split()[:8]:
        escaped = word.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        conditions.append(or_(*(func.lower(column).like(f"%{escaped}%", escape="\\") for column in columns)))
    return and_(true(), *conditions)


def csv_line(values: Sequence[str]) -> str:
    """One line of CSV, in which no value is taken for a formula."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_inert(value) for value in values])
    return buffer.getvalue()


def _inert(value: str) -> str:
    """A spreadsheet must not take a cell for a formula (OWASP: CSV injection)."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
