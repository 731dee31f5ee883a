"""What a model card has to say: sections that people write, and those that the record fills in.

A gap is shown as one: nothing here is invented where nothing was recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

NOT_RECORDED: Final = "not recorded"

# key -> (title, what belongs there)
WRITTEN: Final[Mapping[str, tuple[str, str]]] = {
    "intended_use": ("Intended use", "What it is for, for whom, and what it is not for."),
    "limits": ("Known limits", "Where it fails, and how one sees that it does."),
    "bias": ("Bias examined", "Which groups and conditions were looked at, how, and what came out."),
    "oversight": ("Human oversight", "Who watches it, and how they step in."),
    "ethics": ("Ethical considerations", "Whom it may harm, and what is done about it."),
    "how_to_use": ("How to use it", "How it is loaded and called, and what it expects."),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line that the record fills in. value '': nothing was recorded. url: where it comes from."""

    label: str
    value: str = ""
    url: str = ""

    @property
    def is_gap(self) -> bool:
        """Whether nothing was recorded."""
        return not self.value

    @property
    def shown(self) -> str:
        """The value, or that there is none."""
        return self.value or NOT_RECORDED


@dataclass(frozen=True, slots=True)
class CardSection:
    """A part of a card. text: what a person wrote, '' for nothing yet; prompt: what belongs there."""

    key: str
    title: str
    facts: list[Fact] = field(default_factory=list)
    text: str = ""
    prompt: str = ""
    written_by: str = ""
    written_at: object = None
    is_written: bool = False

    @property
    def is_gap(self) -> bool:
        """Whether nothing is known here: no text where one belongs, or no fact at all."""
        return not self.text if self.is_written else all(fact.is_gap for fact in self.facts)

    @property
    def gaps(self) -> int:
        """How many things are not recorded."""
        return int(self.is_gap) if self.is_written else sum(fact.is_gap for fact in self.facts)


@dataclass(frozen=True, slots=True)
class Card:
    """The card of one version, section by section."""

    sections: list[CardSection]

    def __getitem__(self, key: str) -> CardSection:
        for section in self.sections:
            if section.key == key:
                return section
        raise KeyError(key)

    @property
    def gaps(self) -> int:
        """How many things are not recorded, in all."""
        return sum(section.gaps for section in self.sections)
