"""JSON of others."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]  # an object whose shape is somebody else's: Kubernetes', or a document's as it came
