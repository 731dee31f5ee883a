"""Browsers at a board: what somebody types, and what comes back."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client

from boards.models import Board
from kernel.actor import Actor
from tests.factories import user_of

TYPED = {
    "email": "noor@school.example",
    "model": "gradient boosting, 300 trees",
    "result": "0.612",
    "seed": "17",
    "params": '{"learning_rate": 0.050, "max_depth": 5}',
    "further": "",
    "code": "https://git.example.org/noor",
    "note": "First *try*.",
    "website": "",
    "key": "5f0f3a46-9e57-4f5e-8f2e-0d5a7e1b2c3d",
}


class Browser:
    """Somebody at a board; cookies stay from page to page."""

    def __init__(self, board: Board, *, secret: str = "", who: Actor | None = None) -> None:
        self.board, self.client = board, Client()
        self.at = f"/boards/{board.project.slug}/"
        if who is not None:
            self.client.force_login(user_of(who), backend="accounts.backends.EmailBackend")
        if secret:
            self.client.cookies[f"mled_claim_{board.project.slug}"] = secret

    def get(self, below: str = "", expecting: int = 200, **query: Any) -> str:
        path = below if below.startswith("/") else self.at + below
        response = self.client.get(path, query)
        assert response.status_code == expecting, (path, response.status_code)
        self.response = response
        content = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
        return content.decode()

    def post(self, below: str = "", expecting: int = 302, **typed: Any) -> str:
        path = below if below.startswith("/") else self.at + below
        response = self.client.post(path, typed)
        assert response.status_code == expecting, (path, response.status_code, text_of(response.content.decode())[:500])
        self.response = response
        return response.content.decode()

    def form(self) -> dict[str, str]:
        """The hidden fields that the form came with."""
        page = self.get("new/")
        return {name: value_of(page, name) for name in ("key", "claim_token")}

    def submit(self, expecting: int = 302, **typed: Any) -> str:
        return self.post(expecting=expecting, **(TYPED | self.form() | typed))

    @property
    def secret(self) -> str:
        """The claim token that the browser holds."""
        held = self.client.cookies.get(f"mled_claim_{self.board.project.slug}")
        return held.value if held else ""


def value_of(page: str, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    return html.unescape(found[1]) if found else ""


def text_of(page: str) -> str:
    """As a reader sees it, without tags."""
    shown = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())
