"""What the sandbox is started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The settings of one sandbox."""

    dir: Path
    port: int = 0
    registry_port: int = 0
    nodes: int = 6
    speed: float = 1.0
    kubeconfig: Path | None = None
    seed: Path | None = None
    die_with_parent: bool = False
    quiet: bool = False
    host: str = "127.0.0.1"
    version: str = "v1.37.2"
    tokens: dict[str, str] = field(default_factory=dict)
