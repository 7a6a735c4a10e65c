"""Addresses of scripts, styles and icons: kept by browsers for ever, so they change with what they bring (C-54)."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from app.web import language


def address_of(site: Flask, path: str) -> str:
    with site.test_request_context():
        return language.asset(path)


@pytest.mark.req("C-54")
def test_a_script_has_another_address_once_one_beside_it_changed(
    site: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language, "STATIC", tmp_path)
    for name in ("js/console.js", "js/dom.js", "css/base.css"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("one")
    script, style = address_of(site, "js/console.js"), address_of(site, "css/base.css")

    (tmp_path / "js" / "dom.js").write_text("another")
    language._fingerprint.cache_clear()  # as in the processes that come with it

    assert address_of(site, "js/console.js") != script, "it imports ./dom.js, which is below the same address"
    assert address_of(site, "css/base.css") == style


@pytest.mark.req("C-54")
def test_the_address_of_a_script_is_answered_and_may_be_kept(site: Flask) -> None:
    answer = site.test_client().get(address_of(site, "js/console.js"))

    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
