"""The pieces of a template: text, HTML tags, and what Jinja puts between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

OPENS, CLOSES, QUOTES = "([{", ")]}", "\"'"
BLOCKS = {"if", "for", "block", "macro", "call", "filter", "with", "autoescape", "raw"}
VOID = {"input", "img", "br", "hr", "meta", "link", "use", "wbr", "source", "col", "base", "path"}
VERBATIM = {"pre", "textarea", "script", "style"}
JINJA = {"{{": "expression", "{%": "statement", "{#": "comment"}
TAG_NAME = re.compile(r"</?([A-Za-z][\w-]*)")


class Piece(NamedTuple):
    """A part of the source; ``kind`` is text, expression, statement, comment, open, close or verbatim."""

    kind: str
    source: str


@dataclass
class Node:
    """A piece, or what several make up: an ``element`` with its children, or a ``block`` of Jinja with its parts."""

    kind: str
    source: str = ""
    end: str = ""
    children: list[Node] = field(default_factory=list)
    parts: list[tuple[str, list[Node]]] = field(default_factory=list)

    @property
    def flat(self) -> str:
        """Its source as it stands."""
        inner = "".join(child.flat for child in self.children)
        inner += "".join(said + "".join(child.flat for child in children) for said, children in self.parts)
        return self.source + inner + self.end


def tag_name(tag: str) -> str:
    """The element that a tag is of; empty where an expression names it."""
    found = TAG_NAME.match(tag)
    return found[1].lower() if found else ""


def keyword(statement: str) -> str:
    """The first word of a statement of Jinja."""
    found = re.match(r"\{%[-+]?\s*(\w+)", statement)
    assert found, statement
    return found[1]


def opens_block(statement: str) -> bool:
    """Whether a statement has an end of its own; a ``set`` without a value has."""
    word = keyword(statement)
    plain = re.sub(r"\"[^\"]*\"|'[^']*'", "", statement)
    return word in BLOCKS or word == "set" and not re.search(r"(?<![=!<>])=(?!=)", plain)


def end_of_jinja(text: str, start: int) -> int:
    """Where what begins with ``{{``, ``{%`` or ``{#`` ends."""
    if text.startswith("{#", start):
        return text.index("#}", start) + 2
    close = "}}" if text.startswith("{{", start) else "%}"
    for at, depth in code_points(text, start + 2):
        if depth <= 0 and text.startswith(close, at):
            return at + 2
    raise ValueError(f"not closed: {text[start : start + 60]}")


def code_points(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """The places of an expression that are outside of its strings, with the depth of brackets before each."""
    depth, quote, at = 0, "", start
    while at < len(text):
        sign = text[at]
        if quote:
            at += sign == "\\"
            quote = "" if sign == quote else quote
        elif sign in QUOTES:
            quote = sign
        else:
            yield at, depth
            depth += (sign in OPENS) - (sign in CLOSES)
        at += 1


def end_of_tag(text: str, start: int) -> int:
    """Where an HTML tag ends, whatever Jinja stands in it."""
    at, quote = start + 1, ""
    while at < len(text):
        if text[at : at + 2] in JINJA:
            at = end_of_jinja(text, at)
            continue
        sign = text[at]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in QUOTES:
            quote = sign
        elif sign == ">":
            return at + 1
        at += 1
    raise ValueError(f"not closed: {text[start : start + 60]}")


def pieces(text: str, tags: bool = True) -> Iterator[Piece]:
    """The pieces of a template; without *tags*, of the inside of one."""
    at = begun = 0
    while at < len(text):
        is_jinja = text[at : at + 2] in JINJA
        if not is_jinja and not (tags and re.match(r"<[A-Za-z/!{]", text[at : at + 2])):
            at += 1
            continue
        if begun < at:
            yield Piece("text", text[begun:at])
        made = Piece(JINJA[text[at : at + 2]], text[at : end_of_jinja(text, at)]) if is_jinja else _tag(text, at)
        yield made
        at = begun = at + len(made.source)
    if begun < len(text):
        yield Piece("text", text[begun:])


def _tag(text: str, start: int) -> Piece:
    end = end_of_tag(text, start)
    tag = text[start:end]
    if tag.startswith("</"):
        return Piece("close", tag)
    if tag_name(tag) in VERBATIM and (close := text.find(f"</{tag_name(tag)}", end)) >= 0:
        return Piece("verbatim", text[start : text.index(">", close) + 1])
    return Piece("open", tag)


def parsed(text: str) -> list[Node]:
    """The template as a tree. A tag without its other half in the same block stays a piece."""
    root: list[Node] = []
    into, blocks = [root], []
    for kind, source in pieces(text):
        word = keyword(source) if kind == "statement" else ""
        if word and opens_block(source):
            block = Node("block", parts=[(source, [])])
            into[-1].append(block)
            blocks.append(block)
            into.append(block.parts[-1][1])
        elif word in ("else", "elif"):
            blocks[-1].parts.append((source, []))
            into[-1] = blocks[-1].parts[-1][1]
        elif word.startswith("end"):
            blocks.pop().end = source
            into.pop()
        else:
            into[-1].append(Node(kind, source))
    return _elements(root)


def _elements(nodes: Sequence[Node]) -> list[Node]:
    for node in nodes:
        node.parts = [(said, _elements(children)) for said, children in node.parts]
    ends: dict[int, int] = {}
    waiting: list[int] = []
    for at, node in enumerate(nodes):
        name = tag_name(node.source)
        if node.kind == "open" and name and name not in VOID and not node.source.endswith("/>"):
            waiting.append(at)
        elif node.kind == "close":
            begun = next((k for k in reversed(range(len(waiting))) if tag_name(nodes[waiting[k]].source) == name), None)
            if begun is not None:
                ends[waiting[begun]] = at
                del waiting[begun:]
    return list(_nested(nodes, ends, 0, len(nodes)))


def _nested(nodes: Sequence[Node], ends: dict[int, int], at: int, end: int) -> Iterator[Node]:
    while at < end:
        close = ends.get(at, end)
        if close < end:
            yield Node("element", nodes[at].source, nodes[close].source, list(_nested(nodes, ends, at + 1, close)))
            at = close
        else:
            yield nodes[at]
        at += 1
