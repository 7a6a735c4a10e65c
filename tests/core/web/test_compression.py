"""Compressed answers: only for whom takes them, and without a secret whose size could be told (C-54, BREACH)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from tests.people import Person

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.mark.req("C-54")
@pytest.mark.parametrize(
    ("accepted", "given"),
    [
        ("gzip", "gzip"),
        ("br, gzip;q=0.5", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("identity, gzip;q=0.0", None),
        ("", None),
    ],
)
def test_an_answer_is_compressed_for_whom_takes_it(site: Flask, accepted: str, given: str | None) -> None:
    answer = site.test_client().get("/iam/login", headers={"Accept-Encoding": accepted})

    assert answer.headers.get("Content-Encoding") == given


@pytest.mark.req("C-54", "Q-30")
def test_the_token_of_forms_is_another_in_each_answer_and_each_is_taken(as_holder_of: Callable[..., Person]) -> None:
    person = as_holder_of()
    tokens = [TOKEN.search(person.get("/account/sessions").text)[1] for _ in range(2)]  # type: ignore[index]

    assert tokens[0] != tokens[1]
    number, _, signature = tokens[0].partition(".")
    forged = [signature, f".{signature}", f"1.{signature}", f"{number}.{'0' * 64}", ""]
    for token in forged:
        assert person.post("/logout", data={"csrf_token": token}, csrf=False).status_code == 403
    for token in tokens:
        assert person.post("/account/sessions/none/end", data={"csrf_token": token}, csrf=False).status_code == 404
