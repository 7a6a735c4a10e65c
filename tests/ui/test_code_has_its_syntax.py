"""YAML and JSON in code blocks: what is marked, and that nothing else changes (C-58)."""

from __future__ import annotations

import json
import re
import time

import pytest
import yaml
from markupsafe import Markup

from app.web import highlight

TAG = re.compile(r"<[^>]*>")
OBJECT = {
    "apiVersion": "v1",
    "metadata": {"name": "web", "labels": {"app.kubernetes.io/name": "web", "on": "true"}, "generation": 4},
    "data": {
        "nginx.conf": "server {\n  listen: 80;\n\n  # name: <web>\n}\n",
        "empty": "",
        "time": "12:30:00",
        "odd key": "a: b # c",
    },
    "spec": {
        "paused": False,
        "replicas": -2,
        "args": ["--level=debug", "http://a.example:80/x", {"k": None}],
        "none": {},
        "list": [],
    },
}


def marked(line: Markup, kind: str) -> list[str]:
    """The texts of one class in a line."""
    return [part.partition("</span>")[0] for part in line.split(f'<span class="{kind}">')[1:]]


@pytest.mark.req("C-58")
@pytest.mark.parametrize("language", ["yaml", "json", "text"])
def test_the_text_stays_what_it_was(language: str) -> None:
    text = yaml.safe_dump(OBJECT, sort_keys=False) if language == "yaml" else json.dumps(OBJECT, indent=1)

    assert "\n".join(Markup(TAG.sub("", line)).unescape() for line in highlight.lines(text, language)) == text


@pytest.mark.req("C-58")
def test_yaml_marks_keys_values_and_block_texts() -> None:
    by_key = {}
    for line in highlight.lines(yaml.safe_dump(OBJECT, sort_keys=False), "yaml"):
        for key in marked(line, "k"):
            by_key[key] = line

    assert set(by_key) >= {"apiVersion", "app.kubernetes.io/name", "nginx.conf", "odd key", "replicas", "k"}
    assert "listen" not in by_key
    assert marked(by_key["replicas"], "n") == ["-2"]
    assert marked(by_key["paused"], "w") == ["false"]
    assert marked(by_key["k"], "w") == ["null"]
    assert not marked(by_key["none"], "s")
    assert "http" not in by_key


@pytest.mark.req("C-58")
def test_json_marks_keys_and_values() -> None:
    lines = highlight.lines(json.dumps({"a:b": ['x "y": z', 1.5e3, True, None]}, indent=1), "json")

    assert marked(lines[1], "k") == ["&#34;a:b&#34;"]
    assert marked(lines[2], "s") == ["&#34;x \\&#34;y\\&#34;: z&#34;"]
    assert [marked(line, kind) for line, kind in zip(lines[3:], "nww", strict=False)] == [
        ["1500.0"],
        ["true"],
        ["null"],
    ]


@pytest.mark.req("Q-8")
@pytest.mark.parametrize("language", ["yaml", "json"])
def test_a_long_line_takes_no_long_time(language: str) -> None:
    text = "\n".join(["a" * 20_000, "a:" * 10_000, "'" * 10_000, "a#" * 10_000, '"' + "\\" * 10_001, " - " * 5_000])

    began = time.perf_counter()
    highlight.lines(text, language)

    assert time.perf_counter() - began < 1
