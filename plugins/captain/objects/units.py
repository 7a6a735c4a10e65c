"""CPU and memory in numbers for people."""

from __future__ import annotations

from collections.abc import Callable

from app.kube import quantities
from app.web.language import bytesize
from app.web.table import Cell


def cores(thousandths: int) -> str:
    """CPU in cores."""
    return f"{thousandths / 1000:.2f}".rstrip("0").rstrip(".")


def size(count: int) -> str:
    """Bytes in the largest fitting unit."""
    return bytesize(count)


def capacity(text: object) -> str:
    """A quantity of bytes as it is read: ``67108864Ki`` is 64 GiB."""
    return bytesize(quantities.size(text)) if text else ""


def share(asked: int, has: int, shown: Callable[[int], str]) -> Cell:
    """How much of something is requested: the part in per cent, the numbers on hover."""
    if not has:
        return Cell("text", text=shown(asked))
    part = 100 * asked / has
    return Cell("text", text=f"{part:.0f} %", title=f"{shown(asked)} / {shown(has)}", value=part)
