"""Kubernetes resource quantities: their values, canonical text, and requests from limits (guide 2.7.5)."""

from __future__ import annotations

import math
import re
from fractions import Fraction

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
_DECIMAL = {"m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_BINARY = {"": 0, "Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_MI = 1024**2


def value(quantity: str) -> Fraction:
    """The exact value: cores, or bytes.

    :raises ValueError: *quantity* is none
    """
    found = _QUANTITY.fullmatch(quantity.strip())
    if found is None:
        raise ValueError(f"{quantity!r} is not a quantity")
    number, suffix = Fraction(found[1]), found[2] or ""
    return number * (Fraction(1024) ** _BINARY[suffix] if suffix[-1:] == "i" else Fraction(1000) ** _DECIMAL[suffix])


def canonical(quantity: str) -> str:
    """The text that the API server gives back for *quantity*: no fraction, the largest suffix that is exact."""
    return _written(value(quantity), binary=quantity.strip()[-1:] == "i")


def same(one: str, other: str) -> bool:
    """Whether two quantities have the same value; texts that are no quantities are compared as they are."""
    try:
        return value(one) == value(other)
    except ValueError:
        return one == other


def cpu_request(limit: str, ratio: float) -> str:
    """The CPU request for a limit and its oversell ratio, rounded up to whole millicores."""
    milli = math.ceil(value(limit) / _ratio(ratio) * 1000)
    return _written(Fraction(milli, 1000), binary=False)


def memory_request(limit: str, ratio: float) -> str:
    """The memory request for a limit and its oversell ratio, rounded up to whole Mi (bytes below 1 Mi)."""
    exact = value(limit) / _ratio(ratio)
    step = _MI if exact >= _MI else 1
    rounded = min(Fraction(math.ceil(exact / step) * step), value(limit))
    return _written(rounded, binary=limit.strip()[-1:] == "i" or rounded % _MI == 0)


def whole_gib(quantity: str) -> str:
    """The quantity in whole GiB, rounded up, as GPU memory is counted."""
    return str(math.ceil(value(quantity) / 1024**3))


def _ratio(ratio: float) -> Fraction:
    return Fraction(str(ratio))


def _written(amount: Fraction, *, binary: bool) -> str:
    if amount == 0:
        return "0"
    if binary and amount.denominator == 1 and amount >= 1024:
        suffixes, base = _BINARY, 1024
    else:
        suffixes, base = _DECIMAL, 1000
    for suffix, power in sorted(suffixes.items(), key=lambda item: -item[1]):
        scaled = amount / Fraction(base) ** power
        if scaled.denominator == 1:
            return f"{scaled}{suffix}"
    return f"{math.ceil(amount * 1000)}m"
