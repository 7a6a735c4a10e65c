"""Periodic work of the provider, and what doctor checks of it."""

from __future__ import annotations

from plugins.iam.oidc import maintenance


def test_doctor_finds_keys_and_clock_well(app_context):
    assert maintenance.check_keys() is None
    assert maintenance.check_clock() is None


def test_maintenance_may_be_repeated(app_context):
    for _ in range(2):
        maintenance.rotate_keys()
        maintenance.sweep()
