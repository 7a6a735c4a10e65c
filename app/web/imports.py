"""Bringing in many rows from a file: what each would do is shown, then all is done in one transaction, or nothing
(C-60).

A preview is the import itself, rolled back at its end as any dry run. Whoever confirms says by a mark which preview
they saw: where the rows would do something else by now, nothing is done and the new preview is shown.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from typing import Annotated, Any, cast

import msgspec
from flask import Response, make_response, request

from app import audit, caller
from app.contracts.declarations import Permission
from app.contracts.shapes import doc
from app.errors import CHANGED, ConsoleError, ErrorCode, FieldError, invalid, pointer_of
from app.guard import Operation, guard
from app.web import conflicts, dialogs, sheets
from app.web.api import In, Out
from app.web.forms import CONTROL, parse
from app.web.frame import why_not
from app.web.imported import CREATED, OVERWRITTEN, REFUSED, UNCHANGED, Columns, Line, Outcome, counted
from app.web.language import t
from app.web.listed import Listed
from app.web.listing import csv_line
from app.web.problems import refuse
from app.web.render import render
from app.web.table import Action, Cell
from app.words import Text, _, ngettext, pgettext

TONES = {
    CREATED: Cell("tone", pgettext("import", "Created"), tone="ok"),
    OVERWRITTEN: Cell("tone", pgettext("import", "Overwritten"), tone="info"),
    UNCHANGED: Cell("tone", pgettext("import", "As it is"), tone="neutral"),
    REFUSED: Cell("tone", pgettext("import", "Refused"), tone="bad"),
}
LONGEST_NAME = 255  # of a file
SHOWN = 300  # rows of a preview, refused ones first
MEDIA = f"text/csv, {sheets.XLSX}"
NO_FILE = _("Choose a file.")
UNDER_WAY = ErrorCode(
    "CORE/IMPORT_UNDER_WAY",
    429,
    _("Another import is under way."),
    _("Wait a moment, then send the file again."),
)
WAIT = 5  # seconds
turn = threading.Lock()  # of a process: each holds a file in memory, and with SQLite keeps all others from writing


class ImportProblem(Out):
    """Why a row is refused."""

    pointer: Annotated[str, doc("JSON pointer to the field, such as `/login`.")]
    code: Annotated[str, doc("Code of the error, such as `CORE/INVALID_INPUT`, or of what is wrong with the field.")]
    message: Annotated[str, doc("What is wrong, in the caller's language.")]
    remedy: Annotated[str, doc("What to do about it, in the caller's language.")]


class ImportedRow(Out):
    """What became of a row of the file, or would."""

    row: Annotated[int, doc("Number of the row in the file; the names of the columns are the first.")]
    name: Annotated[str, doc("What the row calls the one that it is of.")]
    outcome: Annotated[str, doc("`created`, `overwritten`, `unchanged` or `refused`.")]
    problems: Annotated[list[ImportProblem], doc("Why it is refused.")]
    password: Annotated[str | None, doc("The password that was made, shown once; null otherwise.")] = None


class Imported(Out):
    """What an import did, or with `dryRun` would do."""

    created: Annotated[int, doc("How many rows made something.")]
    overwritten: Annotated[int, doc("How many rows changed what was there.")]
    unchanged: Annotated[int, doc("How many rows say what is there already.")]
    refused: Annotated[int, doc("How many rows were left out.")]
    passed_over: Annotated[list[str], doc("Columns of the list that an import does not read.")]
    mark: Annotated[str, doc("What `seen` takes, so that nothing else is done than what this tells.")]
    rows: Annotated[list[ImportedRow], doc("Every row of the file.")]


Act = Callable[[Sequence[Any], Collection[str], Any], Sequence[Outcome]]


class NoOptions(In):
    """Nothing is asked beside the file."""


@dataclass(frozen=True, slots=True)
class Import:
    """How many rows of a list are brought in.

    :param summary: what its page and its operation are called
    :param wanted: the Struct that a row is; its fields that say how they are asked for are the columns
    :param key: the field that no two rows share
    :param options: the Struct of what is asked beside the file
    """

    summary: Text
    permission: Permission
    audit: Operation
    wanted: type[msgspec.Struct]
    key: str
    options: type[In] = NoOptions
    errors: Sequence[ErrorCode] = ()


class Importer:
    """An import as it is offered: a page, templates for its file, an operation of the API.

    :param act: makes and changes; gets the rows, the fields that the file has, the options
    """

    pointer = staticmethod(pointer_of)
    most_rows = sheets.MOST_ROWS

    def __init__(self, of: Listed[Any], how: Import, act: Act) -> None:
        self.of, self.how, self.act = of, how, act

    @cached_property
    def columns(self) -> Columns:
        """Those of a file. Asked for once the site has started, when every catalogue of words is known."""
        others = [title for column in self.of.columns for title in column.title.in_all().values()]
        return Columns(self.how.wanted, self.how.key, others)

    def declare(self) -> None:
        """Its routes and its operation."""
        how, pages, path, name = self.how, self.of.pages, f"{self.of.path}/import", f"{self.of.noun}_import"
        if how.key not in how.wanted.__struct_fields__:
            raise ValueError(f"{path}: {how.key!r} is no field of {how.wanted.__name__}")
        for rule, endpoint, view, method, audit_as in (
            (path, name, self.show, "GET", None),
            (f"{path}/template", f"{name}_template", self.template, "GET", None),
            (path, f"{name}_send", self.send, "POST", how.audit),
        ):
            view = guard(how.permission, audit=audit_as)(_function(view))
            pages.add_url_rule(rule, endpoint, view, methods=[method])
        self.of.new.insert(0, self._offer)  # what is primary stands last
        seen = (
            "seen",
            Annotated[str, doc("`mark` of a preview: if anything would differ by now, nothing is done.")],
            "",
        )
        query: Any = msgspec.defstruct("ImportQuery", [seen], bases=(how.options,), rename="camel", module=__name__)
        declared: dict[str, Any] = {"raw_body": MEDIA, "query": query, "returns": Imported, "audit": how.audit}
        errors = (*sheets.ERRORS, CHANGED, UNDER_WAY, *how.errors)
        self.of.declare("POST", "/import", "import", how.summary, how.permission, errors=errors, **declared)(
            self._answer
        )

    def _offer(self) -> Action:
        return Action(
            _("Import"), self.of.url(None, "import"), icon="upload", disabled_reason=why_not(self.how.permission)
        )

    # what a file holds

    def run(self, raw: bytes, options: In) -> tuple[list[Line], list[str]]:
        """Do what the file says, and tell it of each row; what is refused is left out.

        :returns: the rows, and the names of the columns that were passed over
        :raises ConsoleError: CORE/TABLE_UNREADABLE, CORE/TABLE_TOO_LONG, CORE/TOO_LARGE, CORE/IMPORT_UNDER_WAY
        """
        if not turn.acquire(blocking=False):
            raise UNDER_WAY(extra={"retryAfter": WAIT})
        try:
            return self._run(raw, options)
        finally:
            turn.release()

    def _run(self, raw: bytes, options: In) -> tuple[list[Line], list[str]]:
        lines, given, passed = self.columns.read(raw)
        good = [line for line in lines if line.wanted is not None]
        for line, outcome in zip(good, self.act([line.wanted for line in good], given, options), strict=True):
            line.outcome = outcome
        audit.note(**cast(dict[str, Any], counted(lines)))
        return lines, passed

    # the API

    def _answer(self, query: Any) -> Imported:
        lines, passed = self.run(request.get_data(), query)
        mark = self._mark(lines, query)
        if query.seen and query.seen != mark:
            raise CHANGED()
        numbers = counted(lines)
        return Imported(**numbers, passed_over=passed, mark=mark, rows=[self._row(line) for line in lines])

    def _row(self, line: Line) -> ImportedRow:
        outcome = line.outcome
        problems = [
            ImportProblem(one.pointer, one.code, t(one.message), t(outcome.refusal.remedy))
            for one in self.problems(line)
            if outcome.refusal is not None
        ]
        return ImportedRow(line.number, line.values[self.columns.key], outcome.verb, problems, outcome.secret or None)

    def problems(self, line: Line) -> Sequence[FieldError]:
        """Why a row is refused, each beside a field: what is of none is of the one that no two rows share."""
        error, own = line.outcome.refusal, pointer_of(self.columns.key)
        if error is None:
            return ()
        known = {pointer_of(name) for name in self.columns.asks}
        found = [one if one.pointer in known else replace(one, pointer=own) for one in error.errors]
        return found or [FieldError(own, error.reason, error.code)]

    def _mark(self, lines: Sequence[Line], options: In) -> str:
        asked = {name: getattr(options, name) for name in self.how.options.__struct_fields__}
        return conflicts.mark_of([asked, [self._told(line) for line in lines]])

    def _told(self, line: Line) -> list[Any]:
        wrong = [(one.pointer, one.code) for one in self.problems(line)]
        return [line.number, dict(line.values), line.outcome.verb, dict(line.outcome.before), wrong]

    # the page

    def show(self) -> Response:
        """The page: what to choose."""
        return self._page()

    def template(self) -> Response:
        """A file without rows, its columns named in the person's language."""
        header = [t(ask.label) for ask in self.columns.asks.values()]
        as_csv = request.args.get("format") == "csv"
        response = make_response(sheets.template_csv(header) if as_csv else sheets.template_xlsx(header))
        response.mimetype = "text/csv" if as_csv else sheets.XLSX
        name = f"{self.of.noun}s.{'csv' if as_csv else 'xlsx'}"
        response.headers["Content-Disposition"] = f"attachment; filename={name}"
        return response

    def send(self) -> Response:
        """Without a mark the preview, which changes nothing; with the mark of the preview the import."""
        seen = request.form.get(conflicts.SEEN)
        if seen is None:
            caller.become(replace(caller.current(), dry_run=True))
        try:
            options = parse(self.how.options)
            lines, passed = self.run(self._file(), options)
        except ConsoleError as error:
            refuse(error)
            return self._page(error)
        mark = self._mark(lines, options)
        if seen == mark:
            return self._done(lines)
        changed = CHANGED() if seen is not None else None
        if changed is not None:
            refuse(changed)
        return self._page(changed, lines=lines, passed=passed, mark=mark, counts=counted(lines))

    def _file(self) -> bytes:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise invalid({"file": NO_FILE})
        audit.note(file=CONTROL.sub("\N{REPLACEMENT CHARACTER}", file.filename)[:LONGEST_NAME])
        return file.stream.read(sheets.MOST_BYTES + 1)

    def _page(self, error: ConsoleError | None = None, **shown: Any) -> Response:
        fields = dialogs.asked(self.how.options)
        if request.method == "POST":
            fields = [{**item, "checked": item["name"] in request.form} for item in fields]
        lines: list[Line] = shown.get("lines", [])
        first = sorted(lines, key=lambda line: line.outcome.verb != REFUSED)[:SHOWN]
        context = {**shown, "shown": first, "fields": fields, "tones": TONES}
        status = 422 if error is not None else 200
        return render("core/import.html", fragment="preview", status=status, it=self, error=error, **context)

    def _done(self, lines: Sequence[Line]) -> Response:
        secrets = [(line.values[self.columns.key], line.outcome.secret) for line in lines if line.outcome.secret]
        shown = [(name, Cell("mono", text=secret, copy=True)) for name, secret in secrets[:SHOWN]]
        heads = [t(self.columns.asks[self.columns.key].label), t(_("Password"))]
        listed = "\ufeff" + "".join(csv_line(row) for row in (heads, *secrets))
        link = "data:text/csv;base64," + base64.b64encode(listed.encode()).decode() if secrets else ""
        counts = counted(lines)
        response = render(
            "core/import.html", fragment="done", it=self, counts=counts, secrets=shown, link=link, tones=TONES
        )
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#import", "outerHTML"
        return response

    def words(self, count: int) -> Text:
        """What the button says that confirms."""
        return ngettext("Import {n} row", "Import {n} rows", count).format(n=count)


def _function(method: Callable[[], Response]) -> Callable[[], Response]:
    """A view, which can be marked: a method cannot."""

    @wraps(method)
    def view() -> Response:
        return method()

    return view
