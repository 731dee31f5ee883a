"""A: whether the files are those that were logged, and safe to open."""

from datetime import timedelta

from artifacts.blobs import open_file
from artifacts.models import ArtifactFile, BlobCheck
from audit.compliance.rules.engine import Result, failed, missing, not_applicable, passed, rule
from audit.compliance.rules.record import Record, listed
from audit.compliance.signed import state_now
from kernel.errors import MledError

READ_NOW_MAX = 64 * 1024 * 1024  # bytes read again for one assessment; larger files go by the check of the clock
FRESH = timedelta(days=30)
CHUNK = 1024 * 1024
OF_FILES = ("version › files", "the signed record", "everything")  # as a signature's state names what differs
PICKLED = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".dill", ".cloudpickle")


def wrong_with(file: ArtifactFile) -> str:
    """What is wrong with a file's bytes as they are in storage now, or ''."""
    import hashlib

    digest, size = hashlib.sha256(), 0
    try:
        with open_file(file) as reader:
            while chunk := reader.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except (MledError, OSError):
        return "is missing or damaged in storage"
    if (digest.hexdigest(), size) != (file.blob_id, file.size_bytes):
        return "is not what was uploaded"
    return ""


@rule("A1", "Every file matches its SHA-256 and size in storage now", "21 CFR 11.10(a),(c)", "AI Act Article 15")
def files_are_sound(record: Record) -> Result:
    if not record.files:
        code = 'mlflow.sklearn.log_model(model, name="model")'
        return missing("No file is recorded.", fix="Log what the run made.", code=code, proof=record.page("artifacts"))
    left, stale = READ_NOW_MAX, []
    for file in sorted(record.files, key=lambda one: one.size_bytes):
        check = record.checks.get(file.blob_id)
        if file.size_bytes <= left:  # what is read now counts, whatever an earlier check found
            left -= file.size_bytes
            if wrong := wrong_with(file):
                words = f"{file.path} {wrong}."
                return failed(words, fix="Restore it from a back-up.", proof=record.page("artifacts"))
        elif check is not None and check.outcome != BlobCheck.Outcome.SOUND:
            words = f"{file.path} was found {check.get_outcome_display().lower()} on {check.at:%Y-%m-%d}."
            return failed(words, fix="Restore it from a back-up.", proof=record.page("artifacts"))
        elif check is None or record.at - check.at > FRESH:
            stale.append(file.path)
    if stale:
        words = f"Not read again within {FRESH.days} days: {listed(stale)}."
        return missing(words, fix="Let the administrator verify stored content: manage.py verify_blobs.")
    return passed(f"{len(record.files)} files read again.", proof=record.page("artifacts"))


@rule("A2", "What was approved is unchanged since", "21 CFR 11.70", "SOC 2 CC8.1")
def approved_files_are_unchanged(record: Record) -> Result:
    approvals = [one for one in record.signatures if one.subject_type == "registry.promotionrequest"]
    if not record.versions:
        return not_applicable("No registered version comes from this run.")
    if not approvals:
        return missing("No version of it was approved.", fix="Ask for its promotion.", proof=record.page("artifacts"))
    for signature in approvals:
        changed = [name for name in state_now(signature).differs if name.startswith(OF_FILES)]
        if changed:
            words = f"Changed since {signature.printed_name} approved it: {listed(changed)}."
            return failed(words, fix="Register what changed as a new version.", proof=record.page("artifacts"))
    return passed("The files have the digests that were approved.")


@rule("A3", "Models load without pickle, or pickle is declared and scanned", "AI Act Article 15")
def models_are_safe_to_open(record: Record) -> Result:
    if not record.models and not record.versions:
        return not_applicable("The run made no model.")
    pickled = [file.path for file in record.files_named(*PICKLED)]
    if not pickled:
        return passed("No pickled file.", proof=record.page("artifacts"))
    if scan := record.said("mled.pickle"):
        return passed(f"{listed(pickled)}: “{scan[:120]}”", proof=record.page("artifacts"))
    code = 'mlflow.set_tag("mled.pickle", "scanned with picklescan 0.0.30, nothing found")'
    fix = "Use a format that runs no code when it is opened (safetensors, skops, ONNX), or scan and declare it."
    return missing(f"Opening {listed(pickled)} runs code.", fix=fix, code=code, proof=record.page("artifacts"))
