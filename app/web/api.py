"""Operations under ``/api/v1``: declared once with their shapes, they make routes, OpenAPI 3.1 and the gateway.

An operation is a function. It takes the path's arguments, and ``body`` and
``query`` if it declares them; it returns what msgspec can encode. The same
services, permissions and audit as the pages stand behind it (C-60).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar, get_origin

import msgspec
from flask import Blueprint, Response, request
from sqlalchemy import Select

from app import caller
from app.contracts.declarations import Permission
from app.contracts.shapes import doc
from app.errors import ErrorCode, invalid
from app.guard import Guard, Operation, ResourceOf
from app.web.forms import check, hints_of, json_body
from app.web.listing import matching
from app.web.paging import Cursor, Expression, cursor_of, page_of
from app.words import Text, _

BASE = "/api/v1"
MAX_LIMIT = 500
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Out(msgspec.Struct, rename="camel", omit_defaults=False):
    """A shape that the API answers."""


class In(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A shape that the API takes; unknown fields are refused."""


class OpenQuery(msgspec.Struct, rename="camel"):
    """A query that passes over parameters that it does not know."""


class ListQuery(In):
    """The query of every list: text, sort (``-`` descends), page size and where to go on."""

    q: Annotated[str, doc("Only what has this text in what is searched.")] = ""
    sort: Annotated[str, doc("Field to sort by, such as `createdAt`; with `-` before it, descending.")] = ""
    limit: Annotated[int, doc("At most so many rows, from 1 to 500.")] = 50
    cursor: Annotated[str, doc("`nextCursor` of the page before, to go on after it.")] = ""


class Page(msgspec.Struct, Generic[T], rename="camel"):
    """One page of a list; ``nextCursor`` is null on the last."""

    items: Annotated[list[T], doc("The rows of this page.")]
    next_cursor: Annotated[str | None, doc("What `cursor` takes to go on; null on the last page.")] = None


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """One operation as declared; ``id`` is its OpenAPI operationId and its name at the gateway."""

    id: str
    method: str
    path: str
    run: Callable[..., Any]
    summary: Text
    permission: Permission | None
    audit: Operation | None
    body: type | None
    query: type | None
    returns: Any
    answers: Sequence[str]
    status: int
    errors: Sequence[ErrorCode]
    resource: ResourceOf | None
    public_reason: str
    external: bool
    dry_run: bool
    raw_body: str
    deprecated: bool
    versioned: bool


