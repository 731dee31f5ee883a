"""From facts to what the templates set: texts that fit, times for readers, pairs of columns, figures."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from audit.compliance.reports.facts import (
    AccessSection,
    CardSection,
    Curve,
    EventFact,
    Fact,
    Head,
    RuleFact,
    RunSection,
    Section,
    TrailSection,
)
from audit.compliance.reports.pdf.letters import Letters, Text
from audit.compliance.reports.pdf.plots import plot

View = dict[str, Any]

ROWS_OF_A_LIST: Final = 2_000
ROWS_OF_A_VOLUME: Final = 40_000  # after so many, lists are cut at FEW; the data annex has all of them
FEW: Final = 50
PLOTS_OF_A_RUN: Final = 8
HALF: Final = 42  # rows of two tables that stand side by side
UNMET: Final = ("fail", "missing")
WHOLE: Final = frozenset({"sha256", "digest", "uid", "log_root", "key_id", "profile_digest"})

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(\.\d+)?(?:Z|\+00:00)")


class Layout:
    """One volume. It sees its sections one by one, and remembers only what had to be replaced or cut."""

    def __init__(self, head: Head, *, volume: int, of: int, digest: str) -> None:
        self.head, self.volume, self.of, self.digest = head, volume, of, digest
        self.letters = Letters()
        self.rows = 0

    def parts(self, sections: Iterable[Section]) -> Iterator[View]:
        """The frame, the sections in their order, and the end."""
        yield self.frame()
        for number, section in enumerate(sections, 1):
            yield {"number": number, **self.section(section)}
        yield {"replaced": list(self.letters.replaced.items()), "replaced_more": self.letters.left_out}

    def frame(self) -> View:
        """First page, running head and foot, and what is said of the file itself."""
        head, line = self.head, self.letters.line
        volume = f"Volume {self.volume} of {self.of}" if self.of > 1 else ""
        title = line(head.title) or line(head.kind_words)
        return {
            **{name: self.text(value, name) for name, value in msgspec.to_builtins(head).items() if _is_text(value)},
            "kind": head.kind,
            "kind_line": line(head.kind_words),
            "title_text": self.letters.flowing(head.title or head.kind_words),
            "title": title,
            "file_title": ", ".join(filter(None, [title, line(head.project), volume])),
            "author": line(head.requested_by) or "MLED",
            "running": shortened(title, 70),
            "asker": shortened(line(head.requested_by), 40),
            "project_line": line(head.project),
            "timestamp": _second(head.requested_at),
            "log_size": f"{head.log_size:,}",
            "digest": self.digest,
            "volume": volume,
            "about": self.facts(head.about),
            "question": self.facts(head.question),
            "counts": [[line(count.label), line(count.value)] for count in head.counts],
            "notes": [self.letters.flowing(note) for note in head.notes],
        }

    def section(self, section: Section) -> View:
        """What the template of its kind needs."""
        if isinstance(section, RunSection):
            return self.run(section)
        if isinstance(section, CardSection):
            return self.card(section)
        if isinstance(section, TrailSection):
            return self.trail(section)
        return self.access(section)

    def run(self, section: RunSection) -> View:
        """All lists of a run, each with how much of it is not shown."""
        lists = ("datasets", "metrics", "files", "verdicts", "findings", "events")
        unmet = [rule for rule in section.rules if rule.outcome in UNMET]
        met = [rule for rule in section.rules if rule.outcome not in UNMET]
        return {
            **self._common(section, "run"),
            **{name: self.listed(getattr(section, name)) for name in lists},
            "events": self.listed(section.events, self.event),
            "state": self.letters.line(section.state),
            "about": self.facts(section.about),
            "params": self.pairs(section.params),
            "tags": self.pairs(section.tags),
            "environment": self.facts(section.environment),
            "code": self.facts(section.code),
            "reproductions": self.facts(section.reproductions),
            "unmet": [self.rule(rule) for rule in unmet],
            "met": [self.rule(rule) for rule in met],
            "assessed": self.text(section.assessed, "at"),
            "changed": self.letters.flowing(section.changed),
            "summary": {
                "author": self._said(section.about, "author", "logged by", "by", "owner"),
                "status": self._said(section.about, "status"),
                "recorded": [_share(section.code), _share(section.environment)],
                "reproduced": len(section.reproductions),
                "bound": [sum(bool(dataset.digest) for dataset in section.datasets), len(section.datasets)],
            },
            **self.plots(section.curves),
        }

    def card(self, section: CardSection) -> View:
        """What people wrote, and what the record says."""
        return {
            **self._common(section, "card"),
            "written": [{"label": self.letters.line(fact.label), **self._value(fact)} for fact in section.written],
            "recorded": [[self.letters.line(name), self.facts(facts)] for name, facts in section.recorded],
            "signatures": [self.view(signature) for signature in section.signatures],
        }

    def trail(self, section: TrailSection) -> View:
        """Events, all of them: they are the report."""
        return {
            "tag": "trail",
            "name": self.letters.line(section.name),
            "events": [self.event(event) for event in section.events],
        }

    def access(self, section: AccessSection) -> View:
        """A person."""
        return {
            "tag": "access",
            "name": self.letters.line(section.name),
            "id": self.letters.line(section.id),
            "about": self.facts(section.about),
            "rights": self.pairs(section.rights),
            "granted": len([fact for fact in section.rights if fact.value]),
            "why": [self.letters.flowing(why) for why in section.why],
            "notes": [self.letters.flowing(note) for note in section.notes],
        }

    def _common(self, section: RunSection | CardSection, tag: str) -> View:
        return {
            "tag": tag,
            "id": self.letters.line(section.id),
            "uid": self.letters.line(section.uid) if isinstance(section, RunSection) else "",
            "name": self.letters.line(section.name) or self.letters.line(section.id),
            "url": self.letters.flowing(section.url),
            "href": section.url if re.fullmatch(r"https?://[!-~]+", section.url) else "",
            "gaps": [self.letters.flowing(gap) for gap in section.gaps],
            "chain": self.view(section.chain),
        }

    def text(self, value: str, name: str = "") -> Text:
        """A text for its place: digests stay whole, times are written for readers."""
        if name in WHOLE:
            return self.letters.line(value)
        if name == "at" or name.endswith("_at"):
            return self.letters.flowing(readable_time(value))
        return self.letters.flowing(readable_time(value, exact=True) if name == "as_of" else value)

    def view(self, struct: msgspec.Struct) -> View:
        """Its fields with their texts ready to be set."""
        return {name: self._ready(value, name) for name, value in msgspec.to_builtins(struct).items()}

    def _ready(self, value: Any, name: str) -> Any:
        if isinstance(value, str):
            return self.text(value, name)
        if isinstance(value, dict):
            return {key: self._ready(inner, key) for key, inner in value.items()}
        return f"{value:,}" if type(value) is int and name in ("size_bytes", "points", "step") else value

    def listed(self, rows: Sequence[msgspec.Struct], make: Any = None) -> View:
        """The rows that are shown, and how many there are."""
        most = ROWS_OF_A_LIST if self.rows < ROWS_OF_A_VOLUME else FEW
        shown = rows[:most]
        self.rows += len(shown)
        return {"rows": [(make or self.view)(row) for row in shown], **_rest(len(shown), len(rows))}

    def rule(self, rule: RuleFact) -> View:
        """A rule with its texts; 'marked' is how its outcome is drawn."""
        return {**self.view(rule), "marked": rule.outcome}

    def event(self, event: EventFact) -> View:
        """An event; what it changed keeps its lines."""
        return {**self.view(event), "refused": event.outcome not in ("", "ok", "done", "success")}

    def plots(self, curves: Sequence[Curve]) -> View:
        """The first curves as figures."""
        shown = curves[:PLOTS_OF_A_RUN]
        drawn = [(curve, plot(curve)) for curve in shown]
        return {
            "plots": [
                {
                    **made,
                    "key": self.letters.flowing(curve.key),
                    "alt": f"{self.letters.line(curve.key)}. {made['alt']}",
                }
                for curve, made in drawn
                if made
            ],
            "undrawn": [self.letters.flowing(curve.key) for curve, made in drawn if not made],
            "plots_left": len(curves) - len(shown),
        }

    def facts(self, facts: Sequence[Fact]) -> list[list[View]]:
        """Facts in rows: two short ones side by side, a long one alone."""
        rows: list[list[View]] = []
        waiting = False
        for fact in facts:
            view = {"label": self.letters.flowing(fact.label), **self._value(fact)}
            is_short = len(fact.value) <= 36 and "\n" not in fact.value and len(fact.label) <= 22
            if is_short and waiting:
                rows[-1].append(view)
            else:
                rows.append([view])
            waiting = is_short and len(rows[-1]) == 1
        return rows

    def _value(self, fact: Fact) -> View:
        digest = re.fullmatch(r"(sha256:)?[0-9a-f]{40,64}", fact.value)
        value: Text = fact.value if digest else self.letters.flowing(_TIME.sub(_told, fact.value))
        return {"value": value, "gap": not fact.value, "mono": bool(digest)}

    def pairs(self, facts: Sequence[Fact]) -> View:
        """Names and values as they are: in two tables side by side where all are short."""
        most = ROWS_OF_A_LIST if self.rows < ROWS_OF_A_VOLUME else FEW
        shown = facts[:most]
        self.rows += len(shown)
        rows = [[self.letters.flowing(fact.label), self.letters.flowing(fact.value)] for fact in shown]
        is_wide = any(len(fact.label) > 30 or len(fact.value) > 26 or "\n" in fact.value for fact in shown)
        if is_wide or len(rows) < 4:
            return {"wide": rows, "blocks": [], **_rest(len(shown), len(facts))}
        blocks = [rows[start : start + 2 * HALF] for start in range(0, len(rows), 2 * HALF)]
        sides = [[block[: (len(block) + 1) // 2], block[(len(block) + 1) // 2 :]] for block in blocks]
        return {"wide": [], "blocks": sides, **_rest(len(shown), len(facts))}

    def _said(self, facts: Sequence[Fact], *labels: str) -> Text:
        found = (fact.value for label in labels for fact in facts if fact.label.lower() == label)
        return self.letters.flowing(next(found, ""))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _rest(shown: int, whole: int) -> View:
    return {"count": whole, "rest": f"{whole - shown:,}" if whole > shown else "", "shown": f"{shown:,}"}


def _share(facts: Sequence[Fact]) -> list[int]:
    return [sum(bool(fact.value) for fact in facts), len(facts)]


def readable_time(text: str, *, exact: bool = False) -> str:
    """A moment as '2026-11-22 09:52:23 UTC'; anything else as it is. exact: with its part of a second."""
    found = _TIME.fullmatch(text)
    if not found:
        return text
    part = (found[3] or "").rstrip("0").rstrip(".") if exact else ""
    return _told(found, part)


def _told(found: re.Match[str], part: str = "") -> str:
    return f"{found[1]} {found[2]}{part} UTC"


def shortened(text: str, most: int) -> str:
    """The text, cut with … where it is longer."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _second(moment: str) -> int:
    try:
        return int(dt.datetime.fromisoformat(moment).timestamp())
    except ValueError:
        return 0
