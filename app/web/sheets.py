"""Tables that people keep in files: CSV and XLSX, read as text within bounds, and the empty ones that they fill in.

Nothing of a workbook is computed: a cell with a formula is refused where it stands.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from app.errors import TOO_LARGE, ErrorCode
from app.web.forms import CONTROL, CONTROLS
from app.web.listing import csv_line
from app.words import Text, _

MOST_BYTES, MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 5 * 1024 * 1024, 5_000, 64, 1_000
LAST_ROW = 20_000  # with empty ones between
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
DELIMITERS = ",;\t"
SHORTENED = re.compile(r"\d[.,]\d+E\+\d+")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UNREADABLE = ErrorCode(
    "CORE/TABLE_UNREADABLE",
    422,
    _("The file cannot be read: {detail}"),
    _("Send a workbook (XLSX) or CSV in UTF-8 or GB18030 with the columns of the template."),
)
TOO_LONG = ErrorCode(
    "CORE/TABLE_TOO_LONG",
    422,
    _("The file has more than {rows} rows, or cells far below the last."),
    _("Split it, and delete what is below the last row."),
)
ERRORS = (UNREADABLE, TOO_LONG)
NO_TABLE, EMPTY = _("it is neither a workbook nor text."), _("it is empty.")
OLD_WORKBOOK = _("it is an old or encrypted workbook. Save it as XLSX without a password, or as CSV.")
TOO_WIDE = _("it has more than {n} columns.").format(n=MOST_COLUMNS)
FORMULA = _("This is a formula. Write its value.")
CUT = _("A spreadsheet has shortened this number. Format the column as text and write it again.")
LONG = _("Write at most {n} characters.").format(n=LONGEST_CELL)
# What Python's reader of archives and openpyxl raise for a workbook that is none; XML's ParseError is a SyntaxError.
BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
Cells = Sequence[tuple[str, Text | None]]  # text, and what is wrong with it


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not empty: its number in the file, its cells, and what is wrong with some, by place."""

    number: int
    cells: Sequence[str]
    problems: dict[int, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: what its first row calls the columns, and the other rows."""

    header: Sequence[str]
    rows: Sequence[Row]


def read(raw: bytes) -> Sheet:
    """The table in a file: of a workbook, its first sheet.

    :raises ConsoleError: CORE/TOO_LARGE, CORE/TABLE_UNREADABLE, CORE/TABLE_TOO_LONG
    """
    if len(raw) > MOST_BYTES:
        raise TOO_LARGE(limit="5 MB")
    if raw.startswith(OLE):
        raise UNREADABLE(detail=OLD_WORKBOOK)
    found: list[Row] = []
    for number, cells in _of_workbook(raw) if raw.startswith(ZIP) else _of_text(raw):
        if number > LAST_ROW or len(found) > MOST_ROWS:
            raise TOO_LONG(rows=MOST_ROWS)
        if row := _row(number, cells):
            found.append(row)
    if not found:
        raise UNREADABLE(detail=EMPTY)
    return Sheet(found[0].cells, found[1:])


def _row(number: int, cells: Cells) -> Row | None:
    cells = cells[: max((at for at, (text, __) in enumerate(cells, 1) if text.strip()), default=0)]
    if not cells:
        return None
    if len(cells) > MOST_COLUMNS:
        raise UNREADABLE(detail=TOO_WIDE)
    texts = [_plain(text.strip()).strip() for text, __ in cells]
    checked = ((place, wrong or _wrong(text)) for place, (text, wrong) in enumerate(cells))
    problems = {place: wrong for place, wrong in checked if wrong is not None}
    shown = [CONTROL.sub("\N{REPLACEMENT CHARACTER}", text[:LONGEST_CELL]) for text in texts]
    return Row(number, shown, problems)


def _wrong(text: str) -> Text | None:
    if len(text) > LONGEST_CELL:
        return LONG
    if CONTROL.search(text):
        return CONTROLS
    return CUT if SHORTENED.fullmatch(text) else None


def _plain(text: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from taking it for a formula (see ``csv_line``)."""
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@", "\t", "\r") else text


def _of_text(raw: bytes) -> Iterator[tuple[int, Cells]]:
    text = _decoded(raw)
    first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            while row and not row[-1].strip():  # thousands of them, where somebody formatted whole rows
                row.pop()
            yield reader.line_num, [(cell, None) for cell in row[: MOST_COLUMNS + 1]]
    except csv.Error as error:
        raise UNREADABLE(detail=_("line {n}: {error}").format(n=reader.line_num, error=str(error))) from error


def _decoded(raw: bytes) -> str:
    """The text of a file as spreadsheets write it: UTF-8, UTF-16 with its mark, or GB18030."""
    marked = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UNREADABLE(detail=NO_TABLE)


def _of_workbook(raw: bytes) -> Iterator[tuple[int, Cells]]:
    from app.web import workbooks  # openpyxl takes a while to load

    try:
        for number, cells in workbooks.rows(raw):
            yield number, _placed(cells)
    except workbooks.TooManyElements as error:
        raise TOO_LONG(rows=MOST_ROWS) from error
    except BROKEN as error:
        raise UNREADABLE(detail=NO_TABLE) from error


def _placed(cells: Sequence[tuple[int, str, Any]]) -> Cells:
    """Cells by their place; nothing is kept of one that is too far to the right."""
    found = {column: _cell(kind, value) for column, kind, value in cells if column <= MOST_COLUMNS + 1}
    return [found.get(column, ("", None)) for column in range(1, max(found, default=0) + 1)]


def _cell(kind: str, value: Any) -> tuple[str, Text | None]:
    if kind == "f":
        return str(value)[: LONGEST_CELL + 1], FORMULA
    if isinstance(value, float) and value.is_integer():
        return str(int(value)), None
    if isinstance(value, bool):
        return str(value).lower(), None
    if isinstance(value, datetime):  # a workbook knows no date without a time
        return (value.date() if value.time() == time() else value).isoformat(), None
    return ("" if value is None else str(value)[: LONGEST_CELL + 1]), None


def template_csv(header: Sequence[str]) -> bytes:
    """A table without rows, as CSV that spreadsheets open as UTF-8."""
    return codecs.BOM_UTF8 + csv_line(header).encode()


def template_xlsx(header: Sequence[str]) -> bytes:
    """A workbook without rows, whose columns are text: leading zeros and long numbers stay as they are written."""
    import openpyxl
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook()
    sheet = book.active
    for place, title in enumerate(header, 1):
        sheet.cell(1, place, title).font = Font(bold=True)
        column = sheet.column_dimensions[get_column_letter(place)]
        column.width, column.number_format = 24, "@"
    sheet.freeze_panes = "A2"
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()