@dataclass
class Api:
    """The operations of one plugin. ``area`` groups them in the documentation."""

    area: str
    title: Text
    operations: list[ApiOperation] = field(default_factory=list)

    def operation(
        self,
        method: str,
        path: str,
        id: str,
        summary: Text,
        permission: Permission | None,
        *,
        audit: Operation | None = None,
        body: type | None = None,
        query: type | None = None,
        returns: Any = None,
        answers: Sequence[str] = (),
        status: int = 200,
        errors: Sequence[ErrorCode] = (),
        resource: ResourceOf | None = None,
        public: str = "",
        external: bool = False,
        dry_run: bool = True,
        raw_body: str = "",
        deprecated: bool = False,
        versioned: bool = False,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare an operation. *path* is below ``/api/v1`` with Flask's ``<name>`` arguments.

        A shape in *body* and *query* is a Struct (see :class:`In`). With *raw_body*, a
        media type or several with commas between, the function reads ``request`` itself, and *body* only describes.
        What it *returns* is a Struct too, several for one of these, or nothing; *answers* are
        media types instead. What the function's own annotations say of the path's
        arguments stands in the description too (see :mod:`app.contracts.shapes`). *public*
        says why an operation without permission is open. A change that needs no
        audit does not exist: one without *audit* must say so in *public*. *external*
        work is recorded before it starts; where its system offers no dry run,
        ``dry_run=False`` has ``?dryRun=true`` refused. A *deprecated* one stays for those who
        call it, and the description tells others not to. A *versioned* one changes what has a version:
        it calls :func:`app.web.conflicts.need_version`, which looks at ``If-Match``.
        """

        def declare(run: Callable[..., Any]) -> Callable[..., Any]:
            self.operations.append(
                ApiOperation(
                    id,
                    method,
                    path,
                    run,
                    summary,
                    permission,
                    audit,
                    body,
                    query,
                    returns,
                    answers,
                    status,
                    tuple(errors),
                    resource,
                    public,
                    external,
                    dry_run,
                    raw_body,
                    deprecated,
                    versioned,
                )
            )
            return run

        return declare

    def guard(self, id: str) -> Callable[[F], F]:
        """Guard a page's view as the operation *id* is: what it does has one permission and one audit operation."""
        found = next(operation for operation in self.operations if operation.id == id)
        return _guarded(found)

    def blueprint(self) -> Blueprint:
        """Flask routes of these operations."""
        made = Blueprint(f"api_{self.area}", __name__, url_prefix=BASE)
        for operation in self.operations:
            view = _guarded(operation)(_view(operation))
            made.add_url_rule(operation.path, operation.id.replace(".", "_"), view, methods=[operation.method])
        return made


def _guarded(operation: ApiOperation) -> Callable[[F], F]:
    """Mark a view as the operation is declared."""

    def mark(view: F) -> F:
        view.guard = Guard(  # type: ignore[attr-defined]
            operation.permission,
            operation.audit,
            operation.public_reason,
            operation.resource,
            operation.external,
            dry_run=operation.dry_run,
        )
        return view

    return mark


def _view(operation: ApiOperation) -> Callable[..., Response]:
    def view(**arguments: Any) -> Response:
        return invoke(operation, arguments)

    view.__name__ = operation.id.replace(".", "_").replace("-", "_")
    view.__doc__ = str(operation.summary)
    return view


def invoke(operation: ApiOperation, arguments: dict[str, Any]) -> Response:
    """Read the request's shapes, run the operation, encode its answer; the gateway calls this as well."""
    values = dict(arguments)
    if operation.body is not None and not operation.raw_body:
        values["body"] = check(operation.body, json_body())
    if operation.query is not None:
        values["query"] = _query(operation.query)
    answer = operation.run(**values)
    return answer if isinstance(answer, Response) else encode(answer, operation.status)


def encode(answer: Any, status: int = 200) -> Response:
    """*answer* as JSON."""
    if answer is None:
        empty = Response(status=204)
        del empty.headers["Content-Type"]  # of nothing
        return empty
    response = Response(msgspec.json.encode(answer), status, mimetype="application/json")
    version = answer.get("version") if isinstance(answer, dict) else getattr(answer, "version", None)
    if isinstance(version, int):
        response.set_etag(str(version))
    return response


def accepted(answer: Any, location: str) -> Response:
    """202 with where to follow the work."""
    response = encode(answer, 202)
    response.headers["Location"] = location
    return response


def dry_run() -> bool:
    """Whether the caller asked only what would happen; the change is then rolled back at the end."""
    return caller.current().dry_run


def page(
    query: Select[Any],
    wanted: ListQuery,
    shape: Callable[[Any], T],
    *,
    sorts: Mapping[str, Expression],
    search: Sequence[Expression] = (),
    key: Expression,
    default: str,
) -> Page[T]:
    """One page of *query*: searched, sorted, and going on after the cursor (keyset, so nothing is counted).

    :raises ConsoleError: CORE/INVALID_INPUT for an unknown sort, a limit out of range or a cursor of another list
    """
    found, after = _found(query, wanted, sorts, search, key, default)
    return Page([shape(row) for row in found], after)


def page_together(
    query: Select[Any],
    wanted: ListQuery,
    shapes: Callable[[Sequence[Any]], Sequence[T]],
    *,
    sorts: Mapping[str, Expression],
    search: Sequence[Expression] = (),
    key: Expression,
    default: str,
) -> Page[T]:
    """As :func:`page`, for shapes that need more than their row: *shapes* is given all rows, and asks once for all."""
    found, after = _found(query, wanted, sorts, search, key, default)
    return Page(list(shapes(found)), after)


def _found(
    query: Select[Any],
    wanted: ListQuery,
    sorts: Mapping[str, Expression],
    search: Sequence[Expression],
    key: Expression,
    default: str,
) -> tuple[list[Any], str | None]:
    sort = wanted.sort or default
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name not in sorts:
        names = ", ".join(sorted(sorts))
        raise invalid({"sort": _("Sort by one of: {names}.").format(names=names)})
    if not 1 <= wanted.limit <= MAX_LIMIT:
        raise invalid({"limit": _("Between 1 and {max_limit}.").format(max_limit=MAX_LIMIT)})
    if wanted.q.strip() and search:
        query = query.where(matching(wanted.q, search))
    column = None if sorts[name] is key else sorts[name]
    beyond = cursor_of(wanted.cursor, sort) if wanted.cursor else None
    found = page_of(query, column, [key], descending, wanted.limit, beyond)
    return found.rows, str(Cursor(sort, found.last)) if found.more else None


def _query(kind: type) -> Any:
    hints = hints_of(kind)
    given: dict[str, Any] = {name: value for name, value in request.args.items() if name != "dryRun"}
    for known in msgspec.structs.fields(kind):
        if known.encode_name in given and get_origin(hints[known.name]) in (list, tuple):
            given[known.encode_name] = request.args.getlist(known.encode_name)
    return check(kind, given, strict=False)


def body_digest() -> str:
    """A digest of this request's method, path and body: what an Idempotency-Key stands for."""
    text = f"{request.method} {request.full_path}".encode() + b"\n" + request.get_data()
    return hashlib.sha256(text).hexdigest()
