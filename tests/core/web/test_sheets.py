"""Files with tables are read as text, whoever wrote them, and cost no more than their bounds (C-60)."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zipfile
from contextlib import suppress

import openpyxl
import pytest

from app.errors import ConsoleError
from app.web import sheets
from app.web.listing import csv_line
from tests.workbooks import MAIN, SHEET, csv_of, with_parts, with_strings, xlsx

pytestmark = pytest.mark.req("C-60")
ROWS = [["Login", "姓名"], ["a@b.example", "王小明"], ["c@d.example", "李, 雷"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_in_the_encodings_and_delimiters_of_spreadsheets(encoding, delimiter):
    found = sheets.read(csv_of(ROWS, encoding, delimiter))

    assert list(found.header) == ROWS[0]
    assert [list(row.cells) for row in found.rows] == ROWS[1:]
    assert [row.number for row in found.rows] == [2, 3]


def test_a_workbook_is_read_as_text_with_numbers_as_they_are_written():
    found = sheets.read(xlsx([["Login", "Mobile"], ["a@b.example", 13900000000], ["c@d.example", 4.5], ["", True]]))

    assert [row.cells[1] for row in found.rows] == ["13900000000", "4.5", "true"]


def test_empty_rows_between_are_passed_over_and_numbers_stay_those_of_the_file():
    assert [row.number for row in sheets.read(xlsx([["A"], ["x"], [None], ["y"]])).rows] == [2, 4]
    assert [row.number for row in sheets.read(b"A\nx\n\n,,\ny\n").rows] == [2, 5]


def test_a_formula_is_refused_where_it_stands_and_nothing_of_it_is_computed():
    rows = sheets.read(xlsx([["A", "B"], ["=1+1", "x"], ["2", "y"]])).rows

    assert (rows[0].cells[0], rows[0].problems) == ("=1+1", {0: sheets.FORMULA})
    assert rows[1].problems == {}


@pytest.mark.parametrize("text", ["=1+1", "+86 139", "-5", "@name", "plain", "'quoted'"])
def test_what_csv_out_guards_against_formulas_comes_back_as_it_was(text):
    assert sheets.read((csv_line(["A", "B"]) + csv_line([text, "x"])).encode()).rows[0].cells[0] == text


@pytest.mark.parametrize(
    ("cell", "problem"),
    [("1.39E+10", sheets.CUT), ("a\x07b", sheets.CONTROLS), ("x" * 1001, sheets.LONG)],
)
def test_a_cell_that_cannot_be_meant_is_refused_where_it_stands(cell, problem):
    assert sheets.read(csv_of([["A", "B"], ["x", cell]])).rows[0].problems == {1: problem}


@pytest.mark.parametrize("make", [sheets.template_csv, sheets.template_xlsx])
def test_a_template_reads_as_its_columns_without_rows(make):
    found = sheets.read(make(["登录名", "Name"]))

    assert (list(found.header), found.rows) == (["登录名", "Name"], [])


def test_the_columns_of_the_template_are_text_so_that_zeros_in_front_stay():
    book = openpyxl.load_workbook(io.BytesIO(sheets.template_xlsx(["Mobile"])))

    assert book.active.column_dimensions["A"].number_format == "@"


BOOK = xlsx([["A"], ["x"]])
NOTHING = [
    b"",
    b"\n \n",
    b"\x00\x01\x02\xff\xfe binary",
    bytes(range(256)) * 20,
    b"\xd0\xcf\x11\xe0" + b"\0" * 600,  # an old workbook, or an encrypted one
    b"PK\x03\x04 nothing follows",
    BOOK[: len(BOOK) // 2],
    with_parts(BOOK, {SHEET: b"<worksheet"}),
    with_parts(BOOK, {"xl/workbook.xml": b"not XML"}),
    b'A\n"open quote\n',
    ",".join(f"c{n}" for n in range(65)).encode(),
]


@pytest.mark.parametrize("raw", NOTHING, ids=range(len(NOTHING)))
def test_what_is_no_table_is_refused_in_words(raw):
    with pytest.raises(ConsoleError) as caught:
        sheets.read(raw)

    assert caught.value.code == "CORE/TABLE_UNREADABLE"


def test_a_workbook_of_which_any_byte_is_spoiled_never_fails_unforeseen():
    refused = set()
    for place in range(0, len(BOOK), 7):
        spoiled = BOOK[:place] + bytes([BOOK[place] ^ 0x55]) + BOOK[place + 1 :]
        with suppress(ConsoleError):
            sheets.read(spoiled)
            continue
        refused.add(place)

    assert refused


def _strings(content: bytes) -> bytes:
    return with_strings(BOOK, f"<sst {MAIN}>".encode() + content + b"</sst>")


def _entities() -> bytes:
    chain = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    declared = f'<!DOCTYPE x [<!ENTITY e0 "{"a" * 100}">{chain}]>'
    return with_strings(BOOK, f"{declared}<sst {MAIN}><si><t>&e8;</t></si></sst>".encode())


def _sheet(content: bytes) -> bytes:
    return _sheet_of(b"", content)


def _sheet_of(before: bytes, content: bytes) -> bytes:
    return with_parts(
        BOOK, {SHEET: before + f"<worksheet {MAIN}><sheetData>".encode() + content + b"</sheetData></worksheet>"}
    )


def _packed(method: int) -> bytes:
    """The workbook packed as no spreadsheet does, and spoiled."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as book, zipfile.ZipFile(made, "w", method) as packed:
        for name in book.namelist():
            packed.writestr(name, book.read(name))
    raw = bytearray(made.getvalue())
    for place in range(raw.find(b"xl/workbook.xml") + 28, raw.find(b"xl/workbook.xml") + 60):
        raw[place] ^= 0xFF
    return bytes(raw)


