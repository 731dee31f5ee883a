"""The form for a run that is over: what was typed into it, and how it is shown again with what is wrong."""

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.http import QueryDict

from artifacts.pages.new_version import Sent, sent_files
from experiments.recording.pasted import merged, read_pairs
from experiments.recording.typed import kind_of
from experiments.recording.wanted import NewDataset, Pair, Wanted
from experiments.recording.whole import Whole, read_whole
from kernel.errors import MledError

EMPTY_ROWS: Final = 3
RECORD: Final = "record"  # beside the kinds: a whole record that was pasted
KINDS: Final = {"param": "params", "result": "results", "tag": "tags"}
LABELS: Final = {
    "experiment": "Experiment",
    "name": "Name of the run",
    "architecture": "Architecture",
    "email": "E-mail label",
    "dataset": "Dataset version",
    "new_dataset.name": "Name of the data",
    "new_dataset.digest": "Digest of the data",
    "new_dataset.source": "Where the data lies",
    "started": "Started",
    "ended": "Ended",
    "duration": "Duration",
    "status": "How it ended",
    "params": "Hyperparameters",
    "results": "Results",
    "tags": "Tags",
    "commit": "Commit",
    "command": "Command",
    "container": "Container image",
    "note": "Notes",
    "files": "Files",
    "record_paste": "The pasted record",
}
_MOMENTS: Final = frozenset({"started", "ended"})
_ROW = re.compile(r"(params|results|tags)\[(\d+)\]\.(key|value)")
_ROW_WORDS = {"params": "Parameter", "results": "Result", "tags": "Tag"}
_OFFSET = re.compile(r"-?\d{1,4}")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of names and values. kind: what the value is taken for; the problems: '' where there is none."""

    number: int
    key: str
    value: str
    kind: str
    key_problem: str = ""
    value_problem: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """A link of the list of problems: the id of its field, and what the field is called."""

    anchor: str
    label: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as it was typed. texts: single fields by name; rows: names and values by kind; key: the form's token."""

    texts: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, Sequence[Pair]] = field(default_factory=dict)
    sent: Sequence[Sent] = ()
    key: str = ""
    pasted: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, post: QueryDict) -> "Typed":
        """What a form sent. Raises Invalid where its list of files is none of ours."""
        return cls(
            texts={name: post.get(name, "") for name in FIELDS},
            rows={kind: _rows(post, kind) for kind in KINDS},
            sent=sent_files(post.get("uploads", "")),
            key=post.get("key", "")[:200],
            pasted={kind: post.get(f"{kind}_paste", "") for kind in (*KINDS, RECORD)},
        )

    @classmethod
    def like(cls, wanted: Wanted, key: str) -> "Typed":
        """A form that is filled already, with a token of its own."""
        texts = {name: getattr(wanted, name) for name in FIELDS if hasattr(wanted, name)}
        rows = {kind: list(getattr(wanted, plural)) for kind, plural in KINDS.items()}
        return cls(texts={**texts, "dataset_version": wanted.dataset}, rows=rows, key=key)

    @property
    def wanted(self) -> Wanted:
        """What the form wants recorded: empty rows are none."""
        texts = self.texts
        return Wanted(
            **{name: texts.get(name, "") for name in _PLAIN},
            dataset=texts.get("dataset_version", ""),
            note=texts.get("note", "").replace("\r\n", "\n"),
            new_dataset=NewDataset(*(texts.get(f"new_{part}", "").strip() for part in ("name", "digest", "source"))),
            started=_with_offset(texts.get("started", ""), texts.get("started_offset", "")),
            ended=_with_offset(texts.get("ended", ""), texts.get("ended_offset", "")),
            params=self.rows.get("param", ()),
            results=self.rows.get("result", ()),
            tags=self.rows.get("tag", ()),
            files=tuple((one.path, one.id) for one in self.sent),
        )

    @property
    def uploads(self) -> str:
        """The files that are there already, as the page's script reads them."""
        return json.dumps([{"id": one.id, "path": one.path, "size": one.size} for one in self.sent])

    def with_everything_pasted(self) -> "Typed":
        """The rows with those of every text that was pasted and not taken over. Raises Invalid."""
        typed = self
        for kind in KINDS:
            if self.pasted.get(kind, "").strip():
                typed = typed.with_pasted(kind)
        return typed

    @property
    def whole(self) -> Whole:
        """The whole record that was pasted. Raises Invalid."""
        return read_whole(self.pasted.get(RECORD, ""), f"{RECORD}_paste")

    def with_whole(self, whole: Whole, sent: Sequence[Sent]) -> "Typed":
        """The form with every field that a pasted record names, the rest as it was typed; the text is used up."""
        texts = {**self.texts, **{name: text for name, text in whole.texts.items() if name not in _MOMENTS}}
        if "dataset" in whole.texts:
            texts["dataset_version"] = texts.pop("dataset")
        for name in _MOMENTS & whole.texts.keys():
            texts[name], texts[f"{name}_offset"] = _without_offset(whole.texts[name])
        texts |= {f"new_{part}": text for part, text in whole.new_dataset.items()}
        rows = {**self.rows, **{kind: whole.rows[plural] for kind, plural in KINDS.items() if plural in whole.rows}}
        sent = tuple(sent) if whole.files else self.sent
        return replace(self, texts=texts, rows=rows, sent=sent, pasted={**self.pasted, RECORD: ""})

    def with_pasted(self, kind: str) -> "Typed":
        """The rows with those of the pasted text, which is used up. Raises Invalid."""
        pairs = read_pairs(self.pasted.get(kind, ""), f"{kind}_paste")
        rows = {**self.rows, kind: merged(self.rows.get(kind, ()), pairs)}
        return replace(self, rows=rows, pasted={**self.pasted, kind: ""})


