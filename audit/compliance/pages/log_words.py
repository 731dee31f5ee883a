"""Events of a project as lines to read: acts and things in words, old and new beside each other."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import NoReverseMatch, reverse

from accounts.models import Membership, Project
from accounts.pages.history import Change, entry
from accounts.queries.history import NamedEvent
from artifacts.models import Dataset, DatasetVersion
from artifacts.pages.history import SAID as OF_DATASETS
from audit.compliance.models import (
    AccessReview,
    Draw,
    Finding,
    NotApplicable,
    Report,
    Review,
    TrailReview,
    Waiver,
)
from audit.compliance.queries.log_things import Named, Thing
from audit.ledger.queries.history import RowChange
from experiments.models import Decision, Experiment, Run, SavedView
from experiments.pages.history import SAID as OF_RUNS
from registry.models import LoggedModel, ModelVersion, PromotionRequest, RegisteredModel, Webhook
from registry.pages.past import SAID as OF_MODELS

CHANGES_MAX = 200
TEXT_MAX = 600
NOBODY: Final[Mapping[str, str]] = {}
_DULL = frozenset({"at", "id", "uid", "run", "project", "experiment", "number", "version", "created_by", "log_size"})
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?\+00:00")
_OWN = {
    "accounts.add_member": "gave a role",
    "accounts.appoint_member": "appointed",
    "accounts.change_role": "changed a role",
    "accounts.remove_member": "removed a member",
    "accounts.dismiss_member": "dismissed",
    "accounts.create_project": "made the project",
    "accounts.edit_project": "edited the project",
    "experiments.record_decision": "recorded a decision",
    "experiments.take_back_decision": "took back a decision",
    "experiments.set_goal": "set the project's goal",
    "experiments.clear_goal": "cleared the project's goal",
    "accounts.govern_project": "set how the project is governed",
    "accounts.grant_sight": "let somebody see the project",
    "accounts.withdraw_sight": "took sight of the project away",
    "artifacts.begin_upload": "began an upload",
    "accounts.erase_payloads": "erased what was recorded",
    "experiments.create_experiment": "made the experiment",
    "experiments.note_export": "took data out",
    "experiments.note_export_of": "took data out",
    "compliance.seal_bundle": "sealed a bundle",
    "compliance.record_verification": "recorded what the offline verifier said",
    "compliance.submit_run": "submitted the run for review",
    "compliance.withdraw_submission": "withdrew the submission",
    "compliance.withdraw_drawn": "took it out of a sample",
    "compliance.start_review": "began the review",
    "compliance.assign_review": "assigned the review",
    "compliance.decide_review": "signed a verdict",
    "compliance.apply_verdict": "put the verdict into effect",
    "compliance.amend_run": "amended the run",
    "compliance.assess_run": "asked the rules",
    "compliance.waive_rule": "waived a rule",
    "compliance.cosign_waiver": "signed a waiver along",
    "compliance.end_waiver": "ended a waiver",
    "compliance.set_not_applicable": "said that a rule does not apply",
    "compliance.remove_not_applicable": "has a rule asked again",
    "compliance.draw_sample": "drew a sample",
    "compliance.review_trail": "reviewed the audit trail",
    "compliance.open_finding": "opened a finding",
    "compliance.answer_finding": "answered a finding",
    "compliance.close_finding": "closed a finding",
    "compliance.ask_again": "asked again about a finding",
    "compliance.choose_profile": "chose the project's rules",
    "compliance.choose_retention": "chose how long records are kept",
    "compliance.change_copy": "changed what the project asks",
    "compliance.export_log": "exported the log",
    "compliance.place_hold": "placed a legal hold",
    "compliance.ask_purge": "asked for a purge",
    "compliance.withdraw_purge": "took a purge back",
    "compliance.refuse_purge": "refused a purge",
    "compliance.carry_out_purge": "purged runs",
    "compliance.lift_hold": "lifted a legal hold",
    "compliance.review_access": "signed off who may do what",
    "compliance.open_report": "asked for a report",
    "compliance.begin_report": "began a report",
    "compliance.issue_report": "finished a report",
    "compliance.fail_report": "gave a report up",
    "compliance.cancel_report": "stopped a report",
    "compliance.download_report": "took a file of a report out",
    "accounts.give_job_token": "gave a job its token",
    "accounts.take_job_token": "ended the token of a job",
    "artifacts.set_quota": "set how much the project's files may take",
    "boards.open_board": "opened the project as a public board",
    "boards.set_terms": "changed the terms of the board",
    "boards.end_board": "ended the board",
    "boards.submit_entry": "submitted an entry",
    "boards.change_entry": "changed an entry",
    "boards.withdraw_entry": "withdrew an entry",
    "boards.show_entry": "let an entry show",
    "boards.hide_entry": "took an entry off",
    "boards.end_claim": "ended a claim token",
    "boards.keep_claim": "kept a claim token with an account",
    "runner.set_rules": "set what jobs may use",
    "runner.keep_secret": "set a secret",
    "runner.remove_secret": "removed a secret",
    "runner.drain_worker": "changed whether a worker takes jobs",
    "runner.take_off_worker": "took a worker off the list",
    "runner.admit_worker": "let a worker in",
    "runner.withdraw_admission": "took back the word of a worker",
    "runner.use_admission": "gave a worker what it needs",
    "transfer.begin_export": "asked for an export",
    "transfer.begin_import": "asked for an import",
    "transfer.start_transfer": "began an import or export",
    "transfer.cancel_transfer": "stopped an import or export",
    "transfer.finish_transfer": "finished an import or export",
    "transfer.fail_transfer": "gave an import or export up",
    "transfer.end_export": "let go of the files of an import or export",
    "transfer.end_exports_of": "ended exports that name a person who was forgotten",
    "transfer.download_transfer_file": "took an archive out",
    "transfer.bring_in_experiment": "imported the experiment",
    "transfer.bring_in_record": "imported",
    "transfer.finish_record": "imported how it stands",
    "transfer.complete_model": "completed an imported model",
}
SAID: Final[Mapping[str, str]] = {
    verb: text.rstrip(":") for verb, text in {**OF_RUNS, **OF_DATASETS, **OF_MODELS, **_OWN}.items()
}
_KINDS = {
    "experiments.run": "run",
    "experiments.runtag": "tag",
    "experiments.runinput": "data",
    "boards.board": "board",
    "boards.submission": "entry",
    "boards.readerpass": "claim token",
    "experiments.decision": "decision",
    "experiments.decisionrun": "run cited",
    "experiments.savedview": "view",
    "experiments.metricdirection": "metric direction",
    "artifacts.artifactfile": "file",
    "artifacts.datasetversion": "dataset version",
    "artifacts.datasetalias": "dataset alias",
    "artifacts.versionrecord": "record of a dataset version",
    "accounts.membership": "role",
    "ledger.auditpayload": "erased entry",
    "registry.registeredmodel": "model",
    "registry.modelversion": "model version",
    "registry.loggedmodel": "logged model",
    "registry.runmodel": "model of a run",
    "registry.promotionrequest": "promotion",
    "registry.modelalias": "model alias",
    "registry.cardtext": "model card",
    "compliance.notapplicable": "exception",
    "compliance.profilecopy": "rules of the project",
    "compliance.trailreview": "trail review",
    "compliance.findingnote": "finding note",
    "compliance.accessreview": "access review",
    "compliance.legalhold": "legal hold",
    "compliance.reportfile": "file of a report",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One event as a row of the page. first: the change that stands in the row; the others unfold."""

    id: str
    at: dt.datetime
    who: str
    role: str
    door: str
    did: str
    verb: str
    thing: str
    kind: str
    url: str
    first: Change | None
    changes: Sequence[Change]
    more: int
    reason: str
    place: int | None
    denied: bool
    erased: str
    commitment: str
    request_id: str
    client: str
    client_at: dt.datetime | None


