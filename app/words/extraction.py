"""``make words``: brings the catalogues up to what code and templates say, and tells what they lack.

Texts of the core are in the core's catalogue alone, so that a plugin which says the same says it with the same words.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from app.words.catalogues import FILE, FOLDER

ROOT = Path(__file__).parents[2]
KEYWORDS = {"_": None, "pgettext": ((1, "c"), 2), "ngettext": (1, 2), "npgettext": ((1, "c"), 2, 3)}
WORDS_OF = {"_": 1, "pgettext": 2, "ngettext": 2, "npgettext": 3}  # how many of the arguments are literals
OF_TEMPLATES = {"extensions": "jinja2.ext.do", "silent": "false"}
PLACEHOLDER = re.compile(r"\{(\w+)\}")
WIDTH = 120
Words = str | tuple[str, ...] | list[str]  # with a plural: singular and plural


@dataclass(frozen=True)
class Part:
    """What has a catalogue of its own: the core, or a plugin with the folders of its sources."""

    name: str
    folder: Path
    sources: tuple[Path, ...]

    def file(self, language: str) -> Path:
        """Its catalogue in one language."""
        return self.folder / FOLDER / language / FILE

    def languages(self) -> list[str]:
        """Those that it is translated into."""
        return sorted(file.parent.parent.name for file in (self.folder / FOLDER).glob(f"*/{FILE}"))


def bundled() -> list[Part]:
    """The core, then each plugin of this repository."""
    plugins = sorted(file.parent for file in ROOT.glob("plugins/*/plugin.py"))
    shared = [ROOT / "templates" / name for name in ("components", "core", "layouts", "orders")]
    core = Part("core", ROOT / "app", (ROOT / "app", *shared))
    return [core, *(Part(p.name, p, (p, ROOT / "templates" / p.name)) for p in plugins)]


def extracted(part: Part, without: Sequence[Catalog] = ()) -> Catalog:
    """The texts of a part as its sources write them.

    :param without: catalogues whose texts are left out
    """
    found = Catalog()
    for source in part.sources:
        for file in sorted((*source.rglob("*.py"), *source.rglob("*.html"))):
            for _line, words, comments, context in _texts_of(file):
                if not any(_find(other, words, context) for other in without):
                    place = f"{source.name}/{file.relative_to(source)}"
                    found.add(words, None, [(place, 0)], context=context, auto_comments=comments)
    return found


def _find(catalog: Catalog, words: Words, context: str | None) -> Message | None:
    """A text of a catalogue, which knows those with a plural by their singular."""
    return catalog.get(words if isinstance(words, str) else words[0], context)


def _texts_of(file: Path) -> Iterator[tuple[int, Words, list[str], str | None]]:
    if file.suffix == ".py":
        yield from extract_from_file("python", file, KEYWORDS, ("Translators:",))
    else:
        yield from extract_from_file("jinja2", file, KEYWORDS, (), OF_TEMPLATES)


def read(file: Path) -> Catalog:
    """A catalogue; an empty one where there is none yet."""
    if not file.exists():
        return Catalog(locale=file.parent.parent.name)
    with file.open("rb") as opened:
        return read_po(opened, locale=file.parent.parent.name)


def updated(texts: Catalog, old: Catalog, others: Sequence[Catalog] = ()) -> Catalog:
    """*texts* with the translations that *old* has for them, or else *others*: texts move from one part to another."""
    new = Catalog(
        locale=old.locale,
        project="AntStack",
        version="Console",
        msgid_bugs_address="-",
        last_translator="-",
        language_team="-",
        creation_date=old.creation_date,
        revision_date=old.revision_date,
        header_comment="# Words of the AntStack Console.",
        fuzzy=False,
    )
    for message in texts:
        if message.id:
            known = next(filter(None, (_find(one, message.id, message.context) for one in (old, *others))), None)
            flags = {"fuzzy"} if known is not None and known.fuzzy else set()
            new.add(
                message.id,
                known.string if known else None,
                message.locations,
                flags,
                message.auto_comments,
                known.user_comments if known else (),
                context=message.context,
            )
    return new


def update_all(folders: Sequence[Path] = ()) -> list[str]:
    """Write the catalogues anew: texts that are gone go, new ones stand without a translation.

    :param folders: of plugins that are not bundled; none for the core and all that are
    :returns: what is to be translated, in words for developers
    """
    found = []
    wanted = list(_catalogues(folders))
    known = {file: read(file) for __, file in wanted}
    for texts, file in wanted:
        new = updated(texts, known[file], [one for one in known.values() if one.locale == known[file].locale])
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as opened:
            write_po(opened, new, width=WIDTH, sort_output=True, include_lineno=False)
        found += [f"{file}: {problem}" for problem in _problems(texts, new)]
    return found


def check(folders: Sequence[Path] = ()) -> list[str]:
    """What is wrong with the catalogues, in words for developers; *folders* as for :func:`update_all`."""
    found = [f"{file}: {problem}" for texts, file in _catalogues(folders) for problem in _problems(texts, read(file))]
    return found + [problem for part in _parts(folders) for problem in unseen(part)]


def _parts(folders: Sequence[Path]) -> list[Part]:
    return [Part(folder.name, folder, (folder,)) for folder in folders] or bundled()


def _catalogues(folders: Sequence[Path]) -> Iterator[tuple[Catalog, Path]]:
    """Texts and where they are translated to; a language that the core has is one of every part."""
    core = bundled()[0]
    of_core = extracted(core)
    for part in _parts(folders):
        texts = of_core if part == core else extracted(part, [of_core])
        for language in core.languages():
            yield texts, part.file(language)


def unseen(part: Part) -> Iterator[str]:
    """Texts of a part's code that no extraction sees, since they are not written as one literal."""
    for source in part.sources:
        for file in source.rglob("*.py"):
            for call in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KEYWORDS:
                    words = call.args[: WORDS_OF[call.func.id]]
                    if not all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in words):
                        yield f"{file}:{call.lineno}: a text is one literal, with placeholders for what varies"


def _problems(texts: Catalog, known: Catalog) -> Iterator[str]:
    for message in texts:
        if not message.id:
            continue
        found = _find(known, message.id, message.context)
        if found is None:
            yield f"lacks {message.id!r}: run make words"
        elif found.fuzzy or not _is_whole(found):
            yield f"{message.id!r} is not translated"
        elif _placeholders(found.string) != _placeholders(found.id):
            yield f"{message.id!r} has other placeholders than its translation"
    for message in known:
        if message.id and _find(texts, message.id, message.context) is None:
            yield f"has {message.id!r}, which nothing says: run make words"


def _is_whole(message: Message) -> bool:
    return all([message.string] if isinstance(message.string, str) else message.string or [""])


def _placeholders(words: Words | None) -> set[str]:
    every = [words] if isinstance(words, str) else words or ()
    return {name for text in every for name in PLACEHOLDER.findall(text)}
