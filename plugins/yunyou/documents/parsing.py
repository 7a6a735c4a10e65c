"""Importing a solution: from the bytes of a file to a checked, typed document, or every problem at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection

from app.contracts.json import Json
from app.errors import FieldError
from plugins.yunyou.documents import schema
from plugins.yunyou.documents.error_codes import SOLUTION_INVALID
from plugins.yunyou.documents.json_file import LIMIT, read
from plugins.yunyou.documents.schema import MOST_ERRORS, unknown_fields
from plugins.yunyou.documents.solution import Body, Solution
from plugins.yunyou.documents.validation import solution
from plugins.yunyou.documents.validation.solution import Known

__all__ = ["LIMIT", "Known", "Solution", "fingerprint", "kept", "of", "parse", "read", "unknown_fields", "validate"]


def parse(raw: bytes, *, known: Known | None = None, limit: int = LIMIT) -> Solution:
    """Read and check a solution or baseline file.

    :param known: products and names that the environment has already
    :param limit: bytes that are taken at most
    :raises ConsoleError: ``YUNYOU/SOLUTION_TOO_LARGE``, ``YUNYOU/SOLUTION_UNREADABLE``, or
        ``YUNYOU/SOLUTION_INVALID`` with every problem in its ``errors``
    """
    return of(read(raw, limit=limit), known=known)


def of(document: Json, *, known: Known | None = None, before: Json | None = None) -> Solution:
    """Check a document that is decoded already.

    :param before: what it was made from and was checked itself: products that are the same are not checked again
    :raises ConsoleError: ``YUNYOU/SOLUTION_INVALID`` with every problem in its ``errors``
    """
    body, errors = _judged(document, known, solution.touched(before, document) if before else None)
    if body is None or errors:
        raise SOLUTION_INVALID(count=len(errors), errors=tuple(errors))
    return Solution(body, document, tuple(unknown_fields(document)))


def kept(document: Json) -> Solution:
    """A document that was checked before it was kept: its shape is read, its rules are not asked again."""
    body, errors = schema.body_of(document)
    if body is None:
        raise SOLUTION_INVALID(count=len(errors), errors=tuple(errors))
    return Solution(body, document)


def validate(document: Json, known: Known | None = None) -> list[FieldError]:
    """Every problem of a document, each with its JSON pointer, sorted by place.

    At most 2,000 problems of shape and as many of meaning are listed.
    """
    return _judged(document, known)[1]


def fingerprint(document: Json) -> str:
    """SHA-256 of the canonical form, by which the same solution is recognised whatever its white space or key order."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _judged(
    document: Json, known: Known | None, only: Collection[str] | None = None
) -> tuple[Body | None, list[FieldError]]:
    body, errors = schema.body_of(document)
    for problem in solution.check(document, known or Known(), only):
        if len(errors) >= 2 * MOST_ERRORS:
            break
        errors.append(problem)
    return body, sorted(errors, key=lambda error: _place(error.pointer))


def _place(pointer: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in pointer.split("/")]
