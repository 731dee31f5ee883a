"""Where columns probably go: by their names, as we and others write them, and by what stands in them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from experiments.sheets import writing
from experiments.sheets.cells import NUMBERS, Cell, Kind, is_empty, kind_of, text_of
from experiments.sheets.decoding.words import letters
from experiments.sheets.mapping import Mapping
from experiments.sheets.targets import FIELDS, IGNORE, KEYED, Target
from experiments.values import KEY_MAX

LOOKED_AT: Final = 500  # rows
OURS: Final = ("run_id", "id", "name", "status")  # how a run table that we wrote begins
_OF_OURS: Final = {
    "run_id": IGNORE, "id": IGNORE, "name": "name", "status": "status", "started": "started", "ended": "ended",
    "duration_ms": "duration_ms", "user": "email", "claimed_user": IGNORE, "datasets": "dataset",
    "git_commit": "commit", "source": "command", "experiment": "experiment", "project": IGNORE, "verdict": IGNORE,
}  # fmt: skip
_TAGS: Final = {
    "mlflow.note.content": "note", "mlflow.docker.image.name": "container", "mled.email": "email",
    "mlflow.source.git.commit": "commit", "mlflow.source.name": "command", "mlflow.runName": "name",
}  # fmt: skip
_NAMES: Final = {
    "experiment": ("experiment", "experiment name", "study", "versuch", "studie"),
    "name": ("name", "run", "run name", "title", "trial", "lauf", "titel", "bezeichnung"),
    "architecture": ("architecture", "arch", "model", "model type", "model name", "network", "classifier", "algorithm",
                     "modell", "modelltyp", "architektur", "netz", "verfahren", "algorithmus"),
    "dataset": ("dataset", "datasets", "data", "dataset version", "data version", "training data", "trained on",
                "datensatz", "daten", "datenstand", "trainingsdaten"),
    "new_dataset.name": ("dataset name", "data name", "new dataset", "new dataset name"),
    "new_dataset.digest": ("dataset digest", "data digest", "sha256", "digest", "dataset hash", "data hash",
                           "new dataset digest"),
    "new_dataset.source": ("dataset source", "data source", "dataset url", "data url", "dataset path", "data path",
                           "new dataset source"),
    "started": ("started", "start", "start time", "started at", "date", "datetime", "timestamp", "run date", "when",
                "begin", "created", "start date", "beginn", "gestartet", "startzeit", "datum", "zeitpunkt", "begonnen"),
    "ended": ("ended", "end", "end time", "ended at", "finished at", "end date", "stopped at", "ende", "beendet",
              "endzeit"),
    "duration": ("duration", "took", "runtime", "run time", "training time", "elapsed", "wall time", "elapsed time",
                 "dauer", "laufzeit", "trainingszeit", "rechenzeit"),
    "status": ("status", "state", "outcome", "how it ended", "zustand", "ausgang"),
    "email": ("email", "e mail", "mail", "email label", "e mail label", "author", "user", "owner", "submitted by",
              "autor", "autorin", "bearbeiter", "bearbeiterin", "nutzer"),
    "note": ("note", "notes", "comment", "comments", "description", "remark", "remarks", "notiz", "notizen",
             "bemerkung", "bemerkungen", "anmerkung", "kommentar", "beschreibung"),
    "commit": ("commit", "git commit", "git sha", "revision", "git revision", "commit hash"),
    "command": ("command", "cmd", "script", "source", "entry point", "command line", "befehl", "skript"),
    "container": ("container", "container image", "image", "docker image", "docker"),
}  # fmt: skip
_FIELD_OF: Final = {name: field for field, names in _NAMES.items() for name in names}
_UNITS: Final = {
    "ms": "duration_ms", "milliseconds": "duration_ms", "millis": "duration_ms", "s": "duration_s",
    "sec": "duration_s", "secs": "duration_s", "seconds": "duration_s", "min": "duration_min", "mins": "duration_min",
    "minutes": "duration_min", "h": "duration_h", "hr": "duration_h", "hrs": "duration_h", "hours": "duration_h",
    "sek": "duration_s", "sekunden": "duration_s", "minuten": "duration_min", "std": "duration_h",
    "stunden": "duration_h", "millisekunden": "duration_ms",
}  # fmt: skip
_PREFIX: Final = re.compile(
    r"(?:(params?|hp|hparams?|hyperparams?|hyperparameters?|config)|(metrics?|results?|scores?|summary)|(tags?))"
    r"\s{0,9}[.:/]\s{0,9}(\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_UNDERSCORED: Final = re.compile(r"(?:(params?|hparams?)|(metrics?|results?))_(\S.*)", re.IGNORECASE | re.DOTALL)
_FIGURE: Final = re.compile(r"\w{1,20}\(metrics\..*\)", re.DOTALL)
_MEASURES: Final = frozenset({
    "accuracy", "acc", "auc", "auroc", "aucpr", "auprc", "ap", "map", "mrr", "loss", "error", "f1", "fscore",
    "precision", "recall", "sensitivity", "specificity", "rmse", "mae", "mse", "mape", "r2", "ece", "brier", "dice",
    "iou", "jaccard", "bleu", "rouge", "perplexity", "ppl", "wer", "cer", "kappa", "mcc", "score", "logloss", "nll",
    "ndcg", "psnr", "ssim", "fid",
})  # fmt: skip
_NOTE_CHARACTERS: Final = 120  # on average: longer texts are no values of a parameter
_WORDS: Final = re.compile(r"[\W_]+")


def guess(header: Sequence[str], rows: Sequence[Sequence[Cell]], zone: str = "UTC") -> Mapping:
    """A mapping to begin with. Nothing is guessed twice. zone: of moments without one."""
    rows = rows[:LOOKED_AT]
    is_ours = tuple(header[: len(OURS)]) == OURS
    columns = [[row[at] for row in rows if at < len(row) and not is_empty(row[at])] for at in range(len(header))]
    commas = _writes_commas(columns)
    specs: list[str] = []
    for target in _guessed(header, columns, is_ours=is_ours, decimal_comma=commas):
        name = str(target) if target.kind in KEYED else target.field
        taken = {str(one) if one.kind in KEYED else one.field for one in map(Target.of, specs)}
        specs.append(str(target) if name not in taken or name == IGNORE else IGNORE)
    return Mapping(specs, {}, commas, _dates(_moments(specs, rows)), zone)


def same_names(header: Sequence[str]) -> list[str]:
    """A note for each name that several columns have."""
    places: dict[str, list[str]] = {}
    for at, name in enumerate(header):
        places.setdefault(name, []).append(letters(at))
    return [
        f"Columns {', '.join(some[:-1])} and {some[-1]} are called '{name[:40]}': a name goes to one place only."
        for name, some in places.items()
        if name and len(some) > 1
    ]


def dated_anew(mapping: Mapping, before: Mapping, rows: Sequence[Sequence[Cell]]) -> Mapping:
    """The mapping with days as its columns write them, where other columns are moments than before and these leave no
    doubt."""
    if _moment_columns(mapping.columns) == _moment_columns(before.columns):
        return mapping
    found = _dates(_moments(mapping.columns, rows[:LOOKED_AT]))
    return mapping if found == writing.ISO else replace(mapping, dates=found)


def _moment_columns(specs: Sequence[str]) -> list[int]:
    return [at for at, spec in enumerate(specs) if Target.of(spec).field in ("started", "ended")]


def _moments(specs: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[Cell]:
    return [row[at] for at in _moment_columns(specs) for row in rows if at < len(row)]


def _guessed(
    header: Sequence[str], columns: Sequence[Sequence[Cell]], *, is_ours: bool, decimal_comma: bool
) -> Iterator[Target]:
    taken: set[str] = set()
    named = {found.field for found in map(_by_name, header) if found}
    for at, (name, cells) in enumerate(zip(header, columns, strict=True)):
        by_name = Target.of(_OF_OURS[name]) if is_ours and name in _OF_OURS else _by_name(name)
        if by_name is not None and by_name.field == "email" and not _are_addresses(cells):
            by_name = Target(IGNORE) if is_ours else Target("tag", cleaned(name, at))
        if by_name is not None and (by_name.kind in (*KEYED, IGNORE) or by_name.field not in taken):
            taken.add(by_name.field)
            yield Target(by_name.kind, cleaned(by_name.key, at)) if by_name.kind in KEYED else by_name
        else:
            yield _by_cells(name, at, cells, taken, named, decimal_comma=decimal_comma)


def _by_name(name: str) -> Target | None:
    """What a name says by itself; None for one that says nothing."""
    spec = Target.of(name)
    if name in FIELDS or name == IGNORE or (spec.kind in KEYED and spec.key):
        return spec
    if _FIGURE.fullmatch(name):
        return Target(IGNORE)
    found = _PREFIX.fullmatch(name)
    if found:
        return _prefixed(found)
    words = " ".join(word.lower() for word in _WORDS.split(name) if word)
    if words in _FIELD_OF:
        return Target(_FIELD_OF[words])
    head, _, unit = words.rpartition(" ")
    if _FIELD_OF.get(head) == "duration" and unit in _UNITS:
        return Target(_UNITS[unit])
    under = _UNDERSCORED.fullmatch(name)
    return Target("param" if under[1] else "result", under[3]) if under else None


def _prefixed(found: re.Match[str]) -> Target:
    key = found[4].strip()
    if found[1]:
        return Target("architecture") if key.lower() == "architecture" else Target("param", key)
    if found[2]:
        return Target("result", key)
    if key in _TAGS:
        return Target(_TAGS[key])
    return Target(IGNORE) if key.startswith(("mlflow.", "mled.")) else Target("tag", key)


def _by_cells(
    name: str, at: int, cells: Sequence[Cell], taken: set[str], named: set[str], *, decimal_comma: bool
) -> Target:
    """A column whose name says nothing: measures are results, long texts are notes, days where no other column is the
    start are that, the rest is set before it ran."""
    if not name or not cells:
        return Target(IGNORE)
    words = {word.lower() for word in _WORDS.split(name)}
    numbers = sum(_is_number(cell, decimal_comma=decimal_comma) for cell in cells)
    if words & _MEASURES and 2 * numbers > len(cells):
        return Target("result", cleaned(name, at))
    if sum(len(text_of(cell)) for cell in cells) > _NOTE_CHARACTERS * len(cells):
        if "note" in taken:
            return Target(IGNORE)
        taken.add("note")
        return Target("note")
    if "started" not in taken | named and all(map(_is_day, cells)):
        taken.add("started")
        return Target("started")
    return Target("param", cleaned(name, at))


def _is_day(cell: Cell) -> bool:
    return kind_of(cell) is Kind.DATE or (isinstance(cell, str) and writing.is_day(cell))


def cleaned(key: str, at: int) -> str:
    """A key that a record can have, as near to this as can be; that of a column without any is its letter."""
    text = re.sub(r"[^\w\-.:/ ]+", "_", key).strip()
    parts = [part.strip() for part in text.split("/") if part.strip() not in ("", ".", "..")]
    return "/".join(parts)[:KEY_MAX].rstrip("/ ") or letters(at)


def _is_number(cell: Cell, *, decimal_comma: bool) -> bool:
    if kind_of(cell) in NUMBERS:
        return True
    if not isinstance(cell, str) or len(cell) > 400:
        return False
    try:
        float(writing.number_text(cell, decimal_comma=decimal_comma))
    except ValueError:
        return False
    return True


def _are_addresses(cells: Sequence[Cell]) -> bool:
    return all("@" in text_of(cell) for cell in cells)


def _writes_commas(columns: Sequence[Sequence[Cell]]) -> bool:
    """Whether numbers that are texts have a decimal comma: some do, and none has a point."""
    texts = [cell for cells in columns for cell in cells if isinstance(cell, str)]
    return any(map(writing.has_comma, texts)) and not any(map(writing.has_point, texts))


def _dates(cells: Sequence[Cell]) -> str:
    """How days are written; a day that could be both ways is one with the day first only where points stand in it."""
    found = [parts for parts in (writing.day_parts(cell) for cell in cells if isinstance(cell, str)) if parts]
    if any(first > 12 for first, _, _ in found) or (found and all(points for _, _, points in found)):
        return writing.DAY_FIRST
    return writing.MONTH_FIRST if any(second > 12 for _, second, _ in found) else writing.ISO
