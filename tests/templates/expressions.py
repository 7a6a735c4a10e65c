"""Expressions, statements and tags over several lines: broken where white space means nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tests.templates.scanning import BLOCKS, QUOTES, code_points, keyword, pieces

WIDTH = 120
OPERATORS = ("else", "if", "or", "and", "~", "+")
LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')
PACKED = 4  # columns that stay free where attributes share a line


def expression(source: str, indent: int, used: int | None = None) -> list[str]:
    """The lines of ``{{ … }}``, the first of which begins after *used* columns."""
    opened, closed = ("{{-" if source.startswith("{{-") else "{{"), ("-}}" if source.endswith("-}}") else "}}")
    inner = _joined(source)[len(opened) : -len(closed)].strip()
    return _code(f"{opened} ", inner, f" {closed}", indent, used)


def statement(source: str, indent: int, used: int | None = None) -> list[str]:
    """The lines of ``{% … %}``."""
    opened, closed = ("{%-" if source.startswith("{%-") else "{%"), ("-%}" if source.endswith("-%}") else "%}")
    word, __, rest = _joined(source)[len(opened) : -len(closed)].strip().partition(" ")
    return _code(f"{opened} {word} ", rest, f" {closed}", indent, used) if rest else [f"{opened} {word} {closed}"]


def opening(tag: str, indent: int) -> list[str]:
    """The lines of a tag, broken between its attributes."""
    head, attributes, end = _attributes(tag)
    return [head, *_packed([f"  {line}" for one in attributes for line in _attribute(one, indent + 2)], indent), end]


def _joined(source: str) -> str:
    """Several lines as one; neighbouring strings become one, as they are for Jinja."""
    source = re.sub(r'"\s*\n\s*"', "", source)
    source = re.sub(r"\s*\n\s*([)\]}])(?!})", r"\1", source)
    source = re.sub(r"([(\[{])\s*\n\s*", r"\1", source)
    return re.sub(r"\s*\n\s*", " ", source)


def _code(before: str, code: str, after: str, indent: int, used: int | None = None) -> list[str]:
    room = WIDTH - (indent if used is None else used)
    if len(before + code + after) <= room:
        return [before + code + after]
    if LITERAL.fullmatch(code) and (cut := code.rfind(" ", 0, WIDTH - indent - 4)) > 0:
        return [f'{before}{code[: cut + 1]}"', *_code("", f'"{code[cut + 1 :]}', after, indent)]
    brackets = _widest_brackets(code)
    if brackets is not None:
        head, inner, tail = code[: brackets[0] + 1], code[brackets[0] + 1 : brackets[1]], code[brackets[1] :]
        if len(before + head) <= room and len(tail + after) <= WIDTH // 2:
            return [before + head, *(f"  {line}" for line in _arguments(inner, indent + 2)), tail + after]
    for operator in OPERATORS:
        operands = _split(code, f" {operator} ")
        if len(operands) > 1:
            return list(_operands(operands, operator, before, after, indent))
    return [before + code + after]


def _arguments(inner: str, indent: int) -> Iterator[str]:
    arguments = [one.strip() for one in _split(inner, ",") if one.strip()]
    together = ", ".join(arguments)
    if len(arguments) == 1 or len(together) <= WIDTH - indent:
        yield from _code("", together, "", indent)
        return
    for at, one in enumerate(arguments):
        yield from _code("", one, "," if at < len(arguments) - 1 else "", indent)


def _operands(operands: Sequence[str], operator: str, before: str, after: str, indent: int) -> Iterator[str]:
    for at, operand in enumerate(operands):
        code = operand.strip() if at == 0 else f"{operator} {operand.strip()}"
        is_last = at == len(operands) - 1
        lines = _code(before if at == 0 else "", code, after if is_last else "", indent + 2)
        yield from (f"  {line}" if at else line for line in lines)


def _split(code: str, separator: str) -> list[str]:
    """The parts of an expression between separators that stand in no bracket and in no string."""
    found, begun = [], 0
    for at, depth in code_points(code):
        if depth == 0 and at >= begun and code.startswith(separator, at):
            found.append(code[begun:at])
            begun = at + len(separator)
    return [*found, code[begun:]]


def _widest_brackets(code: str) -> tuple[int, int] | None:
    pairs, opened = [], 0
    for at, depth in code_points(code):
        if depth == 0 and code[at] in "([{":
            opened = at
        elif depth == 1 and code[at] in ")]}":
            pairs.append((opened, at))
    widest = max(pairs, key=lambda pair: pair[1] - pair[0], default=None)
    return widest if widest and widest[1] - widest[0] > 12 else None


def _attributes(tag: str) -> tuple[str, list[str], str]:
    """A tag's beginning, its attributes, alone or with their condition, and its end."""
    found = re.match(r"<[^\s>{]*(?:\{\{.*?\}\}[^\s>{]*)*", tag)
    assert found, tag
    head, end = found[0], "/>" if tag.endswith("/>") else ">"
    rest = tag[len(head) : -len(end)]
    attributes, current, quote, depth, at = [], "", "", 0, 0

    def keep() -> None:
        nonlocal current
        if current.strip():
            attributes.append(current.strip())
        current = ""

    for kind, source in pieces(rest, tags=False):
        at += len(source)
        word = keyword(source) if kind == "statement" and not quote else ""
        if word:
            is_apart = depth == 0 and word in BLOCKS and rest[at : at + 1].isspace()
            if is_apart:
                keep()
            depth += (word in BLOCKS) - word.startswith("end")
            current += source
            if depth == 0:
                keep()
        elif kind == "expression" and not quote and depth == 0 and (not current.strip() or current[-1] in QUOTES):
            keep()
            attributes.append(source)
        elif kind == "text":
            for sign in source:
                quote = ("" if sign == quote else quote) if quote else sign if sign in QUOTES else ""
                current += sign
                if sign.isspace() and not quote and depth == 0:
                    keep()
        else:
            current += source
    keep()
    return head, attributes, end