def verb_words(verb: str) -> str:
    """An action in words."""
    return SAID.get(verb) or verb.rpartition(".")[2].replace("_", " ")


def kind_words(kind: str) -> str:
    """A kind of things in words."""
    return _KINDS.get(kind) or kind.rpartition(".")[2].replace("_", " ")


def lines_of(
    project: Project | None, events: Sequence[NamedEvent], things: Mapping[Thing, Named], people: Mapping[str, str]
) -> list[Line]:
    """Events as rows of the page. people: names for ids that stand in changes."""
    return [_line(project, one, things, people) for one in events]


def _line(project: Project | None, named: NamedEvent, things: Mapping[Thing, Named], people: Mapping[str, str]) -> Line:
    event = named.past.event
    changes = [change for row in named.past.changes for change in changes_of(row, people)]
    told = entry(named, changes, SAID)
    thing = things.get((event.subject_type, event.subject_id))
    return Line(
        id=event.id.hex,
        at=event.at,
        who=named.who,
        role=told.role,
        door=told.door,
        did=told.did.rstrip(":"),
        verb=event.verb,
        thing=thing.label if thing else "",
        kind=kind_words(event.subject_type),
        url=url_of(project, thing.row) if thing and project else "",
        first=min(changes, key=_dullness) if changes else None,
        changes=changes[:CHANGES_MAX],
        more=max(0, len(changes) - CHANGES_MAX),
        reason=named.past.reason,
        place=named.past.seq,
        denied=told.denied,
        erased=named.erased,
        commitment=event.commitment,
        request_id=event.request_id,
        client=event.client,
        client_at=_moment(event.client_ms),
    )


