"""The form of an entry."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from django import forms

from boards.claims import new_secret
from boards.models import Board
from boards.queries.entries import Entry
from boards.wanted import CODE_MAX, NOTE_MAX, SEED, VALUE_MAX, Wanted, check
from experiments.recording.pasted import read_pairs
from experiments.recording.wanted import EMAIL_MAX, NAME_MAX, Pair
from kernel.errors import InvalidFields, MledError, NotFound, Unauthenticated

TEXT_MAX: Final = 100_000
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


class EntryForm(forms.Form):
    """What an entry says. key and claim_token are made with the form, so that sending it twice makes one entry."""

    email = forms.CharField(
        label="E-mail",
        max_length=EMAIL_MAX,
        error_messages={"required": "Whose entry is it? An e-mail address: a label, no mail is sent."},
        help_text="A label on your entry, not a proof. No mail is sent; other contributors see what is before the @.",
        widget=forms.TextInput(attrs={"type": "email", "autocomplete": "email", "placeholder": "you@school.example"}),
    )
    model = forms.CharField(
        label="Model",
        max_length=NAME_MAX,
        error_messages={"required": "What was it made with? Such as: gradient boosting, 300 trees."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "gradient boosting, 300 trees"}),
    )
    result = forms.CharField(
        max_length=VALUE_MAX,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": "num"}),
    )
    seed = forms.CharField(
        required=False, max_length=VALUE_MAX, widget=forms.TextInput(attrs={"autocomplete": "off", "class": "num"})
    )
    params = forms.CharField(
        label="Hyperparameters, JSON",
        required=False,
        max_length=TEXT_MAX,
        help_text="Numbers stay as you type them. YAML, and a table with names and values, are read too.",
        widget=forms.Textarea(
            attrs={"rows": 4, "class": "mono", "spellcheck": "false", "placeholder": '{"learning_rate": 0.05}'}
        ),
    )
    further = forms.CharField(
        label="Further results",
        required=False,
        max_length=TEXT_MAX,
        help_text="If there are any: names with numbers, as above.",
        widget=forms.Textarea(attrs={"rows": 2, "class": "mono", "spellcheck": "false", "placeholder": "mae: 0.48"}),
    )
    code = forms.CharField(
        label="Code",
        required=False,
        max_length=CODE_MAX,
        help_text="A link, so that others can repeat it.",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "placeholder": "https://"}),
    )
    note = forms.CharField(
        required=False, max_length=NOTE_MAX, help_text="Markdown.", widget=forms.Textarea(attrs={"rows": 2})
    )
    website = forms.CharField(required=False, max_length=1000)
    key = forms.UUIDField(widget=forms.HiddenInput)
    claim_token = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, board: Board, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.board = board
        better = "lower" if board.is_lower_better else "higher"
        self.fields["result"].label = result_words(board)
        missing = f"The result is missing: {board.result_label or board.result_key}. Write a number."
        self.fields["result"].error_messages["required"] = missing
        self.fields["result"].help_text = f"The {better}, the better."

    @property
    def wrong_fields(self) -> list[forms.BoundField]:
        """Those that need another look."""
        return [field for field in self.visible_fields() if field.errors]

    def wanted(self) -> Wanted:
        """What was typed. Raises InvalidFields for texts that hold no names and values."""
        said: Mapping[str, Any] = self.cleaned_data
        problems: list[MledError] = []
        read: dict[str, list[Pair]] = {"params": [], "further": []}
        for name in read:
            try:
                read[name] = read_pairs(said[name], name) if said[name].strip() else []
            except MledError as problem:
                problems.append(problem)
        own = (self.board.result_key, said["result"])
        wanted = Wanted(
            email=said["email"],
            model=said["model"],
            results=[own, *(pair for pair in read["further"] if pair != own)],
            params=read["params"],
            seed=said["seed"],
            code=said["code"],
            note=said["note"],
            website=said["website"],
        )
        if problems:
            raise InvalidFields([*problems, *_also_wrong(wanted, self.board)])
        return wanted

    def entry_id(self) -> uuid.UUID:
        """The id of the entry that it makes: the same for a form that is sent twice, another for other words."""
        said = [self.data.get(name, "") for name in self.base_fields if name != "claim_token"]
        return uuid.uuid5(self.cleaned_data["key"], json.dumps(said))

    def tell(self, error: MledError) -> None:
        """Put what is wrong beside the fields it speaks of. A refusal that is about no field goes on to its page."""
        problems = error.problems if isinstance(error, InvalidFields) else [error]
        for one in problems:
            if isinstance(one, NotFound | Unauthenticated):
                raise one
            words = f"{one.message} {one.hint}".strip()
            self.add_error(self._field_of(one.field), words)

    def _field_of(self, field: str) -> str | None:
        group, _, key = field.partition(".")
        if group == "results":
            return "result" if key == self.board.result_key else "further"
        return group if group in self.fields and group not in ("key", "website") else None


def _also_wrong(wanted: Wanted, board: Board) -> list[MledError]:
    """What would be wrong besides, so that everything is told at once."""
    try:
        check(wanted, board)
    except InvalidFields as wrong:
        return wrong.problems
    except MledError as wrong:
        return [wrong]
    return []


def result_words(board: Board) -> str:
    """What the board's result is called, with the way that is better."""
    return f"{board.result_label or board.result_key} {'↓' if board.is_lower_better else '↑'}"


def blank(email: str = "") -> dict[str, Any]:
    """What a new form begins with."""
    return {"email": email, "key": uuid.uuid4(), "claim_token": new_secret()}


def filled(entry: Entry, board: Board) -> dict[str, Any]:
    """What the form of an entry begins with that is there already."""
    result = entry.results.get(board.result_key)
    params = {name: text for name, text in entry.params.items() if name != SEED}
    further = {name: value for name, value in entry.results.items() if name != board.result_key}
    return {
        "email": entry.email,
        "model": entry.submission.run.name,
        "result": "" if result is None else f"{result:.17g}" if float(f"{result:.12g}") != result else f"{result:.12g}",
        "seed": entry.params.get(SEED, ""),
        "params": _as_text(params),
        "further": _as_text({name: f"{value:.17g}" for name, value in further.items() if value is not None}),
        "code": entry.code,
        "note": entry.note,
        "key": entry.submission.pk,
    }


def _as_text(pairs: Mapping[str, str]) -> str:
    """Names and values as JSON, numbers as they were typed."""
    lines = [f"  {json.dumps(name, ensure_ascii=False)}: {_value(text)}" for name, text in pairs.items()]
    return "{\n" + ",\n".join(lines) + "\n}" if lines else ""


def _value(text: str) -> str:
    return text if _JSON_NUMBER.fullmatch(text) else json.dumps(text, ensure_ascii=False)
