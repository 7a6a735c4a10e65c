"""Quantities of Kubernetes as numbers (API reference, "Quantity"): ``250m``, ``1.5Gi``, ``2e3``."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache

FORM = re.compile(r"^([+-]?[0-9.]+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?[0-9]{1,3})?$")
SUFFIX = {
    None: Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}
MOST = 2**62


@lru_cache(maxsize=4096)
def number(text: str) -> Decimal:
    """The number that *text* stands for; what is no quantity counts as nothing."""
    found = FORM.match(text)
    if found is None:
        return Decimal(0)
    suffix = found[2]
    try:
        if suffix and suffix[0] in "eE" and len(suffix) > 1:
            return Decimal(found[1] + suffix)
        return Decimal(found[1]) * SUFFIX[suffix]
    except InvalidOperation:
        return Decimal(0)


def millicores(text: object) -> int:
    """CPU in thousandths of a core."""
    return min(int(number(str(text)) * 1000), MOST)


def size(text: object) -> int:
    """Bytes."""
    return min(int(number(str(text))), MOST)