def _attribute(source: str, indent: int) -> list[str]:
    if len(source) + indent <= WIDTH:
        return [source]
    if source.startswith("{{"):
        return expression(source, indent)
    return _conditional(source, indent) if source.startswith("{%") else _value(source, indent)


def _conditional(source: str, indent: int) -> list[str]:
    """Attributes under a condition."""
    lines: list[str] = []
    depth, inner = 0, ""
    for kind, one in pieces(source, tags=False):
        word = keyword(one) if kind == "statement" else ""
        closes = word.startswith("end")
        depth += word in BLOCKS
        if depth == 1 and (word in BLOCKS or word in ("else", "elif") or closes):
            attributes = _attributes(f"<x {inner.strip()}>")[1]
            lines += _packed([f"  {line}" for each in attributes for line in _attribute(each, indent + 2)], indent)
            lines += statement(one, indent)
            inner = ""
        else:
            inner += one
        depth -= closes
    return lines


def _value(source: str, indent: int) -> list[str]:
    """An attribute with a long value: broken inside of the expressions in it alone."""
    lines = [""]
    for kind, one in pieces(source, tags=False):
        used = indent + len(lines[-1])
        made = [one]
        if used + len(one) > WIDTH and kind in ("expression", "statement"):
            made = (expression if kind == "expression" else statement)(one, indent, used)
        lines[-1] += made[0]
        lines += made[1:]
    return lines


def _packed(lines: Sequence[str], indent: int) -> list[str]:
    """Attributes of one line each share lines, as many as fit."""
    packed: list[str] = []
    for line in lines:
        word = line.strip()
        is_one = line[2:3] != " " and not word.startswith(("{", "}", ")"))
        fits = packed and indent + len(packed[-1]) + 1 + len(word) <= WIDTH - PACKED
        if is_one and fits and packed[-1][2:3] != " " and not packed[-1].strip().startswith("{"):
            packed[-1] += f" {word}"
        else:
            packed.append(line)
    return packed
