"""Language, time zone and looks of the person at the browser, and writing words, times and numbers for them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, Domain, get_locale
from markupsafe import Markup

from app import site
from app.db import now
from app.words import SOURCE, Text, _, languages, ngettext, npgettext, pgettext
from app.words.catalogues import translations

STATIC = Path(__file__).parent.parent / "static"
TAG = pgettext("tag of this language (BCP 47)", "en")
SHORT = pgettext("short name of this language", "EN")
SWITCH = pgettext("to this language", "Switch to English")
SITES_OWN = "zh"  # for whom no language is known
CHOICES: Mapping[str, Callable[[], Sequence[str]]] = {
    "locale": languages,
    "theme": lambda: ("system", "light", "dark"),
    "density": lambda: ("normal", "compact"),
    "nav": lambda: ("open", "closed"),
}
UNITS = (
    (60, _("{n} s ago"), _("in {n} s"), 1),
    (3600, _("{n} min ago"), _("in {n} min"), 60),
    (86400, _("{n} h ago"), _("in {n} h"), 3600),
    (86400 * 60, _("{n} d ago"), _("in {n} d"), 86400),
)


class Catalogues(Domain):
    """The catalogues of the core and of the plugins, for whoever uses Flask-Babel's own functions."""

    def get_translations(self) -> NullTranslations:
        return translations(locale())


def install(app: Flask) -> None:
    """Let Flask-Babel ask here for the person's language and time zone, and give templates ``_``, ``ngettext`` and
    the like.
    """
    Babel(app, locale_selector=_chosen, timezone_selector=lambda: zone().key)
    app.extensions["babel"].domain_instance = Catalogues()
    app.jinja_env.add_extension("jinja2.ext.do")
    app.jinja_env.globals.update({make.__name__: _said(make) for make in (_, pgettext, ngettext, npgettext)}, t=t)


def locale() -> str:
    """The person's language, such as ``zh`` or ``en``: chosen, else by ``Accept-Language``; English where there is
    nobody.
    """
    found = get_locale() if has_request_context() else None
    return str(found) if found else SOURCE


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the console speaks, in its own words."""

    code: str
    tag: str
    short: str
    switch: str


def known() -> list[Language]:
    """Those that people can choose from."""
    return [Language(code, tag(code), _of(SHORT, code, str.upper), _of(SWITCH, code, _name)) for code in languages()]


def tag(code: str) -> str:
    """The tag of a language in HTML (BCP 47): what its catalogue says, else how the catalogue is called."""
    return _of(TAG, code, lambda name: name.replace("_", "-"))


def _of(text: Text, code: str, otherwise: Callable[[str], str]) -> str:
    """What the language's own catalogue says, which may be a plugin's and lack it."""
    words = text.in_(code)
    return words if code == SOURCE or words != text.message else otherwise(code)


def _name(code: str) -> str:
    """How a language calls itself."""
    try:
        return str(Locale.parse(code).get_display_name(code) or code)
    except (UnknownLocaleError, ValueError):
        return code


def _chosen() -> str:
    default = SOURCE if request.path.startswith("/api/") else SITES_OWN
    return preference("locale") or request.accept_languages.best_match(languages()) or default


def preference(key: str) -> str:
    """What the person chose for ``locale``, ``theme``, ``density`` or ``nav``; empty when nothing."""
    if not has_request_context():
        return ""
    chosen = request.cookies.get(f"antstack-{key}", "")
    return chosen if chosen in CHOICES[key]() else ""


def t(text: Text, **values: object) -> str:
    """The words in the person's language; ``{name}`` placeholders are filled from *values*."""
    return (text.format(**values) if values else text).in_(locale())


def _said(make: Callable[..., Text]) -> Callable[..., str]:
    """Of a function that makes a text, the one that templates use: ``{{ _("Created by {who}", who=person) }}``."""

    def said(*words: str | int, **values: object) -> str:
        return t(make(*words), **values)

    return said


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


def local_time(text: str) -> datetime:
    """A time that is written without a zone: one of the person's.

    :raises ValueError: it is none
    """
    return datetime.fromisoformat(text).replace(tzinfo=zone())


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
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(timespec="seconds"), _zoned(moment), since(moment)
    )


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
        return t(_("{n} s"), n=f"{seconds:.1f}".removesuffix(".0"))
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, t(_("{n} h"), n=hours)), (minutes, t(_("{n} min"), n=minutes)), (rest, t(_("{n} s"), n=rest)))
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
