"""A promotion beside the version that it is about: from where to where, the evidence, and the decision."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.access import Allowed, Denied
from accounts.pages.doors import actor_of
from accounts.pages.signing import signing
from kernel.errors import MledError
from registry.actions.promotions import REJECT_NEEDS
from registry.gates import GateResult, checklist, from_json
from registry.models import PromotionRequest
from registry.pages.frame import digest_of, version_url
from registry.promoting.words import meaning_of
from registry.queries.promotions import may_decide, signature_state
from registry.queries.version_files import files_of_version

LOOKS = {"pass": ("pass", "ok"), "warn": ("miss", "warn"), "fail": ("bad", "bad")}
FIRST = {"fail": 0, "warn": 1, "pass": 2}


def panel_of(
    request: HttpRequest,
    asked: PromotionRequest,
    *,
    opened: str = "",
    comment: str = "",
    error: MledError | None = None,
) -> dict[str, Any]:
    """The context of templates/registry/promotion_panel.html.

    opened: the decision whose dialogue is open, with what was written so far and why it could not be signed.
    """
    viewer, version = actor_of(request), asked.version
    results = checklist(viewer, version, asked.target) if asked.is_open else from_json(asked.gates)
    verdict = may_decide(viewer, asked)
    files = files_of_version(viewer, version)
    return {
        "asked": asked,
        "asked_url": promotion_url(asked),
        "asked_version_url": version_url(version),
        "gates": [(*LOOKS[one.outcome], one) for one in sorted(results, key=lambda one: FIRST[one.outcome])],
        "gates_passed": sum(one.outcome == "pass" for one in results),
        "gates_blocking": [one for one in results if one.blocks],
        "decides": asked.is_open and bool(verdict),
        "why_not": why_not(asked, verdict, results, is_mine=asked.created_by_id == viewer.user_id),
        "is_mine": asked.created_by_id == viewer.user_id,
        "may_withdraw": asked.is_open and asked.created_by_id == viewer.user_id,
        "signature": asked.signature,
        "signature_state": signature_state(viewer, asked),
        "signing": signing(request, asked.model.project, opened=opened, comment=comment, error=error),
        "sign_what": str(version),
        "sign_word": {"reject": "rejected"}.get(opened, "approved"),
        "sign_meaning": meaning(asked, opened or "approve"),
        "sign_facts": facts_of(results, len(files), digest_of(files)),
        "sign_email": request.POST.get("email", ""),
        "reject_needs": REJECT_NEEDS,
        "meanings": {decision: meaning(asked, decision) for decision in ("approve", "reject")},
    }


def why_not(asked: PromotionRequest, verdict: Allowed | Denied, results: list[GateResult], *, is_mine: bool) -> str:
    """Why the viewer does not decide, and who does; empty for whoever may."""
    if not isinstance(verdict, Denied):
        return ""
    if is_mine:
        able = next((f" {one.words}" for one in results if one.key == "four_eyes" and one.outcome == "pass"), "")
        return f"You asked for this promotion, so somebody else decides about it.{able}"
    return verdict.reason


def meaning(asked: PromotionRequest, decision: str) -> str:
    """What the signature will say."""
    return meaning_of(asked, approve=decision != "reject")


def facts_of(results: list[GateResult], files: int, digest: str) -> list[tuple[str, str]]:
    """What is signed, in a few lines."""
    passed = sum(one.outcome == "pass" for one in results)
    other = len(results) - passed
    covers = f"sha256:{digest[:12]} … {digest[-8:]}, {files} file{'' if files == 1 else 's'}" if digest else "no files"
    return [
        ("Covers", covers),
        ("With them", "data, metrics, request, evidence and comment"),
        ("Evidence", f"{passed} pass" + (f", {other} {'does' if other == 1 else 'do'} not" if other else "")),
    ]


def promotion_url(asked: PromotionRequest) -> str:
    """The page of a promotion."""
    return reverse("registry:promotion", args=[asked.model.project.slug, asked.pk])
