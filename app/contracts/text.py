"""Words for people, written in both languages of the console."""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("zh", "en")
SEPARATORS = {"en": ", ", "zh": "、"}  # between the items of a list


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence or label in English and Chinese, as its author wrote both.

    ``{name}`` placeholders are filled by :meth:`format`; a placeholder that gets
    no value stays as it is, so a damaged message is still a message.
    """

    en: str
    zh: str

    def in_(self, language: str) -> str:
        """The words in *language* (``zh`` or ``en``; anything else reads as English)."""
        return self.zh if language == "zh" else self.en

    def format(self, **values: object) -> Text:
        """The same text with its placeholders filled; a Text is filled in its own language, a list as a list of words."""
        return Text(_fill(self.en, values, "en"), _fill(self.zh, values, "zh"))

    def both(self) -> dict[str, str]:
        """The text as rows and API keep it: ``{"en": …, "zh": …}``."""
        return {"en": self.en, "zh": self.zh}

    def __str__(self) -> str:
        return self.en


class _Kept(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def _fill(pattern: str, values: dict[str, object], language: str) -> str:
    return pattern.format_map(_Kept({name: _shown(value, language) for name, value in values.items()}))


def _shown(value: object, language: str) -> object:
    if isinstance(value, Text):
        return value.in_(language)
    if isinstance(value, (list, tuple)):
        return SEPARATORS[language].join(str(_shown(item, language)) for item in value)
    return value


def plain(words: str) -> Text:
    """A text that reads the same in both languages: a name, a number, what a server answered."""
    return Text(words, words)
