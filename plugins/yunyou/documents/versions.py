"""Comparing versions as people write them: PEP 440 where it applies, by numbers and words where it doesn't."""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

_LONGEST = 256
_PIECES = re.compile(r"\d+|[a-zA-Z]+")


def compare(one: str, other: str) -> int:
    """Negative when *one* is the older version, 0 when they are equal, positive when it is the newer.

    PEP 440 decides when both follow it (a leading ``v`` is allowed); else runs of digits compare as numbers,
    words alphabetically, and a number is newer than a word (so ``2.0-rc1`` is older than ``2.0-1``).
    """
    if one == other:
        return 0
    left, right = _pep440(one), _pep440(other)
    if left is not None and right is not None:
        return (left > right) - (left < right)
    mine, theirs = _loose(one), _loose(other)
    return (mine > theirs) - (mine < theirs)


def is_older(one: str, other: str) -> bool:
    """Whether going from *other* to *one* is a downgrade."""
    return compare(one, other) < 0


def specifier(text: str) -> SpecifierSet | None:
    """The PEP 440 specifier that *text* writes, or None when it is none."""
    if len(text) > _LONGEST:
        return None
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return None


def satisfies(version: str, wanted: SpecifierSet) -> bool:
    """Whether *version* meets the specifier; one outside PEP 440 meets only an equal text or no condition."""
    parsed = _pep440(version)
    if parsed is not None:
        return wanted.contains(parsed, prereleases=True)
    return all(part.operator == "===" and part.version == version for part in wanted)


def _pep440(text: str) -> Version | None:
    if len(text) > _LONGEST:
        return None
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _loose(text: str) -> list[tuple[int, int, str]]:
    pieces = _PIECES.findall(text)
    return [(1, int(piece), "") if piece.isdigit() else (0, 0, piece.lower()) for piece in pieces]