def changes_of(row: RowChange, people: Mapping[str, str]) -> list[Change]:
    """What changed in one record, column by column; columns that hold nothing before and after are left out."""
    kind = "" if row.type == "experiments.run" else kind_words(row.type)
    pairs = ((name, words(old, people), words(new, people)) for name, (old, new) in row.fields.items())
    said = ((name if name == kind else f"{kind} {_label(name)}".strip(), old, new) for name, old, new in pairs)
    return [Change(name, old, new) for name, old, new in said if old != new]


def words(value: Any, people: Mapping[str, str] = NOBODY) -> str:
    """A recorded value as a person reads it. people: names for ids that stand in it."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        text = ", ".join(f"{key} {words(item, people)}" for key, item in value.items() if item not in (None, "", {}))
    elif isinstance(value, list):
        text = ", ".join(words(item, people) for item in value)
    else:
        text = people.get(value) or _ISO.sub(r"\1 \2 UTC", value) if isinstance(value, str) else str(value)
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…"


def url_of(project: Project, row: Any) -> str:
    """The page of a thing; empty where it has none."""
    slug = project.slug
    try:
        match row:
            case Run():
                return reverse("experiments:run", args=[row.readable_id])
            case Project():
                return reverse("experiments:project", args=[slug])
            case Decision():
                return reverse("experiments:decision", args=[slug, row.number])
            case Experiment():
                return reverse("experiments:experiments", args=[slug])
            case Membership():
                return reverse("accounts:members", args=[slug])
            case Dataset():
                return reverse("artifacts:dataset", args=[slug, row.pk])
            case DatasetVersion():
                return reverse("artifacts:version", args=[slug, row.dataset_id, row.number])
            case RegisteredModel():
                return reverse("registry:model", args=[slug, row.name])
            case ModelVersion():
                return reverse("registry:version", args=[slug, row.model.name, row.number])
            case PromotionRequest():
                return reverse("registry:promotion", args=[slug, row.pk])
            case LoggedModel():
                return reverse("registry:logged_model", args=[slug, row.model_id])
            case Review():
                return reverse("compliance:review", args=[slug, row.pk])
            case Finding():
                return reverse("compliance:run_review", args=[row.run.uid.hex]) + f"#finding-{row.pk}"
            case Waiver() | NotApplicable():
                return reverse("compliance:run_rules", args=[row.run.uid.hex])
            case Draw() | TrailReview():
                return reverse("compliance:queue", args=[slug])
            case Report():
                return reverse("compliance:report", args=[project.slug, row.pk])
            case AccessReview():
                return reverse("compliance:access_signed", args=[slug, row.pk])
            case Webhook():
                return reverse("registry:webhook", args=[slug, row.pk])
            case SavedView():
                return reverse("experiments:runs", args=[slug]) + f"?view={row.pk}"
            case _ if row._meta.label_lower == "boards.submission":
                return reverse("boards:entry", args=[slug, row.number])
    except NoReverseMatch:  # a name with a slash has no page of its own
        return ""
    return ""


def _dullness(change: Change) -> tuple[bool, bool]:
    """What goes first in a row: a value that moved before one that came, a word before an id, a digest or a time."""
    name = change.name.rpartition(" ")[2]
    is_dull = name in _DULL or name.endswith(("_at", "_ms", "_id", "digest")) or change.new.endswith(" UTC")
    return is_dull, not change.old


def _label(name: str) -> str:
    return name.removesuffix("_id") if name.endswith("_id") else name


def _moment(ms: int | None) -> dt.datetime | None:
    try:
        return None if ms is None else dt.datetime.fromtimestamp(ms / 1000, dt.UTC)
    except (OverflowError, OSError, ValueError):
        return None
