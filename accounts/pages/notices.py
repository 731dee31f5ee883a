"""What one was told: the list, and marking it as read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.actions.notices import mark_notices_read
from accounts.models import Notice
from accounts.pages.doors import actor_of, page_named, signed_in
from accounts.queries.notices import notices_of, unread_notices
from kernel.errors import NotFound

A_PAGE = 50
LAST_START = 1_000_000
KIND_ICONS = {
    "recalled": ("bad", "text-fail"),
    "alarm": ("bad", "text-fail"),
    "reinstated": ("undo", "t3"),
    "promotion": ("shield", "t3"),
}


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """A notice ready to read. url: opens what it speaks of and marks it as read; '' where there is nothing to open."""

    notice: Notice
    icon: str
    tone: str
    open_url: str


def lines_of(notices: Sequence[Notice]) -> list[NoticeLine]:
    """Notices in the words and marks of a page."""
    return [_line(notice) for notice in notices]


def _line(notice: Notice) -> NoticeLine:
    icon, tone = next((look for word, look in KIND_ICONS.items() if word in notice.kind), ("bell", "t3"))
    return NoticeLine(notice, icon, tone, reverse("accounts:open_notice", args=[notice.pk]) if notice.url else "")


@require_safe
@signed_in
def notices(request: HttpRequest) -> HttpResponse:
    """All of one's notices, newest first, in pages."""
    viewer = actor_of(request)
    start = _start(request)
    found = list(notices_of(viewer)[start : start + A_PAGE + 1])
    here = reverse("accounts:notices")
    context: dict[str, Any] = {
        "at": "notices",
        "lines": lines_of(found[:A_PAGE]),
        "unread": unread_notices(viewer).count(),
        "first_url": here if start else "",
        "next_url": f"{here}?start={start + A_PAGE}" if len(found) > A_PAGE else "",
    }
    return render(request, "accounts/notices.html", context)


def _start(request: HttpRequest) -> int:
    asked = request.GET.get("start", "")
    return min(int(asked[:9]), LAST_START) if asked.isascii() and asked.isdigit() else 0


@require_POST
@signed_in
def read(request: HttpRequest) -> HttpResponse:
    """Mark all as read, and back to where that was asked."""
    count = mark_notices_read(actor_of(request))
    messages.success(request, f"{count} notice{'' if count == 1 else 's'} marked as read.")
    return redirect(page_named(request, request.POST.get("next", ""), otherwise=reverse("accounts:notices")))


@require_POST
@signed_in
def open_notice(request: HttpRequest, notice: int) -> HttpResponse:
    """Mark one as read, and on to the page that it speaks of."""
    viewer = actor_of(request)
    found = notices_of(viewer).filter(pk=notice).first()
    if found is None:
        raise NotFound("No such notice was found.")
    mark_notices_read(viewer, notices=[found.pk])
    return redirect(page_named(request, found.url, otherwise=reverse("accounts:notices")))
