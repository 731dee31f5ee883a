"""What a person reads once the first page answers."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

from django.conf import settings
from django.db import connection


def announce(url: str) -> None:
    if not answers(url, within=60):
        print(f"MLED does not answer as it should on {url}; the lines above may say why.", flush=True)
        return
    print(
        f"\n  MLED is ready at {settings.MLED_URL or url}"
        f"\n  Data in {settings.MLED_DATA}, database {connection.vendor}."
    )
    link = setup_link()
    if link:
        print(f"\n  Make the first administrator here; the link works once:\n  {settings.MLED_URL or url}{link}")
    print("\n  Ctrl+C stops it.\n", flush=True)


def answers(url: str, *, within: float) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)
        except urllib.error.HTTPError as refusal:
            print(f"{url}/health answers {refusal.code}.", flush=True)
            return False
        except OSError:
            time.sleep(0.05)
    return False


def setup_link() -> str | None:
    from accounts.actions.setup import issue_setup_link

    return issue_setup_link()
