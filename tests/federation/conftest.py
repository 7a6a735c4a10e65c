"""Two sites at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests import factories
from tests.federation.pair import SECRET, Served, serve
from tests.live import free_port


@dataclass
class Pair:
    """``iam`` has the people; ``other`` is a site without them. ``client_id`` is the other one's at the IAM."""

    iam: Served
    other: Served
    client_id: str


@pytest.fixture(scope="module")
def pair(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A site of the plugins iam and openapi, and one of yunyou and openapi that uses it."""
    folder, port = tmp_path_factory.mktemp("pair"), free_port()
    url = f"http://localhost:{port}"
    with serve(folder / "iam", f"{redis_url}?db=1", ANTSTACK_PLUGINS="iam,openapi") as iam:
        with iam.inside():
            client_id = joined(url).client_id
        known = {"OIDC_ISSUER": iam.url, "OIDC_CLIENT_ID": client_id, "OIDC_CLIENT_SECRET": SECRET}
        plugins = {"ANTSTACK_PLUGINS": "yunyou,openapi"}
        with serve(folder / "other", f"{redis_url}?db=2", "localhost", port, **plugins, **known) as other:
            yield Pair(iam, other, client_id)


def joined(url: str, **changed: Any) -> Any:
    """The OIDC client of the site at *url*, in a tenant of its own."""
    wanted = {
        "redirect_uris": [f"{url}/auth/callback"], "post_logout_uris": [f"{url}/signed-out"],
        "backchannel_uri": f"{url}/auth/backchannel-logout", "trusted": True, "site": True, **changed,
    }  # fmt: skip
    return factories.make_oidc_client(factories.make_tenant(), SECRET, **wanted)
