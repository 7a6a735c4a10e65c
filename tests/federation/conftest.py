"""Two sites at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.federation.pair import Pair, paired


@pytest.fixture(scope="module")
def pair(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A site with the IAM, and one that uses it."""
    with paired(tmp_path_factory.mktemp("pair"), redis_url) as made:
        yield made