def _named(sheets: int) -> bytes:
    """A workbook that names its one sheet many times, and says much before its rows."""
    with zipfile.ZipFile(io.BytesIO(BOOK)) as packed:
        book = packed.read("xl/workbook.xml")
    one = book[book.index(b"<sheet ") : book.index(b"</sheets>")]
    padded = f"<worksheet {MAIN}>".encode() + b"<x/>" * 80_000 + b"<sheetData/></worksheet>"
    return with_parts(BOOK, {"xl/workbook.xml": book.replace(one, one * sheets), SHEET: padded})


def _styles() -> bytes:
    styles = b"<font><b/></font>" * 200_000
    return with_parts(
        BOOK, {"xl/styles.xml": f"<styleSheet {MAIN}><fonts>".encode() + styles + b"</fonts></styleSheet>"}
    )


def _wide(cells: int) -> bytes:
    """A long text of spaces, in every cell of a sheet."""
    book = with_strings(BOOK, f"<sst {MAIN}><si><t>{' ' * 9_000_000}x</t></si></sst>".encode())
    row = b"<row>" + b'<c t="s"><v>0</v></c>' * 60 + b"</row>"
    return with_parts(
        book, {SHEET: f"<worksheet {MAIN}><sheetData>".encode() + row * (cells // 60) + b"</sheetData></worksheet>"}
    )


BOMBS = {
    "sheets": lambda: _named(20_000),
    "styles": _styles,
    "unclosed": lambda: _sheet(b"<a>" * 4_000_000),
    "attributes": lambda: _sheet(b"<row " + b" ".join(b'a%x=""' % n for n in range(1_200_000)) + b"/>"),
    "spaces": lambda: _wide(180_000),
    "packed otherwise": lambda: _packed(zipfile.ZIP_LZMA),
    "declarations": lambda: _sheet_of(
        b'<!DOCTYPE x [<!ENTITY e "' + b"<c/>" * 25_000 + b'">]>', b"<row>" + b"&e;" * 75 + b"</row>"
    ),
    "zeros": lambda: with_parts(BOOK, {"xl/media/a": b"\0" * (40 * 1024 * 1024)}),
    "strings": lambda: _strings(b"<si><t>a</t></si>" * 800_000),
    "cells": lambda: _sheet(b'<row r="1">' + b"<c><v>1</v></c>" * 1_000_000 + b"</row>"),
    "parts": lambda: with_parts(BOOK, {f"xl/{n}": b"" for n in range(2_000)}),
    "entities": _entities,
    "far below": lambda: xlsx([["A"], ["x"]], far="A1048576"),
    "rows": lambda: csv_of([["A"], *[["x"]] * 5_001]),
    "bytes": lambda: b"A\n" + b"x" * (5 * 1024 * 1024),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_before_it_costs_much(bomb):
    raw = BOMBS[bomb]()
    tracemalloc.start()
    began = time.process_time()

    with pytest.raises(ConsoleError) as caught:
        sheets.read(raw)

    spent, most = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.status in (413, 422)
    assert spent < 5
    assert most < 100 * 1024 * 1024


def test_a_cell_far_to_the_right_makes_no_room_for_what_is_between():
    tracemalloc.start()

    assert [row.cells[0] for row in sheets.read(xlsx([["A"], ["x"]], far="XFD1")).rows] == ["x"]

    assert tracemalloc.get_traced_memory()[1] < 20 * 1024 * 1024
    tracemalloc.stop()


def test_formulas_that_share_a_long_one_are_refused_without_working_each_out():
    long = b"+".join(b"A%d" % n for n in range(1, 15_000))
    shared = b"".join(b'<row><c><f t="shared" si="0"/></c></row>' for _ in range(4_000))
    began = time.process_time()

    rows = sheets.read(_sheet(b'<row><c><f t="shared" si="0">' + long + b"</f></c></row>" + shared)).rows

    assert {problem for row in rows for problem in row.problems.values()} == {sheets.FORMULA}
    assert time.process_time() - began < 5


def test_millions_of_empty_cells_after_the_last_make_no_room():
    tracemalloc.start()

    assert [row.cells for row in sheets.read(b"A\nx" + b"," * 4_000_000).rows] == [["x"]]

    assert tracemalloc.get_traced_memory()[1] < 60 * 1024 * 1024
    tracemalloc.stop()


def test_text_behind_the_apostrophe_that_guards_it_is_read_as_any_other():
    assert [row.cells for row in sheets.read(b"A\n'\tx@y.example\n").rows] == [["x@y.example"]]


def test_a_directory_that_lies_about_sizes_unpacks_no_more_than_it_says():
    raw = bytearray(with_parts(BOOK, {SHEET: b" " * (30 * 1024 * 1024)}))
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        size = packed.getinfo(SHEET).file_size
    for place in _places(raw, struct.pack("<I", size)):
        raw[place : place + 4] = struct.pack("<I", 100)

    with pytest.raises(ConsoleError) as caught:
        sheets.read(bytes(raw))

    assert caught.value.code == "CORE/TABLE_UNREADABLE"


def _places(raw: bytes, what: bytes) -> list[int]:
    found, place = [], raw.find(what)
    while place >= 0:
        found.append(place)
        place = raw.find(what, place + 1)
    return found


def test_five_thousand_rows_are_read_in_good_time():
    rows = [["Login", "Name", "Mobile"], *[[f"p{n}@a.example", f"P {n}", "139"] for n in range(5_000)]]
    began = time.process_time()

    assert len(sheets.read(xlsx(rows)).rows) == 5_000

    assert time.process_time() - began < 10
