"""D: which data went in, where they come from, and what is known of them."""

import re

from artifacts.models import VersionRecord
from artifacts.versions import RECORDED_AS, page_of, told
from audit.compliance.rules.engine import Result, failed, missing, not_applicable, passed, rule
from audit.compliance.rules.evaluation import tested_on
from audit.compliance.rules.executed import KeptApart, kept_apart
from audit.compliance.rules.record import Record, is_training, listed, unlike
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import with_payloads
from audit.ledger.queries.soundness import differs_from_log, replayed
from experiments.models import RunInput

SHA256 = re.compile(r"[0-9a-f]{64}")
RECORD = "artifacts.versionrecord"
NAME_DATA = 'mlflow.log_input(mlflow.data.from_pandas(frame, name="vitals"), context="train")'


def named(given: RunInput) -> str:
    """The dataset version of an input as people say it."""
    return f"{given.dataset_version.dataset.name} v{given.dataset_version.number}"


def record_of(given: RunInput) -> VersionRecord | None:
    """What people wrote about the dataset version."""
    return getattr(given.dataset_version, "record", None)


def without_data(record: Record) -> Result:
    """Where no input is recorded, nothing can be said of it."""
    words = "No dataset is recorded for this run."
    fix = "Name the data when the run is logged; a digest is taken from the data itself."
    return missing(words, fix=fix, code=NAME_DATA, proof=record.page("data"))


def record_rewritten(record: Record) -> Result | None:
    """Where what people wrote about a dataset version was changed past the log."""
    for given in record.inputs:
        if (written := record_of(given)) is None:
            continue
        events = AuditEvent.objects.filter(subject_type=RECORDED_AS, subject_id=given.dataset_version.ledger_id)
        past = with_payloads(list(events.order_by("id")))
        if off := unlike(replayed(RECORD, written.ledger_id, past), written.ledger_fields()):
            words = f"The record of {named(given)} is not as it was written: {listed(off)}."
            return failed(words, fix="Tell the administrator.", proof=page_of(given.dataset_version))
    return None


def asked_of_each(record: Record, fields: dict[str, str]) -> Result | None:
    """None where every input's record has all these fields as they were written, else which of them lack what."""
    if not record.inputs:
        return without_data(record)
    if rewritten := record_rewritten(record):
        return rewritten
    gaps = []
    for given in record.inputs:
        written = record_of(given)
        empty = [label for name, label in fields.items() if not getattr(written, name, "")]
        if empty:
            gaps.append((given, empty))
    if not gaps:
        return None
    words = "; ".join(f"{named(given)} lacks {', '.join(empty)}" for given, empty in gaps[:3])
    fix = "Write it into the record of the dataset version."
    return missing(f"{words}.", fix=fix, proof=page_of(gaps[0][0].dataset_version))


@rule(
    "D1", "Every input dataset is bound to a version by its digest", "AI Act 10(2)(b)", "Annex IV 2(d)", "42001 A.7.5"
)
def data_is_bound(record: Record) -> Result:
    if not record.inputs:
        return without_data(record)
    # First: what a client named by its own digest was made in the event of the run, not in one of its own.
    short = [given for given in record.inputs if not SHA256.fullmatch(given.dataset_version.digest)]
    if short:
        words = f"Bound only by the client's own short digest: {listed([named(one) for one in short])}."
        fix = "Upload the files as a dataset version, or give the SHA-256 of what lies elsewhere."
        return failed(words, fix=fix, code=NAME_DATA, proof=page_of(short[0].dataset_version))
    for given in record.inputs:
        wrong = differs_from_log(RECORDED_AS, given.dataset_version.ledger_id, told(given.dataset_version))
        if wrong:
            words = f"{named(given)} is not what was recorded: {wrong}."
            return failed(words, fix="Tell the administrator.", proof=page_of(given.dataset_version))
    return passed(f"By SHA-256: {listed([named(one) for one in record.inputs])}.", proof=record.page("data"))


