"""Resource quantities: ``250m``, ``1Gi``."""

from __future__ import annotations

import re
from functools import lru_cache

PATTERN = re.compile(r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$")
_SUFFIX = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_SUFFIX |= {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60}


@lru_cache(maxsize=4096)
def parse(text: str) -> float:
    """The number that a quantity stands for.

    :raises ValueError: it is none
    """
    found = PATTERN.match(text)
    if not found:
        raise ValueError(text)
    number, suffix = found[1], found[2]
    if suffix in _SUFFIX:
        return float(number) * _SUFFIX[suffix]
    return float(number + suffix)


def value(given: str | float | None) -> float:
    """The number of a quantity that may be absent or wrong."""
    if given is None:
        return 0.0
    try:
        return parse(str(given))
    except ValueError:
        return 0.0


def canonical(text: str) -> str:
    """A quantity as the server writes it back: ``1000m`` becomes ``1``."""
    try:
        number = parse(text)
    except ValueError:
        return text
    if text.endswith("m") and number == int(number):
        return str(int(number))
    found = PATTERN.match(text)
    if found and found[2] == "" and number != int(number):
        return f"{round(number * 1000)}m"
    return text


def cpu(cores: float) -> str:
    """CPU as the server writes it."""
    milli = round(cores * 1000)
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"
