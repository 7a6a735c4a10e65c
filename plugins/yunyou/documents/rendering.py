"""Rendering values that refer to each other, with what only the execution will know left open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from itertools import chain

from msgspec import Struct

from app.words import Text, _
from plugins.yunyou.documents.application import MASK
from plugins.yunyou.documents.error_codes import PARAMETER_UNRESOLVED, PARAMETER_VALUE
from plugins.yunyou.documents.graphs import arrows, circles, layers
from plugins.yunyou.documents.references import Malformed, Reference, parse
from plugins.yunyou.documents.values import misfit_rendered

LONGEST = 100_000
MOST_SUGGESTIONS = 3
_MOST_SEARCHED = 2_000
_MOST_SEARCHES = 40  # a search costs milliseconds, and a damaged file may hold thousands

Resolver = Callable[[str], "str | None"]


class Source(Struct, frozen=True, gc=False):
    """What a name stands for. Without a value it is known only at execution, unless it is ``absent``."""

    value: str | None
    secret: bool = False
    literal: bool = False
    absent: bool = False
    kind: str = "string"
    options: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Source(secret={self.secret}, kind={self.kind!r})"


class Rendering(Struct, frozen=True, gc=False):
    """A value with its references replaced; a :class:`Reference` left in it is known only at execution."""

    pieces: tuple[str | Reference, ...] = ()
    secret: bool = False
    absent: bool = False
    error: Text | None = None

    def __repr__(self) -> str:
        return f"Rendering({self.shown()!r}, error={self.error!r})"

    @property
    def open(self) -> tuple[str, ...]:
        """Names that only the execution will know."""
        return tuple(piece.name for piece in self.pieces if isinstance(piece, Reference))

    @property
    def text(self) -> str | None:
        """The final value, or None while something is open, wrong or absent."""
        if self.error or self.absent or self.open:
            return None
        return "".join(map(str, self.pieces))

    def shown(self) -> str:
        """The value for people: secrets masked, open references as ``${…}``, nothing where there is none."""
        if self.error or self.absent:
            return ""
        return MASK if self.secret else "".join(map(str, self.pieces))

    def resolved(self, resolver: Resolver, name: str = "") -> str | None:
        """The final value with the open references asked of *resolver*; None when the value is absent.

        :param name: the parameter, to be named in the error
        :raises ConsoleError: ``YUNYOU/PARAMETER_UNRESOLVED`` when something is still unknown,
            ``YUNYOU/PARAMETER_VALUE_REFUSED`` when the rendering has an error
        """
        if self.absent:
            return None
        if self.error:
            raise PARAMETER_VALUE(name=name, detail=self.error)
        return "".join(piece if isinstance(piece, str) else _asked(piece, resolver, name) for piece in self.pieces)


def _asked(reference: Reference, resolver: Resolver, name: str) -> str:
    value = resolver(reference.name)
    if value is None:
        raise PARAMETER_UNRESOLVED(name=name, reference=str(reference))
    return value


def render(sources: Mapping[str, Source]) -> dict[str, Rendering]:
    """Render every source; each is independent of their order, and an error stays with who depends on it.

    A name that nothing stands for, a circle (shown as ``a → b → a``) or a value that doesn't fit its type
    becomes the ``error`` of that rendering. A value grows to 100,000 characters at most.
    """
    made: dict[str, Rendering] = {}
    parsed: dict[str, tuple[str | Reference, ...]] = {}
    for name, source in sources.items():
        try:
            parsed[name] = _pieces(name, source)
        except Malformed as error:
            made[name] = Rendering(secret=source.secret, error=error.words)
    needs = {name: refs for name, pieces in parsed.items() if not _open(sources[name]) and (refs := _names(pieces))}
    ordered, stuck = layers(needs)
    for circle in circles({name: needs[name] for name in stuck}):
        for at, name in enumerate(circle[:-1]):
            turned = [*circle[at:-1], *circle[: at + 1]]
            words = _("it refers to itself in a circle: {circle}")
            made[name] = Rendering(secret=sources[name].secret, error=words.format(circle=arrows(turned)))
    known = _Names(sources)
    plain = (name for name in parsed if name not in needs)
    for name in chain(plain, *ordered, stuck):
        if name not in made:
            made[name] = _filled(name, parsed[name], known, made)
    return {name: made[name] for name in sources}


def _open(source: Source) -> bool:
    return source.value is None and not source.absent


def _pieces(name: str, source: Source) -> tuple[str | Reference, ...]:
    if _open(source):
        return (Reference(name),)
    if source.value is None:
        return ()
    return (source.value,) if source.literal else parse(source.value)


def _names(pieces: tuple[str | Reference, ...]) -> set[str]:
    return {piece.name for piece in pieces if isinstance(piece, Reference)}


def _filled(name: str, pieces: tuple[str | Reference, ...], known: _Names, made: Mapping[str, Rendering]) -> Rendering:
    source = known.sources[name]
    if source.absent:
        return Rendering(secret=source.secret, absent=True)
    secret, length, result = source.secret, 0, list[str | Reference]()
    for piece in pieces:
        if isinstance(piece, str) or piece.name == name:
            part: tuple[str | Reference, ...] = (piece,)
        else:
            problem = _problem(piece.name, known, made)
            if problem:
                return Rendering(secret=secret, error=problem)
            part = made[piece.name].pieces
            secret = secret or made[piece.name].secret
        length += sum(len(str(inner)) for inner in part)
        if length > LONGEST:
            return Rendering(secret=secret, error=_too_long())
        result.extend(part)
    return _judged(Rendering(_joined(result), secret), source)


def _too_long() -> Text:
    return _("the rendered value is longer than {n} characters.").format(n=LONGEST)


def _problem(name: str, known: _Names, made: Mapping[str, Rendering]) -> Text | None:
    if name not in known.sources:
        return known.unknown(name)
    other = made.get(name)
    if other is None or other.error:
        return _("it refers to ${{{name}}}, which has an error itself.").format(name=name)
    if other.absent:
        return _("it refers to ${{{name}}}, which has no value.").format(name=name)
    return None


class _Names:
    """What the names of a rendering stand for, and which are near to one that is not among them."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = sources
        self.told: dict[str, Text] = {}

    def unknown(self, name: str) -> Text:
        if name not in self.told:
            self.told[name] = self._words(name, self._near(name) if len(self.told) < _MOST_SEARCHES else [])
        return self.told[name]

    def _near(self, name: str) -> list[str]:
        root = name.partition(".")[0] + "."
        alike = [other for other in self.sources if other.startswith(root)][:_MOST_SEARCHED]
        others = [other for other in self.sources if "/" not in other][:_MOST_SEARCHED]
        found = get_close_matches(name, alike, MOST_SUGGESTIONS, 0.6)
        return found or get_close_matches(name, others, MOST_SUGGESTIONS, 0.7)

    @staticmethod
    def _words(name: str, near: list[str]) -> Text:
        if not near:
            return _("there is nothing called ${{{name}}}.").format(name=name)
        words = _("there is nothing called ${{{name}}}; near to it: {near}.")
        return words.format(name=name, near=", ".join("${" + other + "}" for other in near))


def _joined(pieces: list[str | Reference]) -> tuple[str | Reference, ...]:
    joined: list[str | Reference] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


def _judged(rendering: Rendering, source: Source) -> Rendering:
    text = rendering.text
    if text is None or source.kind in ("string", "secret"):
        return rendering
    problem = misfit_rendered(text, source.kind, source.options)
    return Rendering(secret=rendering.secret, error=problem) if problem else rendering
