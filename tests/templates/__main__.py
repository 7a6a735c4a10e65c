"""``python -m tests.templates [--check]``: lay out every template of the repository."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.templates.layout import formatted

ROOT = Path(__file__).parent.parent.parent / "templates"


def main(check: bool) -> int:
    """:returns: the exit code: 1 if some are not laid out so, and only that was asked"""
    others = [
        (path, made)
        for path in sorted(ROOT.rglob("*.html"))
        if (made := formatted(path.read_text())) != path.read_text()
    ]
    for path, made in others:
        print(f"{path.relative_to(ROOT.parent)}: {'is not laid out' if check else 'was laid out anew'}")
        if not check:
            path.write_text(made)
    return int(check and bool(others))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
