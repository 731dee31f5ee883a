"""The tags by which people tell the rules what no column holds: on a run, or for all runs on their experiment."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SaidInTag:
    """One tag. rules: which read it; means: what stands in it; example: a value."""

    rules: tuple[str, ...]
    means: str
    example: str


TAGS: dict[str, SaidInTag] = {
    "mled.representative": SaidInTag(("D5",), "whom the data stand for, and bias", "Adults of two hospitals"),
    "mled.python": SaidInTag(("V3",), "the interpreter, where no file tells it", "3.11.7"),
    "mled.os": SaidInTag(("V3",), "the system", "Linux 6.8"),
    "mled.hardware": SaidInTag(("V3",), "the hardware, where no system metrics are logged", "one A100, 80 GB"),
    "mled.reproduces": SaidInTag(("V4",), "on another person's run: id of the run done again", "32 hex digits"),
    "mled.tolerance": SaidInTag(("V4",), "how far off a reproduction may be", "0.01, or 1 %, or 2 sd of seeds"),
    "mled.nondeterminism": SaidInTag(("V5",), "why results vary from run to run", "atomic sums on the GPU"),
    "mled.evaluates": SaidInTag(("D3", "E1", "E2", "E3"), "on an evaluation: id of the run it tests", "32 hex digits"),
    "mled.criteria": SaidInTag(("E2",), "acceptance criteria, before the evaluation", "test/auroc >= 0.85"),
    "mled.subgroups": SaidInTag(("E3",), "why there are no metrics by subgroup", "no attribute of people in the data"),
    "mled.units": SaidInTag(("E4",), "units of the deciding metrics", "test/auroc: 0 to 1"),
    "mled.limits": SaidInTag(("E5",), "known limits and failure cases", "Not for patients under 16"),
    "mled.baseline": SaidInTag(("E6",), "id of the run that it was compared with", "ICU-12"),
    "mled.pickle": SaidInTag(("A3",), "what scanned the pickled files, and found", "picklescan 0.0.30: nothing"),
    "mled.review_by": SaidInTag(("T4",), "day of the next review", "2027-06-30"),
}  # fmt: skip
