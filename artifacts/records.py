"""What is asked about a dataset version: the fields of its record, their words, and how complete it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.texts import storable
from artifacts.models import VersionRecord
from kernel.errors import Invalid

TEXT_MAX = 20_000


@dataclass(frozen=True, slots=True)
class RecordField:
    """One thing to be said. choices: stored value -> word, where it is one of a few; limit: of characters."""

    name: str
    label: str
    asks: str
    limit: int
    choices: Mapping[str, str]
    counts: bool = True

    def shown(self, value: str) -> str:
        """The value in words; '' where nothing is recorded."""
        return self.choices.get(value, value) if value else ""


def _field(name: str, label: str, asks: str, *, counts: bool = True) -> RecordField:
    column = VersionRecord._meta.get_field(name)
    limit = getattr(column, "max_length", None) or TEXT_MAX
    choices = {str(value): str(word) for value, word in (getattr(column, "choices", None) or ()) if value}
    return RecordField(name, label, asks, limit, choices, counts)


FIELDS: Mapping[str, RecordField] = {
    field.name: field
    for field in (
        _field("licence", "Licence", "Under which terms may it be used? An SPDX id or a name."),
        _field("purpose", "Purpose", "What was it made for?"),
        _field("collected", "Collected", "When, where and from whom?"),
        _field("preparation", "Preparation", "Cleaning, labelling, filtering: what was done to it?"),
        _field("split_role", "Split role", "Is it for training, validation or test?"),
        _field("personal_data", "Personal data", "Does it speak of people?"),
        _field("lawful_basis", "Lawful basis", "For personal data: why may it be processed?"),
        _field("bias_note", "Bias", "Who or what is over- or underrepresented?"),
        _field("known_gaps", "Known gaps", "What is missing or wrong in it?"),
        _field("note", "Note", "Anything else that a reader should know.", counts=False),
    )
}


@dataclass(frozen=True, slots=True)
class Completeness:
    """How many of the fields that count are recorded, and the labels of those that are not."""

    recorded: int
    of: int
    gaps: tuple[str, ...]

    @property
    def words(self) -> str:
        """'3 of 9 recorded, gaps: licence, purpose'."""
        gaps = ", ".join(gap.lower() for gap in self.gaps)
        return f"{self.recorded} of {self.of} recorded" + (f", gaps: {gaps}" if gaps else "")


def completeness(record: VersionRecord | None) -> Completeness:
    """What is recorded of a version. A lawful basis is asked only where there is personal data, or nobody said so."""
    said = {name: getattr(record, name, "") or "" for name in FIELDS}
    counted = [field for field in FIELDS.values() if field.counts]
    if said["personal_data"] == VersionRecord.PersonalData.NONE:
        counted = [field for field in counted if field.name != "lawful_basis"]
    gaps = tuple(field.label for field in counted if not said[field.name])
    return Completeness(len(counted) - len(gaps), len(counted), gaps)


def checked_record(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields without outer blanks, each known, within its limit and one of its choices. Raises Invalid."""
    checked = {}
    for name, value in fields.items():
        field = FIELDS.get(name)
        if field is None:
            raise Invalid(f"A record has no field '{name[:60]}'.", hint=f"It has {', '.join(FIELDS)}.", field=name[:60])
        checked[name] = _checked(field, value)
    return checked


def _checked(field: RecordField, value: str) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{field.label} is a text.", field=field.name)
    text = storable(value.strip(), field.label, field=field.name)
    if len(text) > field.limit:
        raise Invalid(f"{field.label} has at most {field.limit:,} characters.", field=field.name)
    if text and field.choices and text not in field.choices:
        raise Invalid(
            f"{field.label} cannot be '{text[:60]}'.", hint=f"Use {', '.join(field.choices)}.", field=field.name
        )
    return text
