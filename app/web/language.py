"""Language, time zone and looks of the person at the browser, and writing times and numbers for them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import g, has_request_context, request
from markupsafe import Markup

from app import site
from app.contracts.text import LANGUAGES, Text
from app.db import now

STATIC = Path(__file__).parent.parent / "static"
CHOICES = {
    "locale": LANGUAGES,
    "theme": ("system", "light", "dark"),
    "density": ("normal", "compact"),
    "nav": ("open", "closed"),
}
UNITS = ((60, Text("{n} s ago", "{n} 秒前"), Text("in {n} s", "{n} 秒后"), 1),
         (3600, Text("{n} min ago", "{n} 分钟前"), Text("in {n} min", "{n} 分钟后"), 60),
         (86400, Text("{n} h ago", "{n} 小时前"), Text("in {n} h", "{n} 小时后"), 3600),
         (86400 * 60, Text("{n} d ago", "{n} 天前"), Text("in {n} d", "{n} 天后"), 86400))  # fmt: skip


def locale() -> str:
    """``zh`` or ``en``: chosen by the person, else by ``Accept-Language``."""
    if not has_request_context():
        return "en"
    if "locale" not in g:
        chosen = preference("locale")
        g.locale = chosen or (request.accept_languages.best_match(["zh", "zh-CN", "en"]) or "zh")[:2]
    return str(g.locale)


def preference(key: str) -> str:
    """What the person chose for ``locale``, ``theme``, ``density`` or ``nav``; empty when nothing."""
    if not has_request_context():
        return ""
    chosen = request.cookies.get(f"antstack-{key}", "")
    return chosen if chosen in CHOICES[key] else ""


def t(en: str | Text, zh: str = "", **values: object) -> str:
    """The words in the person's language; ``{name}`` placeholders are filled from *values*."""
    text = en if isinstance(en, Text) else Text(en, zh)
    return (text.format(**values) if values else text).in_(locale())


def zone() -> ZoneInfo:
    """The person's time zone (told by the browser), else the site's."""
    if not has_request_context():
        return ZoneInfo(site.settings().timezone)
    if "zone" not in g:  # a list asks for each of its rows
        g.zone = _zone_named(request.cookies.get("antstack-zone", ""))
    return cast(ZoneInfo, g.zone)


def _zone_named(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or site.settings().timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(site.settings().timezone)


def exact(moment: datetime | None) -> str:
    """``2026-11-23 20:15:08`` in the person's time zone."""
    return moment.astimezone(zone()).strftime("%Y-%m-%d %H:%M:%S") if moment else "–"


def _zoned(moment: datetime) -> str:
    """``2026-11-23 20:15:08 UTC+08:00``."""
    text = moment.astimezone(zone()).strftime("%Y-%m-%d %H:%M:%S UTC%z")
    return text.removesuffix("+0000") if text.endswith("+0000") else f"{text[:-2]}:{text[-2:]}"


def ago(moment: datetime | None) -> Markup:
    """A ``<time>`` element: relative, the exact time on hover."""
    if moment is None:
        return Markup("–")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(moment.isoformat(timespec="seconds"), _zoned(moment), since(moment))


def when(moment: datetime | None) -> Markup:
    """A ``<time>`` element with the exact time and its zone."""
    if moment is None:
        return Markup("–")
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), _zoned(moment))


def since(moment: datetime) -> str:
    """How long ago, or how soon, in words."""
    seconds = int((now() - moment).total_seconds())
    for limit, past, future, unit in UNITS:
        if abs(seconds) < limit:
            return t(future if seconds < 0 else past, n=abs(seconds) // unit)
    return exact(moment)[:10]


def duration(seconds: float | None) -> str:
    """``3 min 20 s``, ``5 min``, ``4.3 s``."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return t("{n} s", "{n} 秒", n=f"{seconds:.1f}".removesuffix(".0"))
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, t("{n} h", "{n} 小时", n=hours)), (minutes, t("{n} min", "{n} 分", n=minutes)), (rest, t("{n} s", "{n} 秒", n=rest)))
    return " ".join([words for n, words in parts if n][:2])


def number(value: float | None) -> str:
    """A number with thousands separated by thin spaces."""
    return "–" if value is None else f"{value:,}".replace(",", "\u2009")


def bytesize(size: float | None) -> str:
    """Bytes in the largest binary unit that keeps it above one."""
    if size is None:
        return "–"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(size) < 1024 or unit == "TiB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError


@lru_cache
def _fingerprint(folder: Path) -> str:
    """Of what the folder holds when this process first asks: other files come with other processes."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]


def asset(path: str) -> str:
    """The address of a file of ``app/static`` with its folder's fingerprint in it, so that it may be kept for ever.

    The folder's, since scripts import one another by relative addresses.
    """
    return f"/static/{_fingerprint((STATIC / path).parent)}/{path}"
