"""Draws ``docs/architecture.svg`` from the code, ``python docs/drawing.py``: the parts of the core and the subjects of
each plugin, in the order that import-linter keeps, with what each says of itself.
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

ROOT = Path(__file__).parent.parent
DRAWING = ROOT / "docs" / "architecture.svg"
WIDTH, MARGIN, GAP, HEAD = 1240, 20, 8, 30
ROW, SMALL, LETTER = 46, 26, 6.1  # heights of boxes with and without words, width of a letter; pixels
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2733 }
.head { font-size: 15px; font-weight: 600 }
.name { font-weight: 600 }
.small { font-size: 10.5px }
.words { font-size: 11px; fill: #5b6675 }
.area { fill: #f3f5f8; stroke: #d8dee6 }
.part { fill: #ffffff; stroke: #c3ccd8 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6eaf0 }
  .words { fill: #9aa6b5 }
  .area { fill: #171c24; stroke: #2c3542 }
  .part { fill: #202733; stroke: #3a4656 }
}
"""


def layers() -> dict[str, list[list[str]]]:
    """The layers of each package that a contract orders, from the top: ``{"app": [["cli"], ["processes"], …]}``."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found = [one for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "layers"]
    return {one["containers"][0]: [layer.split(" | ") for layer in one["layers"]] for one in found}


def sentence(package: str, part: str) -> str:
    """The first sentence of a part's docstring."""
    place = ROOT / package.replace(".", "/")
    folder, module = place / part / "__init__.py", place / f"{part}.py"
    tree = ast.parse((folder if folder.exists() else module).read_text("utf-8"))
    words = " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())
    return words.partition(". ")[0].rstrip(".").replace("``", "")


def boxes(parts: Sequence[str], package: str, x: float, y: float, width: float, height: float) -> Iterator[str]:
    """A layer: its parts side by side; with room for words, what each is."""
    look = "name small" if height == SMALL else "name"
    each = (width - GAP * (len(parts) - 1)) / len(parts)
    for at, part in enumerate(parts):
        left = x + at * (each + GAP)
        yield f'<rect class="part" x="{left:.0f}" y="{y:.0f}" width="{each:.0f}" height="{height}" rx="6"/>'
        yield f'<text class="{look}" x="{left + 8:.0f}" y="{y + 17:.0f}">{part}</text>'
        if height == ROW:
            letters = int((each - 20) / LETTER)
            said = textwrap.shorten(sentence(package, part), letters, placeholder=" …") if letters > 20 else ""
            yield f'<text class="words" x="{left + 8:.0f}" y="{y + 34:.0f}">{escape(said)}</text>'


def area(title: str, x: float, y: float, width: float, height: float) -> Iterator[str]:
    """A package, with its name."""
    yield f'<rect class="area" x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="10"/>'
    yield f'<text class="head" x="{x + 12:.0f}" y="{y + 20:.0f}">{escape(title)}</text>'


def drawn() -> str:
    """The drawing as SVG: plugins above, since they stand on the core."""
    known = layers()
    plugins = sorted((name for name in known if name.startswith("plugins.")), key=lambda name: -len(known[name]))
    widths = [max(1.0, *(len(layer) ** 0.7 for layer in known[name])) for name in plugins]
    room = WIDTH - 2 * MARGIN - GAP * (len(plugins) - 1)
    tallest = max(len(known[name]) for name in plugins) * (SMALL + GAP) + HEAD + GAP
    lines: list[str] = []
    x = float(MARGIN)
    for name, part in zip(plugins, widths, strict=True):
        width = room * part / sum(widths)
        lines += area(name.replace(".", "/"), x, MARGIN, width, tallest)
        for at, layer in enumerate(known[name]):
            lines += boxes(layer, name, x + 10, MARGIN + HEAD + at * (SMALL + GAP), width - 20, SMALL)
        x += width + GAP
    top, height = MARGIN + tallest + 2 * GAP, len(known["app"]) * (ROW + GAP) + HEAD + GAP
    lines += area("app: each layer imports those below it alone", MARGIN, top, WIDTH - 2 * MARGIN, height)
    for at, layer in enumerate(known["app"]):
        y = top + HEAD + at * (ROW + GAP)
        lines += boxes(layer, "app", MARGIN + 10, y, WIDTH - 2 * MARGIN - 20, ROW)
    whole = top + height + MARGIN
    size = f'width="{WIDTH}" height="{whole:.0f}" viewBox="0 0 {WIDTH} {whole:.0f}"'
    body = "\n".join(lines)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{STYLE}</style>\n{body}\n</svg>\n'


if __name__ == "__main__":
    DRAWING.write_text(drawn(), "utf-8")
