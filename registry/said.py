"""What acts on models and promotions did, in words: as their history tells them."""

from collections.abc import Mapping
from typing import Final

SAID: Final[Mapping[str, str]] = {
    "registry.create_registered_model": "registered the model",
    "registry.rename_registered_model": "renamed the model",
    "registry.edit_registered_model": "described the model",
    "registry.delete_registered_model": "deleted the model",
    "registry.create_version": "registered the version",
    "registry.edit_version": "described the version",
    "registry.delete_version": "deleted the version",
    "registry.set_alias": "moved an alias",
    "registry.delete_alias": "took an alias away",
    "registry.transition_stage": "moved it to a stage",
    "registry.set_model_tags": "set tags of the model",
    "registry.set_version_tags": "set tags",
    "registry.delete_model_tag": "removed a tag of the model",
    "registry.delete_version_tag": "removed a tag",
    "registry.write_card": "wrote the model card",
    "registry.ask_promotion": "asked for promotion",
    "registry.decide_promotion": "decided a promotion",
    "registry.withdraw_promotion": "withdrew a promotion",
    "registry.carry_out_promotion": "carried the promotion out",
    "transfer.bring_in_record": "imported it:",
    "transfer.finish_record": "imported how it stands:",
    "transfer.bring_in_registered_model": "imported the model:",
    "transfer.bring_in_version": "imported the version:",
}
