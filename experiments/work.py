"""Which acts on a run are work on it: whoever did no more than the others has no hand in it (four eyes)."""

from typing import Final

BESIDE: Final = frozenset(
    {
        "artifacts.open_file",
        "experiments.lock_run",
        "experiments.unlock_run",
        "experiments.seal_run",
        "experiments.note_export_of",
        "experiments.star_run",
        "experiments.unstar_run",
        "experiments.add_comment",
        "experiments.edit_comment",
        "experiments.remove_comment",
        "runner.keep_check",
        "runner.note_bundle_of",
    }
)
