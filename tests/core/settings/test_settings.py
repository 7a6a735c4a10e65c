"""Settings that cannot work stop the start; secrets are sealed (C-1, C-70)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app import site as running
from app.application import create_app
from app.config import DEMO_KEYS, SettingsError, load_plugin_settings, load_settings
from app.crypto import KeyMissing, KeyRing
from plugins.dns.settings import DnsSettings

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
    [
        ("ANTSTACK_PLUGINS", "iam,iam"),
        ("ANTSTACK_TIMEZONE", "Mars/Olympus"),
        ("ANTSTACK_THREADS", "many"),
        ("ANTSTACK_URL", "here"),
        ("ANTSTACK_KEYS", "k1:short"),
    ],
)
def test_a_setting_that_cannot_work_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings({"ANTSTACK_KEYS": KEY, name: value})


@pytest.mark.req("C-1")
def test_settings_come_from_a_file_too_and_secrets_from_their_own(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('plugins = ["dns"]\nsite_name = "Bay"\n')
    (tmp_path / "keys").write_text(KEY + "\n")

    settings = load_settings(
        {"ANTSTACK_CONFIG": str(tmp_path / "site.toml"), "ANTSTACK_KEYS_FILE": str(tmp_path / "keys")}
    )

    assert settings.plugins == ("dns",)
    assert settings.site_name == "Bay"
    assert settings.keys == KEY


def dns_of(**environ: str) -> DnsSettings:
    """What a site with the plugin dns has read of it."""
    app = create_app(
        load_settings({"ANTSTACK_DEMO": "1", "ANTSTACK_PLUGINS": "iam,dns", "DATABASE_URL": "sqlite://", **environ})
    )
    with app.app_context():
        return running.settings_of(DnsSettings)


@pytest.mark.req("C-1", "C-3")
def test_settings_of_a_plugin_come_from_the_same_places(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('dns_host = "192.0.2.1"\ndns_port = 53\n')
    (tmp_path / "port").write_text("5353\n")
    file = str(tmp_path / "site.toml")

    assert dns_of() == DnsSettings("127.0.0.1", 10053)
    assert dns_of(ANTSTACK_CONFIG=file) == DnsSettings("192.0.2.1", 53)
    assert dns_of(ANTSTACK_CONFIG=file, ANTSTACK_DNS_HOST="192.0.2.2").host == "192.0.2.2"
    assert dns_of(ANTSTACK_DNS_PORT_FILE=str(tmp_path / "port")).port == 5353


@pytest.mark.req("C-1", "C-3")
def test_settings_of_a_plugin_that_cannot_work_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ANTSTACK_DNS_PORT must be a whole number, not 'many'"):
        dns_of(ANTSTACK_DNS_PORT="many")
    with pytest.raises(SettingsError, match="ANTSTACK_DNS_PORT_FILE"):
        dns_of(ANTSTACK_DNS_PORT_FILE=str(tmp_path / "nowhere"))


@pytest.mark.req("C-1")
def test_what_nobody_declared_is_refused_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('dns_prot = 53\nsite_nam = "Bay"\n')

    with pytest.raises(SettingsError, match="dns_prot, site_nam"):
        dns_of(ANTSTACK_CONFIG=str(tmp_path / "site.toml"))


def test_two_that_declare_one_setting_stop_the_start() -> None:
    @dataclass(frozen=True)
    class Mine:
        url: str = field(default="", metadata={"env": "ANTSTACK_URL"})

    with pytest.raises(SettingsError, match="ANTSTACK_URL is declared twice"):
        load_plugin_settings([Mine], load_settings({"ANTSTACK_DEMO": "1"}).source)


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
