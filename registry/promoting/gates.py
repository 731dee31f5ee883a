"""The gates that every promotion passes, whatever rooms are above."""

from urllib.parse import quote

from artifacts.models import Blob, BlobCheck
from artifacts.versions import page_of, when_withdrawn
from experiments.models import MetricSeries
from experiments.values import RunStatus
from kernel.actor import system
from registry.cards import WRITTEN
from registry.gates import Case, Gate, Outcome, Verdict, register_gate
from registry.models import CardText, ModelMetric
from registry.promoting.carriers import page_of_version
from registry.promoting.makers import who_may_decide
from registry.promoting.record import inputs_of_version, named
from registry.queries.version_files import files_of_version
from registry.sources import is_outside

_SHA256_DIGITS = 64
_PROMPT = Verdict(Outcome.PASS, "Does not apply: this version is a prompt.")


def register() -> None:
    """Put them on the checklist. Called once, when the app is ready."""
    register_gate(Gate("inside", "Kept by MLED", is_inside))
    register_gate(Gate("files", "Files present, digests recorded", are_files_sound))
    register_gate(Gate("data_bound", "Data bound by digest", is_data_bound))
    register_gate(Gate("data_good", "No recalled data", is_no_data_recalled))
    register_gate(Gate("run_finished", "Source run finished", is_run_finished))
    register_gate(Gate("metrics", "Metrics recorded", are_metrics_recorded))
    register_gate(Gate("card", "Model card written", is_card_written, blocks=False))
    register_gate(Gate("four_eyes", "Somebody else can decide", can_somebody_else_decide))


def _passed(words: str, url: str = "") -> Verdict:
    return Verdict(Outcome.PASS, words, url)


def _failed(words: str, url: str = "") -> Verdict:
    return Verdict(Outcome.FAIL, words, url)


def _warned(words: str, url: str = "") -> Verdict:
    return Verdict(Outcome.WARN, words, url)


def is_inside(case: Case) -> Verdict:
    """Files elsewhere can change without anybody here seeing it."""
    if is_outside(case.version):
        return _failed(f"The files lie outside MLED, at {case.version.source[:200]}.", page_of_version(case.version))
    return _passed("The version lies within MLED.")


def are_files_sound(case: Case) -> Verdict:
    """Present, with a digest, and not found damaged when their bytes were last read again."""
    if case.is_prompt:
        return _PROMPT
    files = files_of_version(system(), case.version)
    url = page_of_version(case.version)
    if not files:
        return _failed("The version has no files in MLED.", url)
    digests = {file.digest for file in files}
    known = set(Blob.objects.filter(digest__in=digests).values_list("digest", flat=True))
    checks = dict(BlobCheck.objects.filter(blob__in=digests).values_list("blob_id", "outcome"))
    bad = [
        file.path for file in files
        if file.digest not in known or checks.get(file.digest, BlobCheck.Outcome.SOUND) != BlobCheck.Outcome.SOUND
    ]  # fmt: skip
    if bad:
        return _failed(f"Missing or damaged in storage: {_listed(bad)}.", url)
    read_again = len(digests & checks.keys())
    return _passed(f"{_count(len(files), 'file')} with SHA-256; {read_again} of them read again and found sound.", url)


def is_data_bound(case: Case) -> Verdict:
    """The data that went into the run are named by what they hold."""
    if case.is_prompt:
        return _PROMPT
    versions = {given.dataset_version for given in inputs_of_version(case.version)}
    if not versions:
        return _failed("No dataset is recorded for the source run.", _run_page(case))
    without = [named(version) for version in versions if not version.digest]
    if without:
        return _failed(f"No digest is recorded for {_listed(without)}.")
    short = sorted(named(one) for one in versions if one.root_id is None and len(one.digest) < _SHA256_DIGITS)
    if short:
        return _warned(f"Outside MLED, bound by the client's own short digest: {_listed(short)}.")
    return _passed(f"Bound by digest: {_listed(sorted(named(version) for version in versions))}.")


def is_no_data_recalled(case: Case) -> Verdict:
    """No dataset version behind it is withdrawn."""
    for given in inputs_of_version(case.version):
        withdrawn = when_withdrawn(given.dataset_version)
        if withdrawn is not None:
            return _failed(f"{named(given.dataset_version)} {withdrawn.words}", page_of(given.dataset_version))
    return _passed("No data behind this version are recalled.")


def is_run_finished(case: Case) -> Verdict:
    """A run that still goes on, or failed, is nothing to promote."""
    if case.is_prompt:
        return _PROMPT
    if not case.runs:
        return _failed("No source run is recorded.", page_of_version(case.version))
    for run in case.runs:
        if run.is_deleted:
            return _failed(f"Run {run.readable_id} is deleted.", f"/r/{run.readable_id}/")
        if run.status != RunStatus.FINISHED:
            word = RunStatus(run.status).label.lower()
            return _failed(f"Run {run.readable_id} is {word}, not finished.", f"/r/{run.readable_id}/")
    return _passed(f"Run {_listed([run.readable_id for run in case.runs])} finished.", _run_page(case))


def are_metrics_recorded(case: Case) -> Verdict:
    """Something was measured, of the model or in its run."""
    if case.is_prompt:
        return _PROMPT
    own = MetricSeries.objects.filter(run__in=[run.pk for run in case.runs]).exclude(key__startswith="system/")
    keys = set(own.values_list("key", flat=True))
    if case.version.logged_model is not None:
        keys |= set(ModelMetric.objects.filter(model=case.version.logged_model).values_list("key", flat=True))
    if not keys:
        return _failed("No metric is recorded.", _run_page(case))
    return _passed(f"Recorded: {_listed(sorted(keys))}.", _run_page(case))


def is_card_written(case: Case) -> Verdict:
    """The sections of the model card that only a person can write."""
    rows = CardText.objects.filter(version=case.version).exclude(text="")
    missing = [title for key, (title, _) in WRITTEN.items() if key not in set(rows.values_list("section", flat=True))]
    url = f"{page_of_version(case.version)}#card"
    if missing:
        return _warned(f"Not recorded: {_listed(missing)}.", url)
    return _passed(f"All {len(WRITTEN)} sections are written.", url)


def can_somebody_else_decide(case: Case) -> Verdict:
    """Four eyes need a second pair."""
    able = who_may_decide(case.version, case.asker_id, case.makers)
    members = f"/p/{quote(case.version.model.project.slug)}/members/"
    if not able:
        return _failed("Everybody who may decide asked for this or had a hand in it: add another engineer or manager.",
                       members)  # fmt: skip
    return _passed(f"May decide: {_listed([str(user) for user in able])}.", members)


def _run_page(case: Case) -> str:
    return f"/r/{case.runs[0].readable_id}/" if case.runs else page_of_version(case.version)


def _listed(names: list[str], at_most: int = 4) -> str:
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return ", ".join(names[:at_most]) + more


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
