"""A sheet to begin with: the fields of a record as its header, and one row as an example."""

import csv
import io
from typing import Final

NAME: Final = "past-experiments.csv"
EXAMPLE: Final = {
    "experiment": "icu/by-hand",
    "name": "svm-rbf-w24",
    "architecture": "SVM, RBF kernel",
    "dataset": "icu-vitals v7",
    "new_dataset.name": "",
    "new_dataset.digest": "",
    "new_dataset.source": "",
    "started": "2026-03-02T14:00+01:00",
    "ended": "",
    "duration": "1h 20m",
    "status": "FINISHED",
    "email": "ada@example.org",
    "param:kernel": "rbf",
    "param:C": "10",
    "result:val/auroc": "0.8127",
    "tag:ward": "icu-2",
    "commit": "9f3c1ab",
    "command": "python train.py",
    "container": "",
    "note": "Done on the old cluster.",
}


def template() -> bytes:
    """CSV in UTF-8 with its mark, which spreadsheet programs ask for."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(EXAMPLE)
    writer.writerow(EXAMPLE.values())
    return b"\xef\xbb\xbf" + text.getvalue().encode()