_PLAIN = ("experiment", "name", "architecture", "duration", "status", "commit", "command", "container", "email")
FIELDS: Final = (
    *_PLAIN, "dataset_version", "new_name", "new_digest", "new_source", "started", "started_offset", "ended",
    "ended_offset", "note",
)  # fmt: skip


def _rows(post: QueryDict, kind: str) -> list[Pair]:
    """The rows of a kind in which anything stands."""
    keys, values = post.getlist(f"{kind}_key"), post.getlist(f"{kind}_value")
    pairs = zip(keys, [*values, *[""] * len(keys)], strict=False)
    return [(key.strip(), value) for key, value in pairs if key.strip() or value.strip()]


def _with_offset(text: str, offset: str) -> str:
    """A local time with the minutes that it is ahead of UTC, as the page's script tells them; else it is UTC."""
    text = text.strip()
    if not text or not _OFFSET.fullmatch(offset) or abs(int(offset)) >= 24 * 60:
        return text
    minutes = int(offset)
    sign = "-" if minutes < 0 else "+"
    return f"{text}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _without_offset(text: str) -> tuple[str, str]:
    """A moment as a field for local times holds it, and the minutes that this is ahead of UTC."""
    if not text.strip():
        return "", ""
    at = dt.datetime.fromisoformat(text.strip())
    ahead = at.utcoffset() or dt.timedelta()
    timespec = "seconds" if at.second else "minutes"
    return at.replace(tzinfo=None).isoformat(timespec=timespec), str(round(ahead.total_seconds() / 60))


def anchor_of(place: str) -> str:
    """The id of a field in the page."""
    row = _ROW.fullmatch(place)
    if row:
        kind = next(kind for kind, plural in KINDS.items() if plural == row[1])
        return f"{kind}-{row[3]}-{int(row[2]) + 1}"
    if place == "dataset":  # a field of that name would stand in the way of the form's own `dataset`
        return "dataset_version"
    if place == f"{RECORD}_paste":
        return place
    return place.replace("new_dataset.", "new_") if place in LABELS else "record-form"


def label_of(place: str) -> str:
    """What a field is called in the list of problems."""
    row = _ROW.fullmatch(place)
    return f"{_ROW_WORDS[row[1]]} {int(row[2]) + 1}" if row else LABELS.get(place, "The form")


def shown(typed: Typed, problems: Sequence[MledError] = (), *, more: str = "") -> dict[str, Any]:
    """What the template shows of a form. more: the kind of rows of which some empty ones were asked for."""
    words = {one.field: str(one) for one in problems}
    return {
        "typed": {**dict.fromkeys(FIELDS, ""), **typed.texts},
        "key": typed.key,
        "wrong": {place.replace("new_dataset.", "new_"): told for place, told in words.items()},
        "summary": [Summary(anchor_of(one.field), label_of(one.field)) for one in problems],
        "row_groups": [_group(typed, kind, words, more) for kind in KINDS],
        "uploads": typed.uploads,
        "kept_files": typed.sent,
        "record_paste": typed.pasted.get(RECORD, ""),
    }


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind with their title and words around them."""

    kind: str
    plural: str
    title: str
    one: str
    words: str
    key_example: str
    value_example: str
    rows: Sequence[Row]
    pasted: str
    problem: str
    paste_problem: str

    @property
    def next_number(self) -> int:
        return len(self.rows) + 1


_WORDS: Final = {
    "param": ("Hyperparameters", "parameter", "what was set before it ran", "learning_rate", "0.001"),
    "result": ("Results", "result", "optional, but a run without one is not found by metric", "val/auroc", "0.8127"),
    "tag": ("Tags", "tag", "optional, to find it by", "ward", "icu-2"),
}


def _group(typed: Typed, kind: str, words: Mapping[str, str], more: str) -> Group:
    plural, pairs = KINDS[kind], list(typed.rows.get(kind, ()))
    empty = EMPTY_ROWS if more == kind or not pairs else 1
    pairs += [("", "")] * (1 if kind == "tag" and more != kind else empty)
    rows = [
        Row(
            index + 1,
            key,
            value,
            kind_of(value),
            words.get(f"{plural}[{index}].key", ""),
            words.get(f"{plural}[{index}].value", ""),
        )
        for index, (key, value) in enumerate(pairs)
    ]
    title, one, about, key_example, value_example = _WORDS[kind]
    return Group(
        kind, plural, title, one, about, key_example, value_example, rows, typed.pasted.get(kind, ""),
        words.get(plural, ""), words.get(f"{kind}_paste", ""),
    )  # fmt: skip
