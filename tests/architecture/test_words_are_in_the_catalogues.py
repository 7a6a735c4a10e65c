"""Every text is in every catalogue, whole, in the words of the glossary; another language is a catalogue and nothing
else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import write_po

from app.words import catalogues, extraction, languages, ngettext
from app.words.catalogues import FILE, FOLDER
from tests.people import Api, Person

ROOT = Path(__file__).parents[2]
GLOSSARY = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]*) \|", re.M)
CODE = """from app.words import _, pgettext
A = _("Begin")
B = pgettext("of a road", "End of {road}")
C = _(f"Begin {A}")
"""


@pytest.mark.req("C-52")
def test_the_catalogues_have_every_text_translated() -> None:
    assert extraction.check() == []


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A plugin of somebody else's, with a template of its own."""
    folder = tmp_path / "roads"
    folder.mkdir()
    (folder / "plugin.py").write_text(CODE)
    (folder / "page.html").write_text(
        '{{ _("A page of {name}", name=x) }}{% do x.append(ngettext("{n} road", "{n} roads", 2)) %}'
    )
    return folder


@pytest.mark.req("C-52")
def test_what_a_catalogue_lacks_is_named(plugin: Path) -> None:
    extraction.update_all([plugin])
    file = plugin / FOLDER / "zh" / FILE
    texts = file.read_text("utf-8")
    for english, chinese in {"Begin": "开始", "A page of {name}": "{nom} 的页面"}.items():
        texts = texts.replace(f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{chinese}"')
    file.write_text(texts + '\nmsgid "Gone"\nmsgstr "已消失"\n\n#, fuzzy\nmsgid "Also gone"\nmsgstr "也"\n', "utf-8")

    found = "\n".join(extraction.check([plugin]))

    assert "'Begin'" not in found
    assert "'End of {road}' is not translated" in found
    assert "('{n} road', '{n} roads') is not translated" in found
    assert "'A page of {name}' has other placeholders" in found
    assert "has 'Gone', which nothing says" in found
    assert "plugin.py:4: a text is one literal" in found


@pytest.mark.req("C-52")
def test_texts_that_are_the_cores_are_not_translated_again(plugin: Path) -> None:
    (plugin / "page.html").write_text('{{ _("Name") }}')

    extraction.update_all([plugin])

    assert 'msgid "Name"' not in (plugin / FOLDER / "zh" / FILE).read_text("utf-8")


@pytest.fixture
def french(tmp_path: Path) -> Iterator[None]:
    """A third language, made by a program: what is translated stands in brackets."""
    for part in extraction.bundled():
        new = extraction.updated(extraction.extracted(part), extraction.read(tmp_path / "fr" / FILE))
        for message in new:
            if message.id:
                words = [message.id] if isinstance(message.id, str) else message.id
                message.string = f"⟦{words[0]}⟧" if len(words) == 1 else tuple(f"⟦{word}⟧" for word in words)
        file = tmp_path / part.name / FOLDER / "fr" / FILE
        file.parent.mkdir(parents=True)
        with file.open("wb") as opened:
            write_po(opened, new)
        catalogues.add(tmp_path / part.name)
    yield
    for part in extraction.bundled():
        catalogues.remove(tmp_path / part.name)


@pytest.mark.req("C-52")
def test_another_language_is_a_catalogue_and_nothing_else(
    french: None, as_role: Callable[..., Person], api: Callable[..., Api]
) -> None:
    person = as_role("tenant-administrator")
    assert "⟦EN⟧" in person.get("/iam/members").text, "people can choose it"

    page = person.get("/iam/members", headers={"Accept-Language": "fr-FR,fr;q=0.9"}).text
    refused = api(person).get("/iam/members/none", headers={"Accept-Language": "fr"}).json

    assert languages() == ("fr", "zh", "en")
    assert all(f"⟦{words}⟧" in page for words in ("Members", "Groups", "Sign out"))
    assert refused["title"].startswith("⟦")
    assert ngettext("{n} road", "{n} roads", 2).in_("fr") == "2 roads", "what no catalogue has is English"


@pytest.mark.req("C-52")
def test_a_language_that_a_plugin_brings_alone_has_its_own_name(tmp_path: Path, as_role: Callable[..., Person]) -> None:
    file = tmp_path / FOLDER / "fr" / FILE
    file.parent.mkdir(parents=True)
    file.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Members"\nmsgstr "Membres"\n'
    )
    catalogues.add(tmp_path)
    try:
        page = as_role("tenant-administrator").get("/iam/members", headers={"Accept-Language": "fr"}).text
        english = as_role("tenant-administrator").get("/iam/members", headers={"Accept-Language": "en"}).text
    finally:
        catalogues.remove(tmp_path)

    assert '<html lang="fr"' in page
    assert "Membres" in page
    assert 'value="fr" class="btn btn-quiet btn-lang" lang="fr">FR<span class="sr"> français</span>' in english


def terms() -> list[tuple[str, str, str]]:
    """Rows of the glossary: the English term, the Chinese one, and Chinese words that are not used for it."""
    return GLOSSARY.findall((ROOT / "docs" / "glossary.md").read_text("utf-8"))[2:]


@pytest.mark.req("C-52")
def test_a_term_of_the_glossary_has_the_one_word_in_the_catalogues() -> None:
    wrong = []
    for part in extraction.bundled():
        for message in extraction.read(part.file("zh")):
            for english, chinese, others in terms():
                if message.context is None and str(message.id).lower() == english.lower() and message.string != chinese:
                    wrong.append(f"{part.name}: {english} is {message.string}, not {chinese}")
                for other in filter(None, others.split("、")):
                    if other in str(message.string) and other != "–":
                        wrong.append(f"{part.name}: {message.string} says {other}, not {chinese}")
    assert wrong == []
