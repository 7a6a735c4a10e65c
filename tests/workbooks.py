"""Workbooks and CSV as spreadsheets write them, and as nobody should."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
STRINGS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"


def xlsx(rows: Sequence[Sequence[Any]], far: str = "") -> bytes:
    """A workbook with these rows, and a cell *far* away."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    if far:
        book.active[far] = "x"
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def csv_of(rows: Sequence[Sequence[str]], encoding: str = "utf-8-sig", delimiter: str = ",") -> bytes:
    """CSV with these rows."""
    made = io.StringIO()
    csv.writer(made, delimiter=delimiter).writerows(rows)
    return made.getvalue().encode(encoding)


def with_parts(book: bytes, parts: Mapping[str, bytes]) -> bytes:
    """The workbook with other parts, deflated."""
    made, source = io.BytesIO(), zipfile.ZipFile(io.BytesIO(book))
    held = {name: source.read(name) for name in source.namelist()} | dict(parts)
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in held.items():
            packed.writestr(name, content)
    return made.getvalue()


def with_strings(book: bytes, strings: bytes) -> bytes:
    """The workbook with this as its table of shared strings."""
    source = zipfile.ZipFile(io.BytesIO(book))
    types = source.read("[Content_Types].xml").decode()
    entry = f'<Override PartName="/{STRINGS}" ContentType="{STRINGS_TYPE}"/></Types>'
    return with_parts(book, {STRINGS: strings, "[Content_Types].xml": types.replace("</Types>", entry).encode()})
