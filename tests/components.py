"""Real components that tests use: found, or skipped with a reason that the summary repeats."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

PREFIX = "missing component: "
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def missing(name: str, how: str) -> NoReturn:
    """Skip the test for want of a component; with ``ANTSTACK_NO_SKIPS=1``, as in CI, fail it.

    :param how: how to get the component
    """
    if os.environ.get("ANTSTACK_NO_SKIPS") == "1":
        pytest.fail(f"{PREFIX}{name} ({how})", pytrace=False)
    pytest.skip(f"{PREFIX}{name} ({how})")


def browser_path() -> str:
    """The Chromium of this machine; skips where there is none."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    missing("chromium", "install the package chromium")
