"""What pages offer to do with a row: buttons, and dialogs where there is something to ask or to read first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from app.contracts.declarations import Permission
from app.db import Model
from app.words import Text, plain

M = TypeVar("M", bound=Model)
Of = TypeVar("Of", contravariant=True)


class Offer(Protocol[Of]):
    """Choices for a row that match a text: value and label of some."""

    __name__: str

    def __call__(self, row: Of, text: str, /) -> Sequence[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class Button(Generic[M]):
    """How a page offers an action of a row, ``{name}`` in its words. It is a dialog if it has a *body*, or asks.

    :param verb: the end of its endpoint, and of its address unless this has another *path*
    :param said: what is said afterwards
    :param title: what its dialog is called, if not as the button; *submit* is on the dialog's own button
    :param body: what is read there first
    :param when: which rows have it; *refused*: why one that has it cannot be asked now
    :param offers: what can be chosen, by argument: the first of it, and what is found by typing
    :param menu: whether it is in the menu of each row; if not, a page puts it where it wants
    :param leaves: whether the row is gone afterwards
    :param typed: whether the row's name is to be typed before
    """

    verb: str
    label: Text
    said: Text = field(default_factory=lambda: plain(""))
    icon: str = ""
    danger: bool = False
    confirm: Text | None = None
    title: Text | None = None
    submit: Text | None = None
    body: Callable[[M], Text] | None = None
    when: Callable[[M], bool] = lambda _row: True
    refused: Callable[[M], Text | None] = lambda _row: None
    offers: Mapping[str, Offer[M]] = field(default_factory=dict)
    menu: bool = False
    leaves: bool = False
    typed: bool = False
    path: str = ""


@dataclass(frozen=True, slots=True)
class Offered(Generic[M]):
    """A button with what its action declares: whose it is, what else its address names, whether a dialog opens."""

    button: Button[M]
    permission: Permission
    arguments: tuple[str, ...] = ()
    dialog: bool = False
