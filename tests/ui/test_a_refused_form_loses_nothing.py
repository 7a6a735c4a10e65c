"""A form that is refused comes back as it was sent, with what is wrong beside the field and a link to it on top
(C-51).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.db import db
from plugins.dns import permissions as dns
from plugins.dns.models import Zone
from plugins.yunyou import permissions as yunyou
from plugins.yunyou.environments.models import Environment
from tests.plugins.dns.makers import zone_of
from tests.plugins.yunyou.makers import environment_of

HTML = {"Accept": "text/html"}


@pytest.fixture
def environment(tenant: Any) -> Environment:
    """An environment of the tenant."""
    found: Environment = db.session.get(Environment, environment_of(tenant.id))
    return found


@pytest.mark.req("C-51")
def test_a_refused_record_keeps_its_values(as_holder_of: Callable[..., Any], tenant: Any) -> None:
    zone = db.session.get(Zone, zone_of(tenant.id)[0]).name
    sent = {"name": "mail", "type": "A", "values": "not an address\n192.0.2.7", "ttl": "60"}

    answer = as_holder_of(dns.ZONE_READ, dns.RECORD_EDIT).post(f"/dns/zones/{zone}/records", data=sent, headers=HTML)

    assert answer.status_code == 422
    assert "not an address\n192.0.2.7</textarea>" in answer.text.replace("\r", "")
    assert 'href="#f-values"' in answer.text
    assert 'id="f-values-error"' in answer.text
    assert 'value="60"' in answer.text


@pytest.mark.req("C-51")
def test_refused_settings_of_an_environment_stay_and_are_marked(
    as_holder_of: Callable[..., Any], environment: Environment
) -> None:
    sent = {"name": "", "globalDomain": "new.example", "registry": "", "registryInsecure": "1"}

    answer = as_holder_of(yunyou.ENVIRONMENT_READ, yunyou.ENVIRONMENT_EDIT).post(
        f"/yunyou/environments/{environment.id}", data=sent, headers=HTML
    )

    assert answer.status_code == 422
    assert 'href="#f-name"' in answer.text
    assert 'value="new.example"' in answer.text
    before, after = answer.text.split('id="f-globalDomain"')
    assert '<span class="changed">' in before
    assert 'data-initial=""' in after


@pytest.mark.req("C-51")
def test_settings_of_an_environment_are_cleared_and_switched_off(
    as_holder_of: Callable[..., Any], environment: Environment
) -> None:
    environment.access_address, environment.registry_insecure = "192.0.2.1", True
    db.session.commit()

    answer = as_holder_of(yunyou.ENVIRONMENT_READ, yunyou.ENVIRONMENT_EDIT).post(
        f"/yunyou/environments/{environment.id}", data={"name": "Renamed", "accessAddress": ""}, headers=HTML
    )

    assert answer.status_code == 303
    db.session.refresh(environment)
    assert (environment.name, environment.access_address, environment.registry_insecure) == ("Renamed", "", False)
