"""The bytes of a file: what is read, and what is refused with its place in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ConsoleError
from plugins.yunyou.documents.json_file import MAX_DEPTH, read
from tests.plugins.yunyou.samples import document

pytestmark = pytest.mark.req("Y-1", "Q-30", "Q-31")


def refusal(raw: bytes, **options: int) -> ConsoleError:
    with pytest.raises(ConsoleError) as caught:
        read(raw, **options)
    return caught.value


def test_a_file_is_read_with_or_without_a_byte_order_mark():
    raw = json.dumps(document()).encode()

    assert read(raw) == read(b"\xef\xbb\xbf" + raw) == document()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{\n "a": 1\n "b": 2}', "line 3, column 2: a comma is missing"),
        (b'{"a": }', "line 1, column 7: a value is missing"),
        (b'{"a": "x', "no closing quote"),
        (b'{"a": 1} more', "line 1, column 10: something follows"),
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"[1]", "one JSON object"),
        (b'"text"', "one JSON object"),
        (b'{"a": "\xff"}', "not text in UTF-8 (byte 8, line 1)"),
        ('{"a": 1}'.encode("utf-16"), "not text in UTF-8"),
        (b'{"a": NaN}', "NaN is not a number of JSON"),
        (b'{"a": -Infinity}', "-Infinity is not a number of JSON"),
        (b'{"a": 1e999}', "too long or too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too long or too large"),
        (b'{"a": "\\ud800"}', "at /a, the text holds control characters"),
        (b'{"a": "\\u0000"}', "at /a, the text holds control characters"),
        (b'{"a\\u0001": 1}', "field name"),
        (b'{"a": "' + b"x" * 100_001 + b'"}', "longer than 100,000 characters"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(raw: bytes, words: str):
    error = refusal(raw)

    assert error.code == "YUNYOU/SOLUTION_UNREADABLE"
    assert words in error.reason.in_("en")
    assert error.reason.in_("zh") != error.reason.in_("en")
    assert error.errors


def test_a_field_that_stands_twice_is_named_with_its_pointer():
    error = refusal(b'{"products": [{"code": "A", "name": "x", "code": "B"}, {"a/b": 1, "a/b": 2}]}')

    assert [problem.pointer for problem in error.errors] == ["/products/0/code", "/products/1/a~1b"]


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 2, 5_000, 200_000])
def test_deep_nesting_is_refused_without_exhausting_the_stack(opening: bytes, depth: int):
    closing = b"]" if opening == b"[" else b"}"

    error = refusal(b'{"x":' + opening * depth + b"1" + closing * depth + b"}")

    assert "nested deeper" in error.reason.in_("en")


def test_a_file_above_the_limit_is_refused_before_it_is_read():
    error = refusal(b" " * 3_000_000 + b"{", limit=2 * 1024 * 1024)

    assert error.code == "YUNYOU/SOLUTION_TOO_LARGE"
    assert error.status == 413
    assert "3 MB" in error.reason.in_("en")
    assert "2 MB" in error.reason.in_("en")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\u0d8ntrue1e9.- ', max_size=80).map(str.encode))
def test_any_bytes_give_a_document_or_a_clear_refusal(raw: bytes):
    try:
        result: object = read(raw)
    except ConsoleError as error:
        result = error

    assert isinstance(result, dict) or (result.errors and result.reason.in_("en").encode())
