"""Who asks for what no plugin of the site offers is told what is missing, and which plugin to enable (C-2)."""

from __future__ import annotations

from typing import Protocol

import pytest

from app.application import create_app
from app.config import load_settings
from app.contracts.dns import DnsRecords
from app.contracts.identity import Directory
from app.errors import ConsoleError
from app.services import find_service, need_service


class Weather(Protocol):
    """What no plugin knows."""


@pytest.mark.req("C-2", "C-3")
def test_the_error_names_the_plugin_that_would_offer_it() -> None:
    app = create_app(load_settings({"ANTSTACK_DEMO": "1", "ANTSTACK_PLUGINS": "captain", "DATABASE_URL": "sqlite://"}))

    with app.app_context():
        told = {contract: _refused(contract) for contract in (Directory, DnsRecords, Weather)}

    assert told[Directory] == (
        "The directory of people and keys is not available on this site. Enable the plugin iam in the site's settings."
    )
    assert (
        told[DnsRecords]
        == "Registration of names is not available on this site. Enable the plugin dns in the site's settings."
    )
    assert (
        told[Weather]
        == "Weather is not available on this site. Enable the plugin that offers Weather in the site's settings."
    )


def _refused(contract: type) -> str:
    assert find_service(contract) is None
    with pytest.raises(ConsoleError) as refused:
        need_service(contract)
    assert (refused.value.code, refused.value.status) == ("CORE/NOT_AVAILABLE_ON_THIS_SITE", 503)
    return f"{refused.value.reason} {refused.value.remedy}"