@rule("D2", "Source, licence, collection and purpose of the data are recorded", "AI Act 10(2)(b)", "42001 A.7.5")
def origin_is_recorded(record: Record) -> Result:
    gaps = asked_of_each(record, {"licence": "a licence", "collected": "when and where", "purpose": "a purpose"})
    return gaps or passed("Each version says where it comes from and what for.", proof=record.page("data"))


@rule("D3", "Training and evaluation data differ", "AI Act 10(3)", "EU GMP Annex 22 (draft)")
def splits_differ(record: Record) -> Result:
    if not record.inputs:
        return without_data(record)
    if rewritten := record_rewritten(record):
        return rewritten
    trained = {given.dataset_version.digest: given for given in record.inputs if is_training(given)}
    tested = {given.dataset_version.digest for _, given in tested_on(record)}
    same = trained.keys() & tested
    if same and all(getattr(record_of(trained[digest]), "split_role", "") == "mixed" for digest in same):
        words = f"{named(trained[min(same)])} is split in its files; nothing shows that the parts do not overlap."
        return missing(words, fix="Upload training and test data as versions of their own.", proof=record.page("data"))
    if same:
        words = f"Trained and tested on the same content: {named(trained[min(same)])}."
        return failed(words, fix="Test on data that the training never saw.", proof=record.page("data"))
    if not tested and (apart := kept_apart(record)):
        return _apart(record, apart)
    if not trained or not tested:
        lacks = "training" if not trained else "test"
        words = f"No {lacks} data are marked as such."
        code = f'mlflow.log_input(data, context="{"train" if not trained else "test"}")'
        return missing(words, fix="Say which data were for what.", code=code, proof=record.page("data"))
    return passed("Different digests for training and test.", proof=record.page("data"))


def _apart(record: Record, apart: KeptApart) -> Result:
    """Files of one version, some to learn from and others to be judged by."""
    names, proof = listed([file.path for file in apart.tested]), record.page("data")
    if same := apart.overlap:
        words = f"{same} of {named(apart.given)} was left out of training, yet another file there has its content."
        return failed(words, fix="Test on data that the training never saw.", proof=proof)
    return passed(
        f"Of {named(apart.given)}, {names} was left out of training and tested on; other digests.", proof=proof
    )


@rule("D4", "Steps of preparation are recorded", "AI Act 10(2)(c)", "42001 A.7.6")
def preparation_is_recorded(record: Record) -> Result:
    gaps = asked_of_each(record, {"preparation": "how it was prepared"})
    return gaps or passed("Each version says how it was prepared.", proof=record.page("data"))


@rule("D5", "Representativeness and bias were examined", "AI Act 10(2)(f)-(h), 10(3)-(4)")
def bias_is_examined(record: Record) -> Result:
    if text := record.said("mled.representative"):
        return passed(f"“{text[:120]}”", proof=record.page("params"))
    gaps = asked_of_each(record, {"bias_note": "a note on bias"})
    return gaps or passed("Each version has a note on bias.", proof=record.page("data"))


@rule("D6", "Personal data are classed, with a lawful basis", "GDPR Articles 5, 6, 30", "AI Act 10(5)")
def personal_data_is_classed(record: Record) -> Result:
    gaps = asked_of_each(record, {"personal_data": "a class of personal data"})
    if gaps:
        return gaps
    for given in record.inputs:
        written = record_of(given)
        if written and written.personal_data != VersionRecord.PersonalData.NONE and not written.lawful_basis:
            words = f"{named(given)} holds {written.get_personal_data_display().lower()} data without a lawful basis."
            return failed(words, fix="State the lawful basis in its record.", proof=page_of(given.dataset_version))
    if all(_is_impersonal(given) for given in record.inputs):
        return not_applicable("None of the data are personal, say their records.")
    return passed("Each version is classed, with a lawful basis.", proof=record.page("data"))


def _is_impersonal(given: RunInput) -> bool:
    written = record_of(given)
    return written is not None and written.personal_data == VersionRecord.PersonalData.NONE
