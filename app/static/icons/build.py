"""Build sprite.svg out of the icons named in icons.txt and the shapes in own/.

Usage: ``python app/static/icons/build.py FOLDER``, where FOLDER is ``icons/`` of
the npm package lucide-static. A line ``name=source`` renames an icon.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
WRAPPER = re.compile(r"<svg[^>]*>(.*)</svg>", re.S)


def symbol(name: str, source: Path) -> str:
    """One ``<symbol>``, with what is common to all left to the style sheet."""
    text = re.sub(r"<!--.*?-->", "", source.read_text("utf-8"), flags=re.S)
    found = WRAPPER.search(text)
    if found is None:
        raise SystemExit(f"{source}: no <svg> in it")
    body = re.sub(r">\s+<", "><", found.group(1).strip())
    width = re.search(r'stroke-width="([\d.]+)"', text.split(">", 1)[0])
    heavy = f' stroke-width="{width.group(1)}"' if width and width.group(1) != "2" else ""
    return f'<symbol id="{name}" viewBox="0 0 24 24"{heavy}>{body}</symbol>'


def main(folder: Path) -> None:
    """Write the sprite; a name that the package does not have stops it."""
    symbols: dict[str, Path] = {}
    for line in (HERE / "icons.txt").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, source = line.strip().partition("=")
            symbols[name] = folder / f"{source or name}.svg"
    symbols.update({path.stem: path for path in (HERE / "own").glob("*.svg")})
    parts = [symbol(name, path) for name, path in sorted(symbols.items())]
    (HERE / "sprite.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(parts) + "\n</svg>\n", "utf-8"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
