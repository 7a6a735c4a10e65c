"""Which line what stands on: elements that are blocks, and statements, each on their own; what is glued stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tests.templates.expressions import WIDTH, expression, opening, statement
from tests.templates.scanning import Node, end_of_tag, keyword, parsed, tag_name

INLINE = {"a", "abbr", "b", "bdi", "br", "button", "code", "em", "i", "img", "input", "kbd", "label", "mark", "option"}
INLINE |= {
    "output",
    "q",
    "s",
    "select",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "svg",
    "time",
    "u",
    "use",
    "var",
    "wbr",
}
WORDS = {"title"}  # blocks in which white space means something
CALL = re.compile(r"\{\{-?\s*(?:\w+\.\w+|caller|_?\w*row|_\w+)\(")  # of a macro, which writes elements
TELLS = re.compile(r"\{\{-?\s*(?:words\.\w+|_|t|n?p?gettext|ago|exact|number)\(")
INLINE_CALL = re.compile(r"\{\{-?\s*(?:icons?|status|chips?|copy|keys?|buttons?)\.\w+\(")
VERBATIM = "\0"  # before a line that keeps its own indentation
NOTHING, SPACE, TEXT, IN_LINE, APART = "nothing", "space", "text", "in line", "apart"


def formatted(source: str) -> str:
    """The template, laid out."""
    return "".join(f"{line.lstrip(VERBATIM).rstrip()}\n" for line in _lines(parsed(source), 0))


def _role(node: Node) -> str:
    """What white space beside a node means: something beside text and what stands in a line with it."""
    if node.kind == "text":
        return TEXT if node.source.strip() else SPACE
    if node.kind in ("statement", "comment"):
        return NOTHING
    if node.kind == "expression":
        if TELLS.match(node.source) or not CALL.match(node.source):
            return TEXT
        return IN_LINE if INLINE_CALL.match(node.source) else APART
    if node.kind == "block":
        return _role_of_block(node)
    return IN_LINE if tag_name(node.source) in INLINE else APART


def _role_of_block(node: Node) -> str:
    word = keyword(node.parts[0][0])
    if word in ("macro", "block", "call"):
        return APART
    roles = {_role(child) for __, children in node.parts for child in children}
    if word == "set":
        return NOTHING
    return next((role for role in (TEXT, IN_LINE, APART) if role in roles), NOTHING)


def _lines(nodes: Iterable[Node], indent: int) -> list[str]:
    """The lines of what stands side by side, each relative to *indent*."""
    lines: list[str] = []
    run: list[Node] = []  # what may not be parted

    def end_run() -> None:
        while run and _role(run[-1]) == SPACE:
            run.pop()
        if run:
            lines.extend(_node(run[0], indent) if len(run) == 1 else _glued(run, indent))
        run.clear()

    for node in _without_long_space(nodes):
        role = _role(node)
        if role == SPACE and "\n" in node.source:
            end_run()
            if node.source.count("\n") > 1 and lines and lines[-1]:
                lines.append("")
        elif role != SPACE or run:
            if run and role != SPACE and _parts(run, role):
                end_run()
            run.append(node)
    end_run()
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _without_long_space(nodes: Iterable[Node]) -> list[Node]:
    """Texts taken apart at the ends of their lines."""
    found: list[Node] = []
    for node in nodes:
        if node.kind == "text":
            parts = re.findall(r"\s+|\S(?:.*?\S)?(?=\s*\n|\s*$)|\S+", node.source, re.S)
            found += [Node("text", part) for part in parts]
        else:
            found.append(node)
    return found


def _parts(run: Sequence[Node], role: str) -> bool:
    """Whether a line may end before what has this role."""
    before = next(_role(node) for node in reversed(run) if _role(node) != SPACE)
    if {NOTHING, APART} & {before, role}:
        return True
    has_text = any(_role(node) == TEXT for node in run)
    return before == role == IN_LINE and not has_text and _role(run[-1]) != SPACE


def _is_leaf(children: Sequence[Node]) -> bool:
    return _is_slot(children) or all(_role(child) in (TEXT, SPACE, IN_LINE) for child in children)


def _is_slot(children: Sequence[Node]) -> bool:
    """One block, empty or of words, for pages to fill: the element around it matches ``:empty`` while nobody does."""
    if len(children) != 1 or children[0].kind != "block" or keyword(children[0].parts[0][0]) != "block":
        return False
    return all(_role(child) in (TEXT, SPACE) for __, inner in children[0].parts for child in inner)


def _node(node: Node, indent: int) -> list[str]:
    if node.kind == "text":
        return [line.strip() for line in node.source.strip().split("\n")]
    if node.kind == "expression":
        return expression(node.source, indent)
    if node.kind == "statement":
        return statement(node.source, indent)
    if node.kind == "comment":
        return [f"{VERBATIM if at else ''}{line}" for at, line in enumerate(_comment(node.source, indent))]
    if node.kind == "verbatim":
        return _verbatim(node.source, indent)
    if node.kind == "element":
        return _element(node, indent)
    if node.kind == "block":
        return _block(node, indent)
    fits = len(node.source) + indent <= WIDTH or node.kind == "close"
    return [node.source] if fits else opening(node.source, indent)


def _comment(source: str, indent: int) -> list[str]:
    lines: list[str] = []
    for at, line in enumerate(source.split("\n")):
        hanging = len(line) - len(line.lstrip()) if at else 0
        room = WIDTH - (0 if at else indent)
        while len(line) > room and (cut := line.rfind(" ", hanging + 4, room)) > 0:
            lines.append(line[:cut].rstrip())
            line, room = " " * ((hanging or 3) + 2) + line[cut + 1 :], WIDTH
        lines.append(line)
    return lines


def _verbatim(source: str, indent: int) -> list[str]:
    """An element whose white space is shown: only its tag is laid out."""
    lines = source.split("\n")
    if len(lines[0]) + indent <= WIDTH:
        return [lines[0], *(VERBATIM + line for line in lines[1:])]
    tag = source[: end_of_tag(source, 0)]
    opened = opening(tag, indent)
    first, *others = source[len(tag) :].split("\n")
    return [*opened[:-1], opened[-1] + first, *(VERBATIM + line for line in others)]


def _element(node: Node, indent: int) -> list[str]:
    name, flat = tag_name(node.source), node.flat
    if "\n" not in flat and len(flat) + indent <= WIDTH and (name in INLINE or _is_leaf(node.children)):
        return [flat]
    opened = [node.source]
    if "\n" in node.source or len(node.source) + indent > WIDTH:
        opened = opening(node.source, indent)
    inner = _lines(node.children, indent + 2)
    if not inner:
        if len(opened) == 1 and len(node.source + node.end) + indent > WIDTH:
            opened = opening(node.source, indent)
        return [*opened[:-1], opened[-1] + node.end]
    roles = {_role(child) for child in node.children}
    if TEXT in roles and name in INLINE | WORDS and APART not in roles:
        return _glued([node], indent)
    return [*opened, *_indented(inner), node.end]


def _block(node: Node, indent: int) -> list[str]:
    flat = node.flat
    if "\n" not in flat and len(flat) + indent <= WIDTH and all(_is_leaf(children) for __, children in node.parts):
        return [flat]
    roles = {_role(child) for __, children in node.parts for child in children}
    if keyword(node.parts[0][0]) in ("if", "for") and TEXT in roles and APART not in roles:
        return _glued([node], indent)
    lines: list[str] = []
    for said, children in node.parts:
        lines += [*statement(said, indent), *_indented(_lines(children, indent + 2))]
    return [*lines, node.end]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" if line and not line.startswith(VERBATIM) else line for line in lines]


def _glued(run: Sequence[Node], indent: int) -> list[str]:
    """What may not be parted, in one line if it fits; else with breaks where no white space comes of them."""
    whole = "".join(node.flat for node in run).strip()
    if "\n" not in whole and len(whole) + indent <= WIDTH:
        return [whole]
    writer = _Glued(indent)
    for node in run:
        writer.write(node)
    return [line.rstrip() for line in writer.lines]


class _Glued:
    def __init__(self, indent: int) -> None:
        self.indent, self.lines = indent, [""]

    @property
    def room(self) -> int:
        return WIDTH - self.indent - len(self.lines[-1])

    def write(self, node: Node) -> None:
        flat = node.flat
        if "\n" not in flat and len(flat) <= self.room or node.kind in ("statement", "comment", "close", "verbatim"):
            self.lines[-1] += flat
        elif node.kind == "text":
            self.write_text(node.source)
        elif node.kind == "expression":
            self.add(expression(node.source, self.indent, self.indent + len(self.lines[-1])))
        elif node.kind == "block":
            for said, children in node.parts:
                self.write_statement(said)
                for child in children:
                    self.write(child)
            self.write_statement(node.end)
        else:
            self.add(opening(node.source, self.indent) if " " in node.source else [node.source])
            for child in node.children:
                self.write(child)
            self.lines[-1] += node.end

    def write_text(self, text: str) -> None:
        for part in re.split(r"(\s+)", text):
            if part.isspace() and ("\n" in part or self.room < 30):
                self.lines.append("")
            else:
                self.lines[-1] += part

    def write_statement(self, said: str) -> None:
        """In a new line if this one is nearly full: then the statement takes the white space before it away."""
        if self.lines[-1].strip() and len(said) + 60 > self.room and not self.lines[-1].endswith(" "):
            said = said if said.startswith("{%-") else f"{{%-{said[2:]}"
            self.lines.append("")
        self.lines[-1] += said

    def add(self, lines: Sequence[str]) -> None:
        self.lines[-1] += lines[0]
        self.lines += lines[1:]
