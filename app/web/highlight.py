"""Syntax of YAML and JSON: lines of markup whose parts carry a class (of live.css), by Pygments."""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter

from markupsafe import Markup, escape
from pygments.lexers.data import JsonLexer, YamlLexer
from pygments.token import Keyword, Literal, Name, Number, _TokenType

LONGEST = 100_000  # characters; what is longer would keep its reader waiting, and stays plain
KEY, STRING, NUMBER, WORD = "k", "s", "n", "w"
CLASSES = ((Name.Tag, KEY), (Number, NUMBER), (Keyword.Constant, WORD), (Literal, STRING))
LEXERS = {"json": JsonLexer(stripnl=False, ensurenl=False), "yaml": YamlLexer(stripnl=False, ensurenl=False)}
YAML_WORD = re.compile(r"true|false|null")
YAML_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def lines(text: str, language: str) -> list[Markup]:
    """The lines of *text*, escaped; of ``json`` and ``yaml`` with their keys, strings, numbers and words marked."""
    if language not in LEXERS or len(text) > LONGEST:
        return [escape(line) for line in text.split("\n")]
    made = [Markup()]
    for kind, tokens in groupby(LEXERS[language].get_tokens(text), key=itemgetter(0)):
        value = "".join(token for _, token in tokens)
        name = _class(kind, value)
        for at, part in enumerate(value.split("\n")):
            if at:
                made.append(Markup())
            made[-1] += Markup('<span class="{}">{}</span>').format(name, part) if name and part else escape(part)
    return made


def _class(kind: _TokenType, value: str) -> str:
    if kind is Literal.Scalar.Plain:  # YAML's lexer does not tell plain scalars apart
        return WORD if YAML_WORD.fullmatch(value) else NUMBER if YAML_NUMBER.fullmatch(value) else STRING
    return next((name for token, name in CLASSES if kind in token), "")
