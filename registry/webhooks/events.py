"""Which recorded changes are events for webhooks, and the messages about them.

The ledger knows what every act changed, whichever door or background task did it; so messages are made there, in the
transaction of the act: no change without its message, no message without the change.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from django.db import transaction

from accounts.models import Project
from artifacts.models import VersionRecord
from audit.ledger.acting import Act
from kernel.clock import now
from registry.models import Delivery, ModelAlias, ModelVersion, PromotionRequest, RegisteredModel, Webhook
from registry.webhooks.hooks import wake

EVENTS: Final[Mapping[str, str]] = {
    "model.created": "a registered model was made",
    "version.created": "a model version was registered",
    "version.deleted": "a model version was deleted",
    "alias.set": "an alias stands for another version",
    "alias.removed": "an alias was taken away",
    "stage.changed": "a version went to another stage",
    "promotion.asked": "somebody asked for a promotion",
    "promotion.approved": "a promotion was approved and signed",
    "promotion.rejected": "a promotion was rejected and signed",
    "promotion.withdrawn": "a promotion was withdrawn",
    "promotion.effective": "an approved promotion is in effect",
    "promotion.lapsed": "an approved promotion did not take effect",
    "dataset.recalled": "a dataset version was recalled",
    "dataset.reinstated": "a recalled dataset version may be used again",
}
PING: Final = "ping"

Change = Mapping[str, Any]
Told = tuple[str, Project, dict[str, Any]]


def tell_webhooks(act: Act) -> None:
    """Before an act commits: a message for each of its changes that a webhook of its project waits for."""
    for change in act.changes:
        read = _READERS.get(change["type"])
        if read is not None:
            for event, project, facts in read(change):
                emit(act, project, event, facts)


def emit(act: Act, project: Project, event: str, facts: Mapping[str, Any]) -> None:
    """Put a message for every active webhook of the project that wants this event into the queue."""
    wanting = [
        webhook
        for webhook in Webhook.objects.filter(project=project, is_active=True)
        if not webhook.events or event in webhook.events
    ]
    if not wanting:
        return
    Delivery.objects.bulk_create(
        Delivery(
            webhook=webhook,
            event=event,
            body=body_of(act, project, event, facts),
            of_version=facts.get("version_id"),
        )
        for webhook in wanting
    )
    transaction.on_commit(wake)


def body_of(act: Act, project: Project, event: str, facts: Mapping[str, Any]) -> str:
    """The message: what happened, when, by whom, in which project, and the ledger's event that proves it."""
    return json.dumps(
        {
            "id": str(uuid.uuid4()),
            "event": event,
            "at": now().isoformat(),
            "facts": {**facts, "project": project.slug},
            "actor": {"id": str(act.actor.user_id or ""), "name": act.actor.user_name},
            "ledger_event": str(act.event_id),
        },
        separators=(",", ":"),
        ensure_ascii=False,
    )


def _of_model(change: Change) -> Iterator[Told]:
    if change["op"] == "create":
        model = RegisteredModel.objects.select_related("project").get(pk=int(change["id"]))
        yield "model.created", model.project, {"model": model.name}


def _of_version(change: Change) -> Iterator[Told]:
    fields = change["fields"]
    event = "version.created" if change["op"] == "create" else ""
    if change["op"] == "update" and fields.get("is_deleted") == [False, True]:
        event = "version.deleted"
    moved = change["op"] == "update" and "stage" in fields
    if not event and not moved:
        return
    version = _version(int(change["id"]))
    if event:
        yield event, version.model.project, _facts(version)
    if moved:
        old, new = fields["stage"]
        yield "stage.changed", version.model.project, {**_facts(version), "from_stage": old, "stage": new}


def _of_alias(change: Change) -> Iterator[Told]:
    fields = change["fields"]
    if change["op"] == "delete":
        version = _version(int(fields["version_id"][0]))
        yield "alias.removed", version.model.project, {**_facts(version), "alias": fields["name"][0]}
    elif "version_id" in fields:
        old, new = fields["version_id"]
        version = _version(int(new))
        before = ModelVersion.objects.filter(pk=old).values_list("number", flat=True).first() if old else None
        name = fields["name"][1] if "name" in fields else _alias_name(change["id"])
        facts = {**_facts(version), "alias": name, "from_version": before}
        yield "alias.set", version.model.project, facts


def _alias_name(alias_id: str) -> str:
    return str(ModelAlias.objects.values_list("name", flat=True).get(pk=int(alias_id)))


def _of_promotion(change: Change) -> Iterator[Told]:
    fields, request = change["fields"], None
    for event in _promotion_events(change["op"], fields):
        request = request or PromotionRequest.objects.select_related(
            "version__model__project", "version__run", "from_version"
        ).get(pk=uuid.UUID(change["id"]))
        yield (
            event,
            request.version.model.project,
            {
                **_facts(request.version),
                "promotion": str(request.pk),
                "kind": request.kind,
                "target": request.target,
                "from_version": request.from_version.number if request.from_version else None,
                "why": request.lapsed_why,
            },
        )


def _promotion_events(operation: str, fields: Mapping[str, Any]) -> Iterator[str]:
    if operation == "create":
        yield "promotion.asked"
    elif "state" in fields:
        yield f"promotion.{fields['state'][1]}"
    elif fields.get("effective_at", [None, None])[1] is not None:
        yield "promotion.effective"
    elif fields.get("lapsed_at", [None, None])[1] is not None:
        yield "promotion.lapsed"


def _of_record(change: Change) -> Iterator[Told]:
    state = change["fields"].get("state")
    if state is None:
        return
    event = {
        (True, VersionRecord.State.WITHDRAWN): "dataset.recalled",
        (True, VersionRecord.State.ACTIVE): "dataset.reinstated",
    }.get((state[0] is not None or state[1] == VersionRecord.State.WITHDRAWN, state[1]))
    if event is None:
        return
    record = VersionRecord.objects.select_related("version__dataset__project").get(pk=int(change["id"]))
    dataset = record.version.dataset
    facts = {
        "dataset": dataset.name,
        "version": record.version.number,
        "dataset_version_id": str(record.version_id),
        "digest": record.version.digest,
        "why": record.state_reason,
    }
    yield event, dataset.project, facts


def _version(version_id: int) -> ModelVersion:
    rows = ModelVersion.objects.select_related("model__project", "run")
    return rows.get(pk=version_id)  # type: ignore[no-any-return]


def _facts(version: ModelVersion) -> dict[str, Any]:
    return {
        "version_id": version.pk,
        "model": version.model.name,
        "version": version.number,
        "stage": version.stage,
        "run": version.run.uid.hex if version.run else None,
    }


_READERS: Final[Mapping[str, Callable[[Change], Iterator[Told]]]] = {
    "registry.registeredmodel": _of_model,
    "registry.modelversion": _of_version,
    "registry.modelalias": _of_alias,
    "registry.promotionrequest": _of_promotion,
    "artifacts.versionrecord": _of_record,
}
