"""The data that went into a run, in the words of a page."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from artifacts.pages.sources import readable
from artifacts.versions import Withdrawal, page_of, when_withdrawn
from experiments.models import RunInput


@dataclass(frozen=True, slots=True)
class DescribedInput:
    """One dataset version in its role. url: of its page; withdrawal: the recall that stands, if there is one.

    is_kept: MLED has its files, so what is in them stands on its page.
    """

    context: str
    name: str
    digest: str
    source: str
    source_type: str
    profile: str
    schema: str
    url: str
    withdrawal: Withdrawal | None
    is_kept: bool


def described_inputs(inputs: Sequence[RunInput]) -> list[DescribedInput]:
    """What the record says of each input."""
    return [
        DescribedInput(
            context=one.context,
            name=str(one.dataset_version),
            digest=one.dataset_version.digest,
            source=readable(one.dataset_version.source),
            source_type=one.dataset_version.source_type,
            profile=indented(one.dataset_version.profile),
            schema=indented(one.dataset_version.schema),
            url=page_of(one.dataset_version),
            withdrawal=when_withdrawn(one.dataset_version),
            is_kept=one.dataset_version.root_id is not None,
        )
        for one in inputs
    ]


def indented(text: str) -> str:
    """JSON laid out for reading; any other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
