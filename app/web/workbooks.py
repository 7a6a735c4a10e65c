"""The first sheet of a workbook (ECMA-376), within bounds that hold whatever its parts say.

openpyxl reads the parts; what it would do without bounds is done here: it opens every sheet that is named, translates
formulas, and keeps every style. Of XML that is read nothing is longer than a cell may be, and nothing is declared.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, Any
from xml.etree.ElementTree import iterparse

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import ROW_TAG, WorkSheetParser

from app.errors import TOO_LARGE

MOST_UNPACKED, MOST_PARTS = 16 * 1024 * 1024, 500
MOST_ELEMENTS, MOST_OF_FORM = 600_000, 50_000  # of strings and of a sheet; of all that says what they look like
LONGEST = re.compile(rb"<[^<]{200000}")  # Excel lets a cell have 32,767 characters
AT_ONCE = 1024 * 1024  # expat begins a tag or a comment anew with each piece of it
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # ECMA-376 part 2
Cells = Sequence[tuple[int, str, Any]]  # column from 1, type, value

warnings.filterwarnings("ignore", module=r"openpyxl\.")  # each is about a file, of which each may have thousands


class TooManyElements(Exception):
    """A part has more elements than any table that is read."""


def rows(raw: bytes) -> Iterator[tuple[int, Cells]]:
    """Number and cells of each row of the first sheet; none where there is no sheet.

    :raises ConsoleError: CORE/TOO_LARGE
    :raises TooManyElements: also what Python's reader of archives and openpyxl raise for a workbook that is none
    """
    reader = ExcelReader(io.BytesIO(raw), read_only=True, keep_links=False)
    reader.archive = parts = _Parts(raw)
    reader.read_manifest()
    reader.read_workbook()
    apply_stylesheet(parts, reader.wb)
    first = next((rel.target for _, rel in reader.parser.find_sheets() if "chartsheet" not in rel.Type), None)
    if first is None:
        return
    parts.left = MOST_ELEMENTS
    reader.read_strings()
    book = reader.wb
    formats = {"date_formats": book._date_formats, "timedelta_formats": book._timedelta_formats}
    source = parts.open(first)
    parser = WorkSheetParser(source, reader.shared_strings, epoch=book.epoch, **formats)
    parser.parse_formula = _formula
    for __, element in iterparse(source):  # noqa: S314 (what declares entities was refused)
        if element.tag == ROW_TAG:
            number, cells = parser.parse_row(element)
            element.clear()
            yield number, [(cell["column"], cell["data_type"], cell["value"]) for cell in cells]


def _formula(cell: Any) -> str:
    """What a formula says, as it stands there: one that is shared stands at the first of its cells."""
    return "=" + next((child.text or "" for child in cell if child.tag.endswith("}f")), "")


class _Whole(io.BytesIO):
    """A part, given to expat in large pieces."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(max(size, AT_ONCE) if size is not None and size >= 0 else -1)


class _Parts(zipfile.ZipFile):
    """The parts of a workbook, each looked at before it is parsed."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(io.BytesIO(raw))
        self.left = MOST_OF_FORM
        parts = self.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise TOO_LARGE(limit="16 MB")

    def open(self, name: Any, *more: Any, **named: Any) -> IO[bytes]:
        """The part with this name.

        :raises TooManyElements: with those that were opened before
        """
        part = self.getinfo(name)
        if part.compress_type not in PACKED:
            raise zipfile.BadZipFile(f"{name} is packed in another way")
        with super().open(part) as packed:
            content = packed.read()
        if b"<!DOCTYPE" in content or b"\0" in content or LONGEST.search(content):
            raise zipfile.BadZipFile(f"{name} is no part of a workbook")
        self.left -= content.count(b"<") - content.count(b"</")
        if self.left < 0:
            raise TooManyElements
        return _Whole(content)
