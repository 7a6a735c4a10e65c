"""Somebody signed in at the provider, and an application that trusts it."""

import pytest

from tests import factories
from tests.plugins.iam.provider import begin_session


@pytest.fixture
def member(tenant):
    return factories.make_member(tenant, name="Ada Lovelace", nickname="Ada")


@pytest.fixture
def app_client(tenant):
    return factories.make_oidc_client(tenant, trusted=True)


@pytest.fixture
def signed_in(client, member):
    begin_session(client, member)
    return client
