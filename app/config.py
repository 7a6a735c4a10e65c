"""The site's settings: read once at start from the environment or one TOML file, checked, then frozen."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

REDIS = ("redis://", "rediss://", "unix://", "redis+sentinel://", "rediss+sentinel://")
PLUGINS = ("iam", "yunyou", "captain", "dns", "openapi")
CLAIMS = ("roles", "tenant", "login", "name")
DEMO_KEYS = "demo:" + base64.b64encode(b"antstack demo key, never for use").decode()
S = TypeVar("S")


class SettingsError(Exception):
    """A setting that stops the start; the message names it and says what to write instead."""


@dataclass(frozen=True, slots=True)
class Source:
    """What was set: the environment, and the values of the TOML file, whose key for ``ANTSTACK_A_B`` is ``a_b``."""

    environ: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, object] = field(default_factory=dict)

    def read(self, kind: type[S]) -> S:
        """The settings that the fields of the dataclass *kind* name in their metadata (``env``), converted to the type
        of their defaults.

        :raises SettingsError: naming the setting that cannot be used, and why
        """
        values: dict[str, object] = {}
        for item in declared(kind):
            name = item.metadata["env"]
            raw = _read(self.environ, name, self.written.get(key_of(name)))
            if raw is not None:
                values[item.name] = _convert(name, item.default, raw)
        return kind(**values)


def declared(kind: type) -> list[Field[Any]]:
    """The fields of a dataclass that can be set."""
    return [item for item in fields(kind) if "env" in item.metadata]


def key_of(env: str) -> str:
    """What a setting is called in the TOML file."""
    return env.removeprefix("ANTSTACK_").lower()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything of the core that can be set. The environment name of a field is in its metadata."""

    plugins: tuple[str, ...] = field(default=PLUGINS, metadata={"env": "ANTSTACK_PLUGINS"})
    url: str = field(default="http://127.0.0.1:8080", metadata={"env": "ANTSTACK_URL"})
    database_url: str = field(default="sqlite:///var/antstack.db", metadata={"env": "DATABASE_URL"})
    redis_url: str = field(default="redis://127.0.0.1:6379/0", metadata={"env": "REDIS_URL"})
    keys: str = field(default="", metadata={"env": "ANTSTACK_KEYS"})
    timezone: str = field(default="Asia/Shanghai", metadata={"env": "ANTSTACK_TIMEZONE"})
    site_name: str = field(default="AntStack", metadata={"env": "ANTSTACK_SITE_NAME"})
    demo: bool = field(default=False, metadata={"env": "ANTSTACK_DEMO"})
    oidc_issuer: str = field(default="", metadata={"env": "OIDC_ISSUER"})
    oidc_client_id: str = field(default="antstack-console", metadata={"env": "OIDC_CLIENT_ID"})
    oidc_client_secret: str = field(default="", metadata={"env": "OIDC_CLIENT_SECRET"})
    oidc_scope: str = field(default="openid profile email", metadata={"env": "OIDC_SCOPE"})
    oidc_claims: str = field(default="", metadata={"env": "OIDC_CLAIMS"})
    allow_local_addresses: bool = field(default=False, metadata={"env": "ANTSTACK_ALLOW_LOCAL_ADDRESSES"})
    trusted_proxies: int = field(default=0, metadata={"env": "ANTSTACK_TRUSTED_PROXIES"})
    connections_per_address: int = field(default=256, metadata={"env": "ANTSTACK_CONNECTIONS_PER_ADDRESS"})
    threads: int = field(default=64, metadata={"env": "ANTSTACK_THREADS"})
    statement_seconds: int = field(default=30, metadata={"env": "ANTSTACK_STATEMENT_SECONDS"})
    session_idle_minutes: int = field(default=120, metadata={"env": "ANTSTACK_SESSION_IDLE_MINUTES"})
    session_hours: int = field(default=12, metadata={"env": "ANTSTACK_SESSION_HOURS"})
    audit_folder: str = field(default="var/audit", metadata={"env": "ANTSTACK_AUDIT_FOLDER"})
    metrics_token: str = field(default="", metadata={"env": "ANTSTACK_METRICS_TOKEN"})
    log_level: str = field(default="INFO", metadata={"env": "ANTSTACK_LOG_LEVEL"})
    source: Source = field(default=Source(), repr=False, compare=False)  # where plugins find theirs

    @property
    def secure(self) -> bool:
        """Whether the site is reached over TLS, so that cookies may be Secure."""
        return self.url.startswith("https://")

    @property
    def issuer(self) -> str:
        """The OpenID provider that signs people in: another site's IAM, or this site's own."""
        return self.oidc_issuer or self.url

    @property
    def claims(self) -> dict[str, str]:
        """Where a provider that is no AntStack IAM says what:
        ``OIDC_CLAIMS=roles=claim,tenant=claim,login=claim,name=claim``.
        """
        return dict(pair.strip().split("=", 1) for pair in self.oidc_claims.split(",") if pair.strip())

    @property
    def key_ring(self) -> dict[str, bytes]:
        """Encryption keys by name, the first one writes: ``ANTSTACK_KEYS=name:base64,name:base64``."""
        return _key_ring(self.keys)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the settings.

    :raises SettingsError: naming the setting that cannot be used, and why
    """
    environ = os.environ if environ is None else environ
    source = Source(dict(environ), _toml(environ.get("ANTSTACK_CONFIG", "")))
    return check(replace(source.read(Settings), source=source))


def load_plugin_settings(kinds: Iterable[type], source: Source) -> dict[type, object]:
    """Read the settings that plugins declare.

    :raises SettingsError: two name the same, one cannot be used, or the file sets what nobody declares
    """
    found: dict[type, object] = {kind: source.read(kind) for kind in kinds}
    names = [item.metadata["env"] for kind in (Settings, *found) for item in declared(kind)]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"{name} is declared twice, by two plugins or by one and the core")
    unknown = sorted(source.written.keys() - {key_of(name) for name in names})
    if unknown:
        raise SettingsError(f"ANTSTACK_CONFIG sets what no enabled plugin knows: {', '.join(unknown)}")
    return found


def check(settings: Settings) -> Settings:
    """Refuse settings that cannot work or are not safe.

    :raises SettingsError: naming the setting
    """
    if not settings.plugins:
        raise SettingsError("ANTSTACK_PLUGINS names no plugin; write for example ANTSTACK_PLUGINS=iam,yunyou")
    if len(set(settings.plugins)) != len(settings.plugins):
        raise SettingsError("ANTSTACK_PLUGINS names a plugin twice")
    if settings.demo and not settings.keys:
        settings = replace_keys(settings, DEMO_KEYS)
    if not settings.keys:
        raise SettingsError(
            "ANTSTACK_KEYS is not set; make one with: python -c "
            "'import base64,secrets; print(\"k1:\" + base64.b64encode(secrets.token_bytes(32)).decode())'"
        )
    if settings.keys == DEMO_KEYS and not settings.demo:
        raise SettingsError("ANTSTACK_KEYS is the demo's key, which everybody knows; make one of your own")
    _key_ring(settings.keys)
    try:
        ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingsError(f"ANTSTACK_TIMEZONE: there is no time zone {settings.timezone!r}") from None
    if not settings.url.startswith(("http://", "https://")):
        raise SettingsError("ANTSTACK_URL must begin with http:// or https://")
    if not settings.redis_url.startswith(REDIS):
        raise SettingsError(f"REDIS_URL must begin with one of {', '.join(REDIS)}")
    _check_provider(settings)
    return settings


def _check_provider(settings: Settings) -> None:
    parts = [pair.strip().partition("=") for pair in settings.oidc_claims.split(",") if pair.strip()]
    if any(name not in CLAIMS or not claim for name, _, claim in parts) or (parts and "roles" not in settings.claims):
        raise SettingsError(
            "OIDC_CLAIMS is written roles=groups,tenant=org,login=email,name=name; roles is needed, the rest may be "
            "left out"
        )


def replace_keys(settings: Settings, keys: str) -> Settings:
    """The same settings with another key ring."""
    return replace(settings, keys=keys)


def _toml(path: str) -> dict[str, object]:
    if not path:
        return {}
    import tomllib  # few sites have a file

    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"ANTSTACK_CONFIG: {path} cannot be read: {error}") from error


def _read(environ: Mapping[str, str], name: str, written: object) -> object | None:
    if name in environ:
        return environ[name]
    if path := environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text("utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{name}_FILE: {error}") from error
    return written


def _convert(name: str, default: object, raw: object) -> object:
    if isinstance(default, tuple):
        parts = raw.split(",") if isinstance(raw, str) else list(raw)  # type: ignore[call-overload]
        return tuple(str(part).strip() for part in parts if str(part).strip())
    if isinstance(default, bool):
        return raw if isinstance(raw, bool) else str(raw).lower() in ("1", "true", "yes", "on")
    if isinstance(default, int):
        try:
            return int(str(raw))
        except ValueError:
            raise SettingsError(f"{name} must be a whole number, not {raw!r}") from None
    return str(raw).rstrip("/") if name in ("ANTSTACK_URL", "OIDC_ISSUER") else str(raw)


def _key_ring(keys: str) -> dict[str, bytes]:
    ring: dict[str, bytes] = {}
    for part in keys.split(","):
        name, _, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise SettingsError(f"ANTSTACK_KEYS: the key {name!r} is not Base64") from None
        if not name or len(key) != 32:
            raise SettingsError("ANTSTACK_KEYS: each key is name:Base64 of 32 bytes")
        ring[name] = key
    return ring
