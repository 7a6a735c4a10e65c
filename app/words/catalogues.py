"""The catalogues: ``<package>/translations/<language>/LC_MESSAGES/messages.po``, read when a language is first asked
for.

The core's and every plugin's are one; where two translate the same text, the core's wins, then whichever was added
first.
There are no compiled files: a few thousand texts are read in some hundredths of a second, before processes fork.
"""

from __future__ import annotations

import io
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

SOURCE = "en"  # the language that texts are written in
FOLDER, FILE = "translations", Path("LC_MESSAGES") / "messages.po"
_folders = [Path(__file__).parent.parent / FOLDER]


def add(package: Path) -> None:
    """Take in the catalogues of a plugin, if it has any.

    :param package: its folder
    """
    folder = package / FOLDER
    if folder not in _folders and folder.is_dir():
        _folders.append(folder)
        languages.cache_clear()
        translations.cache_clear()


def remove(package: Path) -> None:
    """Forget the catalogues that :func:`add` took in."""
    _folders.remove(package / FOLDER)
    languages.cache_clear()
    translations.cache_clear()


@cache
def languages() -> tuple[str, ...]:
    """Every language that the console speaks: English, and those that have a catalogue."""
    found = {file.parent.parent.name for folder in _folders for file in folder.glob(f"*/{FILE}")}
    return (*sorted(found), SOURCE)


@cache
def translations(language: str) -> NullTranslations:
    """The texts of all catalogues in one language; English stays as it is."""
    files = [file for folder in reversed(_folders) if (file := folder / language / FILE).exists()]
    if language == SOURCE or not files:
        return NullTranslations()
    return _read(files, language)


def _read(files: list[Path], language: str) -> GNUTranslations:
    from babel.messages.catalog import Catalog  # loaded with the first language other than English
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    whole, compiled = Catalog(locale=language), io.BytesIO()
    for file in files:
        with file.open("rb") as opened:
            for message in read_po(opened, locale=language):
                whole[message.id] = message
    write_mo(compiled, whole)
    compiled.seek(0)
    return GNUTranslations(compiled)
