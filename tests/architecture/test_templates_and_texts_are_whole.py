"""Walks over templates and declared texts: none outside of the catalogues, no inline code, no asset from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import nodes

from app import site
from app.words import Text, extraction

TEMPLATES = Path(__file__).parents[2] / "templates"
SCRIPTS = Path(__file__).parents[2] / "app" / "static" / "js"
STYLES = Path(__file__).parents[2] / "app" / "static" / "css"
FILES = sorted(path for path in TEMPLATES.rglob("*.html") if "styleguide" not in path.name)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# What stands outside of _(…) may be signs, numbers, units and names that read the same in both languages.
NAMES = "IP URL API JSON YAML CSV AccessKey DNS ID TTL HTTP CPU AntStack UTC ms GiB min Ctrl Esc Enter NS SOA OIDC"
ALLOWED = re.compile(rf"^[\W\d_]*(?:(?:{'|'.join(NAMES.split())}|[a-zA-Z])(?:[\W\d_]+|$))*$")
# Blocks and macros that write a part of a tag: classes and attributes.
WITHIN_A_TAG = re.compile(r"_class$|^_common$")
TAG = re.compile(r"<(script|style)\b[^>]*>.*?</\1>|<!--.*?-->|<[^>]*>", re.S)


@pytest.mark.req("C-52")
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_words_stand_outside_of_the_catalogues(path: Path, site: Flask) -> None:
    assert words_outside(site.jinja_env.parse(path.read_text("utf-8"))) == []


@pytest.mark.req("C-52")
@pytest.mark.parametrize("words", ["This sentence is only in English", "只有中文", "Name", "{{ x }} pods"])
def test_words_that_no_catalogue_sees_are_found(words: str, site: Flask) -> None:
    assert words_outside(site.jinja_env.parse(f"<p class='a'>{words}</p>{{{{ _('Name') }}}} API / ID"))


def words_outside(tree: nodes.Template) -> list[str]:
    """Words that a template writes itself, but for names that read the same, and for what stands within a tag."""
    parts = [
        part for kind in (nodes.Block, nodes.Macro) for part in tree.find_all(kind) if WITHIN_A_TAG.search(part.name)
    ]
    within = {id(data) for part in parts for data in part.find_all(nodes.TemplateData)}
    outside = "".join(data.data for data in tree.find_all(nodes.TemplateData) if id(data) not in within)
    words = [word for word in re.split(r"\s+", TAG.sub(" ", outside)) if word and not ALLOWED.match(word)]
    return [word for word in words if not re.match(r'^[\w:@.-]*="?|^"?>$|^[\w-]+"$', word)]


@pytest.mark.req("C-52")
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_every_text_of_a_template_is_one_literal_in_english(path: Path, site: Flask) -> None:
    tree = site.jinja_env.parse(path.read_text("utf-8"))
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in extraction.KEYWORDS:
            words = call.args[: extraction.WORDS_OF[call.node.name]]
            assert all(isinstance(one, nodes.Const) for one in words), f"line {call.lineno}: no catalogue sees this"
            assert not any(CHINESE.search(one.value) for one in words if isinstance(one, nodes.Const)), (
                f"line {call.lineno}"
            )


@pytest.mark.req("C-52")
def test_every_declared_text_is_in_the_catalogues(site: Flask) -> None:
    with site.app_context():
        found = site.extensions[_catalogue()]
    texts = (
        [p.title for p in found.permissions.values()] + [n.title for n in found.nav] + [s.title for s in found.sections]
    )
    texts += [text for error in found.errors.values() for text in (error.reason, error.remedy)]
    texts += [operation.summary for api in found.apis for operation in api.operations]

    said = [
        text for text in texts if re.sub(r"\{\w+\}", "", str(text)).strip()
    ]  # but for what another system says itself
    assert [text for text in said if not (isinstance(text, Text) and CHINESE.search(text.in_("zh")))] == []


def _catalogue() -> str:
    return site.CATALOGUE


@pytest.mark.req("C-54")
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_template_has_inline_code_or_an_asset_from_elsewhere(path: Path) -> None:
    text = re.sub(r"{#.*?#}", "", path.read_text("utf-8"), flags=re.S)

    assert not re.search(r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|hx-on|javascript:", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"(?:src|href)\s*=\s*[\"']https?://", text)


@pytest.mark.req("C-52")
@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.js")), ids=lambda path: path.name)
def test_scripts_hold_no_words(path: Path) -> None:
    """What they say stands in attributes that templates wrote."""
    assert re.findall(r"""["'`][A-Z][a-z]+ [a-z]+[^"'`]*|[\u4e00-\u9fff]+""", path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", sorted(STYLES.glob("*.css")), ids=lambda path: path.name)
def test_a_line_of_css_holds_one_rule(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    whole = [line for line in lines if "url(" not in line and not line.lstrip().startswith(("--", "clip-path"))]
    assert [line for line in lines if line.count("{") > 1] == []
    assert [line for line in whole if len(line) > 120] == []
