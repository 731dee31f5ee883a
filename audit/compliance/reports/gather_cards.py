"""Sections of model cards: what people wrote by a place in the log, what the record fills in, and who approved."""

from collections.abc import Iterator, Sequence
from typing import Any

from accounts.models import Signature
from audit.compliance.models import Report
from audit.compliance.reports import said
from audit.compliance.reports.asked import requester_of
from audit.compliance.reports.asof import People, rows_at
from audit.compliance.reports.chain import Chain
from audit.compliance.reports.facts import CardSection, Fact
from audit.compliance.reports.gather_events import Told, told_of
from audit.compliance.reports.gather_reviews import signatures_of
from kernel.actor import Actor
from registry.cards import WRITTEN
from registry.models import CardText, ModelVersion, PromotionRequest
from registry.queries.cards import card_of

APPROVALS = "approvals"


def card_sections(report: Report, keys: Sequence[str], size: int, chain: Chain) -> Iterator[CardSection]:
    """The cards of versions in this order; those that are gone are left out."""
    viewer, people = requester_of(report), People()
    rows = ModelVersion.objects.filter(pk__in=[int(one) for one in keys]).select_related(
        "model__project", "run__project", "run__experiment", "run__created_by", "logged_model", "root", "created_by"
    )
    versions = {row.pk: row for row in rows}
    order = [versions[int(one)] for one in keys if int(one) in versions]
    told = told_of(ModelVersion._meta.label_lower, [one.ledger_id for one in order], chain, people)
    for version in order:
        yield _section(viewer, version, size, told[version.ledger_id], people)


def _section(viewer: Actor, version: ModelVersion, size: int, told: Told, people: People) -> CardSection:
    parts = [part for part in card_of(viewer, version).sections if not part.is_written and part.key != APPROVALS]
    written = _written(version, size, people)
    approved = [
        row
        for row in rows_at(PromotionRequest, size, version_id=version.pk)
        if row.state == PromotionRequest.State.APPROVED
    ]
    recorded = [(part.title, [Fact(fact.label, fact.value) for fact in part.facts]) for part in parts]
    recorded.append(("Approvals", _approvals(approved, people)))
    gaps = [f"Nobody wrote: {fact.label}." for fact in written if not fact.value]
    gaps += [f"Not recorded: {title}, {fact.label}." for title, facts in recorded for fact in facts if not fact.value]
    if told.changed:
        gaps.append(told.changed)
    return CardSection(
        id=str(version.pk),
        name=f"{version.model.name} v{version.number}",
        url=f"/p/{version.model.project.slug}/models/{version.model.name}/{version.number}/",
        written=written,
        recorded=recorded,
        signatures=_signatures(approved, size),
        gaps=gaps,
        chain=told.chain,
    )


def _written(version: ModelVersion, size: int, people: People) -> list[Fact]:
    """Each section that people write, with who wrote it last by then; '' where nobody did."""
    texts = {row.section: row for row in rows_at(CardText, size, version_id=version.pk)}
    found = []
    for key, (title, _) in WRITTEN.items():
        row = texts.get(key)
        text = row.text.strip() if row else ""
        by = f"\n({people.name(row.written_by_id)}, {said.moment(row.written_at)})" if row and text else ""
        found.append(Fact(title, f"{text}{by}"))
    return found


def _approvals(approved: Sequence[Any], people: People) -> list[Fact]:
    people.learn(row.decided_by_id for row in approved)
    return [
        Fact(
            f"For {PromotionRequest.Kind(row.kind).label.lower()} '{row.target}'",
            f"{people.name(row.decided_by_id)}, {said.moment(row.decided_at)}",
        )
        for row in sorted(approved, key=lambda row: row.decided_at)
    ] or [Fact("Approvals")]


def _signatures(approved: Sequence[Any], size: int) -> list[Any]:
    ids = [row.id.hex for row in approved]
    rows = Signature.objects.filter(subject_type=PromotionRequest._meta.label_lower, subject_id__in=ids)
    order = list(rows.order_by("signed_at", "pk").values_list("pk", flat=True))
    found = signatures_of(order, size)
    return [found[one] for one in order if one in found]
