"""What acts on datasets did, in words: as their history tells them."""

from collections.abc import Mapping
from typing import Final

SAID: Final[Mapping[str, str]] = {
    "artifacts.create_dataset": "made the dataset",
    "artifacts.edit_dataset": "described the dataset",
    "artifacts.add_version": "added",
    "artifacts.add_external_version": "registered",
    "artifacts.write_record": "wrote about",
    "artifacts.set_dataset_alias": "set",
    "artifacts.remove_dataset_alias": "took away",
    "artifacts.withdraw_version": "recalled",
    "artifacts.reinstate_version": "reinstated",
    "transfer.bring_in_record": "imported",
    "transfer.finish_record": "imported how it stands:",
}
