"""Idempotency-Key: a call that creates or acts can be sent again after a lost answer, and still happens once.

Key and act are written in one transaction. Whoever comes second waits for it and gets the first one's answer.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import can, not_found, sight
from accounts.answers import claimed
from accounts.models import KeptAnswer, Project
from accounts.opening import watching
from audit.ledger.acting import Act, denials_outlive_rollback
from kernel.actor import Actor
from kernel.digests import sha256_hex
from kernel.errors import Conflict, Invalid

HEADER: Final = "Idempotency-Key"
REPLAY: Final = "Idempotent-Replay"
KEY_MAX: Final = 200


class KeyUsed(Conflict):
    """The key stands for another call."""

    code = "IDEMPOTENCY_KEY_REUSED"


class _Unkept(Exception):
    """Rolls back what a call wrote that was answered with a refusal, or in a form that is not kept."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer


def key_of(request: Request) -> str:
    """The key that came with a call, or ''. Raises Invalid."""
    key = request.headers.get(HEADER, "").strip()
    if len(key) > KEY_MAX or not (key.isascii() and key.isprintable()):
        raise Invalid(f"A key has at most {KEY_MAX} printable ASCII characters.", hint="A UUID is one.", field=HEADER)
    return key


def once(
    request: Request,
    actor: Actor,
    call: Callable[[], Response],
    *,
    key: str,
    permission: str,
    secrets: frozenset[str],
    still_there: Callable[[], None],
) -> Response:
    """Answer as the call with this key was answered, or make the call and keep its answer with what it wrote.

    secrets: fields that are answered once and never kept. still_there: raises where the caller sees the place no more.
    Raises KeyUsed, KeyBusy, and whatever the call does: then neither is kept.
    """
    digests = _digests_of(request)
    try:
        with denials_outlive_rollback(), transaction.atomic():
            call_id = sha256_hex(f"{request.method} {request.path}".encode())
            kept = claimed(actor.user_id, key=key, call=call_id, digest=digests[0])
            if kept.status is None:
                acts: list[Act] = []
                with watching(lambda act, given: acts.append(act)):
                    answer = call()
                _keep(kept, answer, acts, secrets)
                return answer
    except _Unkept as refused:
        return refused.answer
    if kept.digest not in digests:
        raise KeyUsed(
            "This key was used for something else here.", hint="Send what is new with a key of its own.", field=HEADER
        )
    _require_still(actor, permission, kept.project_id)
    still_there()
    return _again(kept)


def _digests_of(request: Request) -> list[str]:
    """What the call says, under this server's key and its earlier ones: a body may hold a password, so no bare digest.

    The same for the same fields in another order. What is no JSON counts by its bytes.
    """
    if "json" in (request.content_type or ""):
        said = json.dumps(request.data, sort_keys=True).encode()
    else:
        said = request._request.body
    said = request._request.META.get("QUERY_STRING", "").encode() + b"\n" + said
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [salted_hmac(HEADER, said, secret=key, algorithm="sha256").hexdigest() for key in keys]


def _keep(kept: KeptAnswer, answer: Response, acts: list[Act], secrets: frozenset[str]) -> None:
    """Write the answer beside its key. A call that wrote nothing is as good when it is made again."""
    if answer.status_code >= 400:
        raise _Unkept(answer)
    if not isinstance(answer, Response) or not acts:
        kept.delete()
        return
    kept.status = answer.status_code
    kept.location = answer.headers.get("Location", "")
    kept.body = "" if answer.data is None else JSONRenderer().render(without(answer.data, secrets)).decode()
    kept.project_id = next((act.project_id for act in acts if act.project_id is not None), None)
    kept.save()


def without(data: Any, secrets: frozenset[str]) -> Any:
    """An answer with its secrets left empty, however deep they lie."""
    if isinstance(data, Mapping):
        return {name: "" if name in secrets else without(value, secrets) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [without(value, secrets) for value in data]
    return data


def _require_still(actor: Actor, permission: str, project_id: UUID | None) -> None:
    """Raise unless the caller may still do there what the answer tells of."""
    if project_id is None:
        verdict = can(actor, permission)
        if not verdict:
            raise verdict.error  # type: ignore[union-attr]  # a Denied, being false
        return
    reach = sight(actor, permission)
    if not (reach.everything or project_id in reach.projects or project_id in reach.own_in or reach.experiments):
        raise not_found(Project)


def _again(kept: KeptAnswer) -> Response:
    headers = {REPLAY: "true", **({"Location": kept.location} if kept.location else {})}
    return Response(json.loads(kept.body) if kept.body else None, status=kept.status, headers=headers)
