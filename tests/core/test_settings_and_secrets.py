"""Settings that cannot work stop the start; secrets are sealed (C-1, C-70)."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from app.config import DEMO_KEYS, SettingsError, load_settings
from app.crypto import KeyMissing, KeyRing

KEY = "k1:" + base64.b64encode(b"0" * 32).decode()


@pytest.mark.req("C-70")
def test_a_start_without_a_key_or_with_the_demos_is_refused() -> None:
    with pytest.raises(SettingsError, match="ANTSTACK_KEYS is not set"):
        load_settings({})
    with pytest.raises(SettingsError, match="everybody knows"):
        load_settings({"ANTSTACK_KEYS": DEMO_KEYS})


@pytest.mark.req("C-1")
@pytest.mark.parametrize(
    ("name", "value"),
    [("ANTSTACK_PLUGINS", "iam,iam"), ("ANTSTACK_TIMEZONE", "Mars/Olympus"), ("ANTSTACK_DNS_PORT", "many"), ("ANTSTACK_URL", "here"), ("ANTSTACK_KEYS", "k1:short")],
)  # fmt: skip
def test_a_setting_that_cannot_work_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings({"ANTSTACK_KEYS": KEY, name: value})


@pytest.mark.req("C-1")
def test_settings_come_from_a_file_too_and_secrets_from_their_own(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('plugins = ["dns"]\nsite_name = "Bay"\n')
    (tmp_path / "keys").write_text(KEY + "\n")

    settings = load_settings({"ANTSTACK_CONFIG": str(tmp_path / "site.toml"), "ANTSTACK_KEYS_FILE": str(tmp_path / "keys")})

    assert settings.plugins == ("dns",)
    assert settings.site_name == "Bay"
    assert settings.keys == KEY


@pytest.mark.req("C-70")
def test_a_sealed_secret_opens_with_its_key_and_not_when_altered() -> None:
    old = KeyRing({"k1": b"1" * 32})
    both = KeyRing({"k2": b"2" * 32, "k1": b"1" * 32})
    sealed = old.seal("the secret")

    assert "the secret" not in sealed
    assert both.open(sealed) == "the secret"
    assert not both.is_current(sealed)
    with pytest.raises(KeyMissing):
        KeyRing({"k2": b"2" * 32}).open(sealed)
    with pytest.raises(KeyMissing):
        old.open(sealed[:-6] + "AAAAA=")
