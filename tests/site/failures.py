"""What can go wrong, and the words that are told then: the table of docs/errors.md, and of the test that provokes each.

python -m tests.site.failures > docs/errors.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from tests.site.failures_asked import MLFLOW, PAGES, REST, WORK
from tests.site.failures_installed import DOCTOR, START

DOORS: Final = (REST, MLFLOW, PAGES, WORK, START, DOCTOR)
FAILURES: Final = tuple(failure for door in DOORS for failure in door.failures)

_HEAD: Final = """\
# Errors and their words

Every error names what is wrong, why, and what to do next. Answers to requests bear the request's id: it stands in
`X-Request-ID`, in the body or on the page, and in the server's log before what that request did wrong. No error shows a
traceback, a key or a password.

This page is made from the table of a test that really provokes each of them (`tests/site/failures.py`,
`tests/site/test_provoked_failures.py`); `python -m tests.site.failures` prints it. `…` is what differs each time.
"""


def as_page() -> str:
    """The table, as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    for door in DOORS:
        yield f"## {door.title}\n\n{door.about}\n"
        has_code = any(failure.code for failure in door.failures)
        yield "| when | code | what is told | what to do |" if has_code else "| when | what is told | what to do |"
        yield "| --- | --- | --- | --- |" if has_code else "| --- | --- | --- |"
        for failure in door.failures:
            code = f" `{failure.code}` |" if has_code else ""
            yield f"| {failure.name} |{code} {failure.what} | {failure.next_step} |"
        yield ""


if __name__ == "__main__":
    sys.stdout.write(as_page())
