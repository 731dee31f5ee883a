"""From facts to what the templates set: texts that fit, times for readers, pairs of columns, figures."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from audit.compliance.acts import verb_words
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
    SignatureFact,
    TrailSection,
    VerdictFact,
)
from audit.compliance.reports.pdf.letters import Letters, Text
from audit.compliance.reports.pdf.plots import plot

View = dict[str, Any]

# What typesetting takes of memory, as measured. A volume that comes to so much goes on in short: few rows of a list,
# texts cut early, no curves, and of the rules those that are not met. Each cut says so.
BYTES_OF_A_CELL: Final = 17_000
BYTES_OF_A_FLAT_CELL: Final = 9_000
BYTES_OF_A_CURVE: Final = 500_000
BYTES_OF_A_LETTER: Final = 60
VOLUME_BYTES: Final = 2_600_000_000
ROWS_OF_A_LIST: Final = 2_000
ROWS_IN_SHORT: Final = 5
# Fields that stand on one line where they are plain and have at most so many letters.
FLAT: Final = {"files": {"path": 45}, "metrics": {"key": 24, "last": 21, "least": 21, "greatest": 21, "better": 8}}
COLUMNS: Final = {"datasets": 5, "metrics": 7, "files": 3, "findings": 4, "events": 5, "verdicts": 12, "rules": 3}
TEXT_IN_SHORT: Final = 300
PLOTS_OF_A_RUN: Final = 8
TALL: Final = 250  # letters of a narrow cell: a row whose cells have fewer stays on one page
TALL_WHERE_WIDE: Final = {
    "change": 1_000,
    "words": 600,
    "fix": 400,
    "reason": 400,
    "text": 600,
    "comment": 1_500,
    "person": 2_500,
}
LABEL_MAX: Final = 120
HALF: Final = 42  # rows of two tables that stand side by side
UNMET: Final = ("fail", "missing")
WHOLE: Final = frozenset({"sha256", "digest", "uid", "log_root", "key_id", "profile_digest"})

_HEX = re.compile(r"[0-9a-f]{32}")
_LINK = re.compile(r"https?://[!-~]+")
TIMES: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(\.\d+)?(?:Z|\+00:00)")


class Layout:
    """One volume. It sees its sections one by one, and remembers only what had to be replaced or cut."""

    def __init__(self, head: Head, *, volume: int, of: int, digest: str) -> None:
        self.head, self.volume, self.of, self.digest = head, volume, of, digest
        self.letters = Letters()
        self.is_short = False
        self.weight = 0

    def parts(self, sections: Iterable[Section]) -> Iterator[bytes]:
        """The frame, the sections in their order, and the end, each as a line of JSON."""
        yield _line(self.frame())
        for number, section in enumerate(sections, 1):
            line = _line({"number": number, "in_short": self.is_short, **self.section(section)})
            self.weight += len(line) * BYTES_OF_A_LETTER
            if self.weight > VOLUME_BYTES:
                self.is_short, self.letters.text_max = True, TEXT_IN_SHORT
            yield line
        yield _line({"replaced": list(self.letters.replaced.items()), "replaced_more": self.letters.left_out})

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
        lists = ("datasets", "metrics", "files", "findings")
        self.weigh((len(section.about) + len(section.environment) + len(section.code)) * 2)
        unmet = [rule for rule in section.rules if rule.outcome in UNMET]
        met = [rule for rule in section.rules if rule.outcome not in UNMET]
        self.weigh(len(unmet if self.is_short else section.rules) * COLUMNS["rules"])
        return {
            **self._common(section, "run"),
            **{name: self.listed(name, getattr(section, name)) for name in lists},
            "events": self.listed("events", section.events, partial(self.event, of=section.id)),
            "verdicts": self.listed("verdicts", section.verdicts, self.verdict),
            "state": self.letters.line(section.state),
            "about": self.facts(section.about),
            "params": self.pairs(section.params),
            "tags": self.pairs(section.tags),
            "environment": self.facts(section.environment),
            "code": self.facts(section.code),
            "reproductions": self.facts(section.reproductions),
            "unmet": [self.rule(rule) for rule in unmet],
            "met": [] if self.is_short else [self.rule(rule) for rule in met],
            "met_count": len(met),
            "assessed": self.letters.flowing(TIMES.sub(told_time, section.assessed)),
            "changed": self.letters.flowing(section.changed),
            "summary": {
                "author": self._said(section.about, "made by", "author"),
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
            "written": [{"label": self.one_line(fact.label), **self._value(fact)} for fact in section.written],
            "recorded": [[self.one_line(name), self.facts(facts)] for name, facts in section.recorded],
            "signatures": [self.signature(signature) for signature in section.signatures],
        }

    def trail(self, section: TrailSection) -> View:
        """Events, all of them: they are the report."""
        return {
            "tag": "trail",
            "name": self.one_line(section.name),
            "events": self._weighed_events(section.events),
        }

    def _weighed_events(self, events: Sequence[EventFact]) -> list[View]:
        self.weigh(len(events) * COLUMNS["events"])
        return [self.event(event) for event in events]

    def access(self, section: AccessSection) -> View:
        """A person."""
        return {
            "tag": "access",
            "name": self.one_line(section.name),
            "id": self.letters.line(section.id) if section.id != section.name else "",
            "is_long": _is_tall("person", msgspec.json.encode(section).decode().replace("\\n", "\n")),
            "about": self.facts(section.about),
            "rights": self.pairs(section.rights),
            "why": [self.letters.flowing(TIMES.sub(told_time, why)) for why in section.why],
            "notes": [self.letters.flowing(note) for note in section.notes],
        }

    def _common(self, section: RunSection | CardSection, tag: str) -> View:
        line = self.letters.line
        names = [line(section.id), line(section.uid) if isinstance(section, RunSection) else ""]
        names.sort(key=lambda name: bool(_HEX.fullmatch(name)))  # the one that people say comes first
        is_known = isinstance(section, RunSection) and names[0] != line(section.name)
        return {
            "tag": tag,
            "name": self.one_line(section.name) or self.one_line(names[0]),
            "also": self.one_line(names[0]) if is_known and section.name else "",
            "uid": names[1],
            "url": self.letters.flowing(section.url),
            "href": section.url if _LINK.fullmatch(section.url) else "",
            "gaps": [self.letters.flowing(TIMES.sub(told_time, gap)) for gap in section.gaps],
            "chain": self.view(section.chain),
        }

    def text(self, value: str, name: str = "") -> Text:
        """A text for its place: digests stay whole, times are written for readers."""
        if name in WHOLE:
            return self.letters.line(value)
        if name == "recalled":
            return self.letters.flowing(TIMES.sub(told_time, value))
        if name == "at" or name.endswith("_at"):
            return self.letters.flowing(readable_time(value))
        return self.letters.flowing(readable_time(value, exact=True) if name == "as_of" else value)

    def one_line(self, value: str) -> Text:
        """A name, for headings and links."""
        return self.letters.flowing(self.letters.line(value))

    def view(self, struct: msgspec.Struct) -> View:
        """Its fields with their texts ready to be set. is_long: it may be parted over pages."""
        fields = msgspec.to_builtins(struct)
        is_long = any(_is_tall(name, value) for name, value in fields.items() if isinstance(value, str))
        return {**{name: self._ready(value, name) for name, value in fields.items()}, "is_long": is_long}

    def _ready(self, value: Any, name: str) -> Any:
        if isinstance(value, str):
            return self.text(value, name)
        if isinstance(value, dict):
            return {key: self._ready(inner, key) for key, inner in value.items()}
        return f"{value:,}" if type(value) is int and name in ("size_bytes", "points", "step") else value

    def weigh(self, cells: int, *, is_flat: bool = False) -> None:
        """Count cells of tables towards what the volume may take."""
        self.weight += cells * (BYTES_OF_A_FLAT_CELL if is_flat else BYTES_OF_A_CELL)

    def shown(self, rows: Sequence[Any]) -> Sequence[Any]:
        """As many of them as are printed."""
        return rows[: ROWS_IN_SHORT if self.is_short else ROWS_OF_A_LIST]

    def listed(self, name: str, rows: Sequence[Any], make: Callable[[Any], View] | None = None) -> View:
        """The rows that are shown, and how many there are."""
        shown = self.shown(rows)
        is_flat = name in FLAT and all(_fits(row, FLAT[name]) for row in shown)
        self.weigh(len(shown) * COLUMNS[name], is_flat=is_flat)
        return {"rows": [(make or self.view)(row) for row in shown], "is_flat": is_flat, **_rest(len(shown), len(rows))}

    def rule(self, rule: RuleFact) -> View:
        """A rule with its texts; 'marked' is how its outcome is drawn."""
        return {**self.view(rule), "marked": rule.outcome}

    def event(self, event: EventFact, of: str = "") -> View:
        """An event, its act in words. of: the run in whose section it stands. A place below 0: it has none so far."""
        place = {"seq": f"{event.seq}" if event.seq >= 0 else "–", "did": self.one_line(verb_words(event.verb))}
        if of and event.subject == f"experiments.run {of}":
            place["subject"] = "this run"
        return {**self.view(event), **place, "refused": event.outcome not in ("", "done", "ok")}

    def verdict(self, verdict: VerdictFact) -> View:
        """A round of review; 'broken' where its signature does not hold."""
        signature = verdict.signature
        return {**self.view(verdict), "signature": self.signature(signature) if signature else None}

    def signature(self, signature: SignatureFact) -> View:
        """A signature."""
        return {**self.view(signature), "broken": bool(re.search(r"\bnot\b", signature.holds))}

    def plots(self, curves: Sequence[Curve]) -> View:
        """The first curves as figures."""
        shown = curves[: 0 if self.is_short else PLOTS_OF_A_RUN]
        self.weight += len(shown) * BYTES_OF_A_CURVE
        drawn = [(curve, plot(curve)) for curve in shown]
        flowing, line = self.letters.flowing, self.letters.line
        return {
            "plots": [
                {**made, "key": flowing(curve.key), "alt": f"{line(curve.key)}. {made['alt']}"}
                for curve, made in drawn
                if made
            ],
            "undrawn": [flowing(curve.key) for curve, made in drawn if not made],
            "plots_left": len(curves) - len(shown),
        }

    def facts(self, facts: Sequence[Fact]) -> list[list[View]]:
        """Facts in rows: two short ones side by side, a long one alone."""
        rows: list[list[View]] = []
        waiting = False
        for fact in facts:
            view = {"label": self.letters.flowing(shortened(fact.label, LABEL_MAX)), **self._value(fact)}
            is_short = len(fact.value) <= 36 and "\n" not in fact.value and len(fact.label) <= 22
            if is_short and waiting:
                rows[-1].append(view)
            else:
                rows.append([view])
            waiting = is_short and len(rows[-1]) == 1
        return rows

    def _value(self, fact: Fact) -> View:
        digest = re.fullmatch(r"(sha256:)?[0-9a-f]{40,64}", fact.value)
        value: Text = fact.value if digest else self.letters.flowing(TIMES.sub(told_time, fact.value))
        return {"value": value, "gap": not fact.value, "mono": bool(digest)}

    def pairs(self, facts: Sequence[Fact]) -> View:
        """Names and values as they are: in two tables side by side where all are short."""
        shown = self.shown(facts)
        rows = [[self.letters.flowing(fact.label), self.letters.flowing(fact.value)] for fact in shown]
        is_flat = all(_fits(fact, {"label": 30, "value": 25}) for fact in shown)
        self.weigh(2 * len(shown), is_flat=is_flat)
        common = {"is_flat": is_flat, **_rest(len(shown), len(facts))}
        if not is_flat or len(rows) < 4:
            longest = max((len(fact.label) for fact in shown), default=0)
            share = 16 if longest <= 14 else 24 if longest <= 26 else 32
            return {"wide": rows, "blocks": [], "share": share, **common}
        blocks = [rows[start : start + 2 * HALF] for start in range(0, len(rows), 2 * HALF)]
        sides = [[block[: (len(block) + 1) // 2], block[(len(block) + 1) // 2 :]] for block in blocks]
        return {"wide": [], "blocks": sides, "share": 50, **common}

    def _said(self, facts: Sequence[Fact], *labels: str) -> Text:
        found = (fact.value for label in labels for fact in facts if fact.label.lower() == label)
        return self.letters.flowing(next(found, ""))


def _line(view: View) -> bytes:
    return msgspec.json.encode(view) + b"\n"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_tall(name: str, text: str) -> bool:
    return len(text) + 40 * text.count("\n") > TALL_WHERE_WIDE.get(name, TALL)


def _fits(row: msgspec.Struct, most: Mapping[str, int]) -> bool:
    """Whether these fields are plain and so short that each has room on one line."""
    texts = ((getattr(row, name), length) for name, length in most.items())
    return all(len(text) <= length and text.isascii() and text.isprintable() for text, length in texts)


def _rest(shown: int, whole: int) -> View:
    return {
        "count": whole,
        "whole": f"{whole:,}",
        "rest": f"{whole - shown:,}" if whole > shown else "",
        "shown": f"{shown:,}",
    }


def _share(facts: Sequence[Fact]) -> list[int]:
    return [sum(bool(fact.value) for fact in facts), len(facts)]


def readable_time(text: str, *, exact: bool = False) -> str:
    """A moment as '2026-11-22 09:52:23 UTC'; anything else as it is. exact: with its part of a second."""
    found = TIMES.fullmatch(text)
    if not found:
        return text
    part = (found[3] or "").rstrip("0").rstrip(".") if exact else ""
    return told_time(found, part)


def told_time(found: re.Match[str], part: str = "") -> str:
    """A moment that was found, as readers like it."""
    return f"{found[1]} {found[2]}{part} UTC"


def shortened(text: str, most: int) -> str:
    """The text, cut with … where it is longer."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _second(moment: str) -> int:
    try:
        return int(dt.datetime.fromisoformat(moment).timestamp())
    except ValueError:
        return 0
