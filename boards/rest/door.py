"""What the views of boards start from: also people without an account, and whoever holds a claim token.

`Authorization: Bearer claim_…` names a claim token; tokens of accounts and sessions work as everywhere.
"""

from dataclasses import replace
from functools import cached_property
from typing import Any

from rest_framework.request import Request

from accounts.access import roles_in
from accounts.authentication import PageSessionAuthentication, TokenAuthentication, bearer_secret
from accounts.rest import limits
from accounts.rest.door import RestView, ScopeAllows, actor_of
from boards.claims import PREFIX, as_contributor, checked_secret, new_secret, with_claim
from boards.models import Board
from boards.queries.boards import get_board
from kernel.actor import Actor


class ClaimOrToken(TokenAuthentication):
    """DRF: the Authorization header; a claim token signs nobody in."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        return None if claim_of(request) else super().authenticate(request)


def claim_of(request: Request) -> str:
    """The claim token in the Authorization header, or ''."""
    secret = bearer_secret(request.META.get("HTTP_AUTHORIZATION", "")) or ""
    return secret if secret.startswith(PREFIX) else ""


class BoardView(RestView):
    """A view of a public board. Nobody has to be signed in; what they may is asked of the board."""

    authentication_classes = (ClaimOrToken, PageSessionAuthentication)
    permission_classes = (ScopeAllows,)  # type: ignore[assignment]  # without IsAuthenticated
    secrets = frozenset({"claim_token"})

    def perform_authentication(self, request: Request) -> None:
        """Who it is. People without an account have calls by their address."""
        super().perform_authentication(request)
        if not actor_of(request).is_person:
            self.standing = limits.spend_unknown(request.META.get("REMOTE_ADDR", ""))

    def takes_key(self) -> bool:
        """An Idempotency-Key is kept by account; others send `key`."""
        return super().takes_key() and actor_of(self.request).is_person

    @cached_property
    def visitor(self) -> Actor:
        """Who asks, before their claim token is looked at."""
        actor, meta = actor_of(self.request), self.request.META
        return replace(
            actor, ip=meta.get("REMOTE_ADDR", ""), client=actor.client or meta.get("HTTP_USER_AGENT", "")[:200]
        )

    def board(self) -> Board:
        """The board in the address. Raises NotFound."""
        return get_board(self.visitor, self.kwargs["slug"])

    @property
    def actor(self) -> Actor:
        """Who asks, with the claim token that they hold on this board."""
        if "slug" not in self.kwargs:
            return self.visitor
        return with_claim(self.visitor, self.board(), claim_of(self.request))

    def contributor(self, board: Board) -> tuple[Actor, str]:
        """Who submits, and the claim token that was made for them; '' for who brought one or needs none."""
        brought = claim_of(self.request)
        if roles_in(self.visitor, board.project_id):
            return self.visitor, ""
        known = with_claim(self.visitor, board, brought)
        if known.claim is not None:
            return known, ""
        secret = checked_secret(brought) if brought else new_secret()
        return as_contributor(self.visitor, board, secret), "" if brought else secret
