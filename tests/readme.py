"""README.md as its readers follow it: sections, numbered steps with what they name, blocks of code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
MARKED = re.compile(r"\*\*(.+?)\*\*|\*(.+?)\*|`(.+?)`", re.S)


@dataclass
class Step:
    """A step of a numbered list. ``words`` are what it marks as bold, italic or code, in the order in which it is
    done.
    """

    text: str
    words: list[str]

    def next(self) -> str:
        """The next thing that the step names."""
        assert self.words, f"the README names nothing more in: {self.text}"
        return self.words.pop(0)

    def done(self) -> None:
        """Everything that the step names was followed."""
        assert not self.words, f"nobody followed {self.words} in: {self.text}"


def section(title: str) -> str:
    """What stands under a heading.

    :raises KeyError: there is none
    """
    found = dict(part.split("\n", 1) for part in (ROOT / "README.md").read_text("utf-8").split("\n## ")[1:])
    return found[title]


def steps(title: str) -> list[Step]:
    """The numbered steps of a section."""
    listed = re.split(r"\n\n(?!\d)", section(title).strip())[0]
    texts = [" ".join(text.split()) for text in re.split(r"(?m)^\d+\. ", listed)[1:]]
    return [Step(text, [next(filter(None, match)) for match in MARKED.findall(text)]) for text in texts]


def blocks(title: str, language: str) -> list[str]:
    """The blocks of code of a section."""
    return re.findall(rf"```{language}\n(.*?)```", section(title), re.S)
