"""Workloads: the list of each kind, the pods and revisions of one (K-30)."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.captain import permissions

pytestmark = pytest.mark.req("K-30")
READS = [p for p in permissions.ALL if p.reads]


def test_a_deployment_shows_its_revisions_and_leads_to_them(as_holder_of: Any, root: str, a_pod: Any):
    person = as_holder_of(*READS)
    revision = a_pod.owner.removeprefix("ReplicaSet/")

    page = person.get(f"{root}/workloads/deployments/alpha/web").text
    assert f"{root}/workloads/replicasets/alpha/{revision}" in page
    made = person.get(f"{root}/workloads/replicasets/alpha/{revision}").text
    assert f"{root}/workloads/deployments/alpha/web" in made
    assert a_pod.name in made


def test_what_is_no_kind_of_workload_is_not_found(as_holder_of: Any, api: Any, root: str):
    person = as_holder_of(*READS)

    assert person.get(f"{root}/workloads/pods").status_code == 404
    assert api(person).get(f"/api/v1{root}/workloads/pods").status_code == 404
