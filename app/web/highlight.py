"""Syntax of YAML and JSON as the console writes them: lines of markup whose parts carry a class."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from markupsafe import Markup, escape

KEY, STRING, NUMBER, WORD = "k", "s", "n", "w"  # classes in live.css, and groups of JSON
JSON = re.compile(r'(?P<k>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<s>"(?:[^"\\]|\\.)*")|(?P<w>\b(?:true|false|null)\b)|(?P<n>-?\b\d[\d.eE+-]*)')
YAML_ENTRY = re.compile(r"""(?P<lead>\s*(?:-\s+)*)(?:(?P<key>"[^"]*"|'[^']*'|[^\s:#'"][^:#]*?(?:[:#][^\s:#]+)*)(?P<colon>:(?=\s|$)\s*))?(?P<value>.*)""")
YAML_BLOCK = re.compile(r"[|>][-+\d]*$")
YAML_WORD = re.compile(r"(?:true|false|null|~)$")
YAML_NUMBER = re.compile(r"-?\d+(?:\.\d+)?$")


def lines(text: str, language: str) -> list[Markup]:
    """The lines of *text*, escaped; of ``json`` and ``yaml`` with their keys, strings, numbers and words marked."""
    writer = LANGUAGES.get(language)
    return list(writer(text)) if writer else [escape(line) for line in text.split("\n")]


def _part(kind: str, text: str) -> Markup:
    return Markup('<span class="{}">{}</span>').format(kind, text)


def _json(text: str) -> Iterator[Markup]:
    for line in text.split("\n"):
        made, at = Markup(), 0
        for found in JSON.finditer(line):
            made += escape(line[at : found.start()]) + _part(found.lastgroup or "", found[0])
            at = found.end()
        yield made + escape(line[at:])


def _yaml(text: str) -> Iterator[Markup]:
    block_above = None  # how far the key of a block scalar is indented, while inside it
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        if block_above is not None and (indent > block_above or not line.strip()):
            yield _part(STRING, line) if line else Markup()
            continue
        found = YAML_ENTRY.match(line)
        assert found is not None, "every part of the pattern may be empty"
        lead, key, colon, value = found["lead"], found["key"], found["colon"] or "", found["value"]
        block_above = len(lead) if YAML_BLOCK.match(value) and key else None
        yield escape(lead) + (_part(KEY, key) if key else "") + escape(colon) + _yaml_value(value)


def _yaml_value(value: str) -> Markup:
    if value in ("", "{}", "[]") or YAML_BLOCK.match(value):
        return escape(value)
    return _part(WORD if YAML_WORD.match(value) else NUMBER if YAML_NUMBER.match(value) else STRING, value)


LANGUAGES: dict[str, Callable[[str], Iterator[Markup]]] = {"json": _json, "yaml": _yaml}
