"""Times as people read them: relative, before and after now (C-52)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from app.db import now
from app.web import language


@pytest.mark.req("C-52")
@pytest.mark.parametrize(
    ("away", "english", "chinese"),
    [
        (timedelta(seconds=-30), "30 s ago", "30 秒前"),
        (timedelta(hours=-5, seconds=-1), "5 h ago", "5 小时前"),
        (timedelta(seconds=59.5), "in 59 s", "59 秒后"),
        (timedelta(days=3, seconds=30), "in 3 d", "3 天后"),
    ],
)
def test_a_time_is_so_long_ago_or_so_soon(site: Flask, away: timedelta, english: str, chinese: str) -> None:
    with site.test_request_context(headers={"Accept-Language": "en"}):
        assert language.since(now() + away) == english
    with site.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert language.since(now() + away) == chinese


@pytest.mark.req("C-52")
@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (4.26, "4.3 s", "4.3 秒"),
        (5, "5 s", "5 秒"),
        (300, "5 min", "5 分"),
        (200, "3 min 20 s", "3 分 20 秒"),
        (7325, "2 h 2 min", "2 小时 2 分"),
    ],
)
def test_a_duration_has_its_two_largest_units(site: Flask, seconds: float, english: str, chinese: str) -> None:
    with site.test_request_context(headers={"Accept-Language": "en"}):
        assert language.duration(seconds) == english
    with site.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert language.duration(seconds) == chinese
