"""Words for people: English where they are used, other languages in catalogues (gettext), chosen when they are shown.

``_("Create the group")`` is a text; ``pgettext("rollout", "Groups")`` one whose English word means something else there
than elsewhere; ``ngettext("{n} group", "{n} groups", n)`` one that depends on a number. ``{name}`` placeholders are
filled by :meth:`Text.format`. ``make words`` brings the catalogues up to what the code says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from app.words.catalogues import SOURCE, languages, translations

__all__ = ["SOURCE", "Text", "_", "kept", "languages", "ngettext", "npgettext", "pgettext", "plain"]


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence or label that is put into a language when it is shown.

    :param message: in English, as catalogues know it
    :param context: what tells it from the same English words elsewhere
    :param plural: for any other number than one; ``number`` chooses
    :param values: what fills the placeholders; one that gets no value stays as it is, so that a damaged message still
        is one
    :param given: the words in other languages, where no catalogue is asked: what was kept, or reads the same everywhere
    """

    message: str
    context: str = ""
    plural: str = ""
    number: int = 1
    values: tuple[tuple[str, object], ...] = ()
    given: tuple[tuple[str, str], ...] | None = None

    def in_(self, language: str) -> str:
        """The words in *language*; in English where no catalogue has them."""
        pattern = self._pattern(language)
        if not self.values:
            return pattern
        return pattern.format_map(_Filled({name: _shown(value, language) for name, value in self.values}))

    def _pattern(self, language: str) -> str:
        if self.given is not None or not self.message:
            return dict(self.given or ()).get(language, self.message)
        known = translations(language)
        if self.plural and self.context:
            return known.npgettext(self.context, self.message, self.plural, self.number)
        if self.plural:
            return known.ngettext(self.message, self.plural, self.number)
        return str(known.pgettext(self.context, self.message)) if self.context else known.gettext(self.message)

    def format(self, **values: object) -> Text:
        """The same text with its placeholders filled; a Text is filled in its own language, a list as a list of
        words.
        """
        filled = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return replace(self, values=(*self.values, *filled.items()))

    def in_all(self) -> dict[str, str]:
        """The words as rows and API keep them: by language, ``{"en": …, "zh": …}``."""
        return {language: self.in_(language) for language in languages()}

    def __str__(self) -> str:
        return self.in_(SOURCE)


def _(message: str) -> Text:
    """A text with the one meaning that its words have throughout the console."""
    return Text(message)


def pgettext(context: str, message: str) -> Text:
    """A text whose words mean something else elsewhere."""
    return Text(message, context)


def ngettext(singular: str, plural: str, number: int) -> Text:
    """A text that depends on a number, which fills ``{n}``."""
    return Text(singular, "", plural, number, (("n", number),))


def npgettext(context: str, singular: str, plural: str, number: int) -> Text:
    """As :func:`ngettext`, with words that mean something else elsewhere."""
    return Text(singular, context, plural, number, (("n", number),))


def plain(words: str) -> Text:
    """A text that reads the same in every language: a name, a number, what a server answered."""
    return Text(words, given=())


def kept(words: Mapping[str, str]) -> Text:
    """What :meth:`Text.in_all` gave, or an author wrote in several languages: ``{"en": …, "zh": …}``."""
    return Text(words.get(SOURCE, ""), given=tuple(words.items()))


class _Filled(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def _shown(value: object, language: str) -> object:
    if isinstance(value, Text):
        return value.in_(language)
    if isinstance(value, tuple):
        return _listed(value, language)
    return value


def _listed(items: Iterable[object], language: str) -> str:
    separator = pgettext("between the items of a list", ", ").in_(language)
    return separator.join(str(_shown(item, language)) for item in items)
