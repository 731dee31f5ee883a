"""What a report counts on its first page, added up as its sections go by."""

from collections import Counter
from collections.abc import Iterable

from audit.compliance.reports.facts import AccessSection, CardSection, Fact, RunSection, Section, TrailSection
from audit.compliance.rules.engine import Outcome, Severity


class Tally:
    """Counts over sections; the words of what has to be known go to the notes."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._wrong = ""
        self._changed = 0

    def add(self, sections: Iterable[Section]) -> "Tally":
        """Count some more."""
        for section in sections:
            match section:
                case RunSection():
                    self._add_run(section)
                case CardSection():
                    self._counts["Signatures"] += len(section.signatures)
                    self._counts["Gaps"] += len(section.gaps)
                    self._note_wrong(section.name, section.chain.wrong)
                case TrailSection():
                    self._counts["Refused acts"] += sum(one.outcome == "denied" for one in section.events)
                    self._counts["Acts with a reason"] += sum(bool(one.reason) for one in section.events)
                case AccessSection():
                    self._counts["People with something to look at"] += bool(section.notes)
        return self

    def _add_run(self, section: RunSection) -> None:
        self._counts[section.state] += 1
        unmet = [one for one in section.rules if not Outcome(one.outcome).is_met]
        self._counts["With rules that block"] += any(one.severity == Severity.BLOCKS.label for one in unmet)
        self._counts["Never asked by the rules"] += not section.assessed
        self._counts["With open findings"] += any(one.state != "Closed" for one in section.findings)
        self._counts["Signed verdicts"] += sum(one.signature is not None for one in section.verdicts)
        self._changed += bool(section.changed)
        self._note_wrong(section.uid, section.chain.wrong)

    def _note_wrong(self, name: str, wrong: str) -> None:
        if wrong and not self._wrong:
            self._wrong = f"The log does not verify: {name}: {wrong}."

    @property
    def counts(self) -> list[Fact]:
        """In the order in which they were met."""
        return [Fact(label, f"{number:,}") for label, number in self._counts.items()]

    @property
    def notes(self) -> list[str]:
        """What has to be known before reading on."""
        found = [self._wrong] if self._wrong else []
        if self._changed:
            runs = "run was" if self._changed == 1 else "runs were"
            words = f"{self._changed:,} {runs} changed since: their sections say so, and show what they hold now."
            found.append(words)
        return found
