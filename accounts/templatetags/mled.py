"""What every page says alike: icons, badges, people, times, numbers, and the frame around a page."""

import datetime as dt
import math
from functools import cache, lru_cache
from typing import Any
from zlib import crc32

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.markdown import as_html
from accounts.models import Project
from accounts.pages.doors import sees_experiments
from kernel.clock import from_ms, now

register = template.Library()

_UNITS = ((86_400 * 365, "y"), (86_400, "d"), (3_600, "h"), (60, "min"))


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A decorative icon from the sprite; the words beside it carry the meaning."""
    return drawn_icon(static_address("icons.svg"), name, extra)


@cache
def static_address(name: str) -> str:
    """A page asks for the sprite hundreds of times; its address is the same as long as the process lives."""
    return static(name)


@lru_cache(maxsize=1000)
def drawn_icon(sprite: str, name: str, extra: str) -> SafeString:
    return format_html('<svg class="i {}" aria-hidden="true"><use href="{}#{}"/></svg>', extra, sprite, name)


@register.simple_tag
def badge(kind: str, icon_name: str, word: str, extra: str = "") -> SafeString:
    """Icon and word, always both: colour alone says nothing."""
    return format_html('<span class="m-b {} {}">{}{}</span>', kind, extra, icon(icon_name), word)


@register.simple_tag(takes_context=True)
def reads_experiments(context: template.Context, project: Project | None) -> bool:
    """Whether the viewer may see anything of what was tried in the project: an administrator does not."""
    actor = getattr(context.get("request"), "actor", None)
    return project is not None and actor is not None and sees_experiments(actor, project)


@register.inclusion_tag("partials/copy.html")
def copy_button(text: object, label: str) -> dict[str, Any]:
    """A button that copies a text; it is there only where scripts run."""
    return {"text": text, "label": label}


@register.filter
def sentence_case(label: str) -> str:
    """A label as we write labels: a capital first, none after; words in capitals stay."""
    first, *rest = str(label).split(" ")
    return " ".join([first[:1].upper() + first[1:], *(word if word.isupper() else word.lower() for word in rest)])


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """A form field's control in our looks, with the state it is in."""
    kinds = {"select": "form-select", "checkbox": "form-check-input"}
    classes = kinds.get(field.widget_type, "form-control") + (" is-invalid" if field.errors else "")
    return field.as_widget(attrs={"class": classes})


def initials(name: str) -> str:
    """Two letters for an avatar: of first and last word, or of the only one."""
    words = [word for word in name.replace(".", " ").replace("@", " ").split() if word]
    if not words:
        return "?"
    letters = words[0][:2] if len(words) == 1 else words[0][0] + words[-1][0]
    return letters.upper()


@register.simple_tag
def avatar(person: Any, size: str = "") -> SafeString:
    """A person's initials in one of four tints that stay the same on every page. person: a user or a name."""
    name = str(person or "")
    tint = ("", "a2", "a3", "a4")[crc32(name.encode()) % 4]
    return format_html('<span class="m-avatar {} {}" aria-hidden="true">{}</span>', tint, size, initials(name))


@register.simple_tag
def who(person: Any) -> SafeString:
    """Avatar and name. person: a user, a name, or None for nobody known."""
    if not person:
        return format_html('<span class="t3">{}</span>', "not recorded")
    return format_html('<span class="m-who">{}<span class="trunc">{}</span></span>', avatar(person, "sm"), person)


def moment(value: dt.datetime | int | None) -> dt.datetime | None:
    """An aware time from our own `*_at` or a client's `*_ms`."""
    return from_ms(value) if isinstance(value, int) else value


def ago(at: dt.datetime) -> str:
    """How long since, in one word and unit: "now", "4 min", "3 h", "8 d". A time to come reads "in 4 min"."""
    seconds = (now() - at).total_seconds()
    for size, unit in _UNITS:
        if abs(seconds) >= size:
            return f"{int(seconds // size)} {unit}" if seconds > 0 else f"in {round(-seconds / size)} {unit}"
    return "now"


@register.simple_tag
def when(value: dt.datetime | int | None, missing: str = "–") -> SafeString | str:
    """Relative time; the absolute one in UTC is in its title."""
    at = moment(value)
    return missing if at is None else _time(at, ago(at))


@register.simple_tag
def since(value: dt.datetime) -> SafeString:
    """Relative time within a sentence: "now", "4 min ago"."""
    words = ago(value)
    return _time(value, words if words == "now" or words.startswith("in ") else f"{words} ago")


def _time(at: dt.datetime, words: str) -> SafeString:
    utc = at.astimezone(dt.UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', utc.isoformat(), f"{utc:%Y-%m-%d %H:%M:%S} UTC", words
    )


@register.simple_tag
def on_date(value: dt.datetime | int | None, missing: str = "–") -> SafeString | str:
    """Absolute time to the minute in UTC, "today" for today."""
    at = moment(value)
    if at is None:
        return missing
    utc = at.astimezone(dt.UTC)
    day = "today" if utc.date() == now().date() else f"{utc.day} {utc:%b %Y}"
    return _time(at, f"{day} {utc:%H:%M} UTC")


@register.filter
def duration(ms: int | None) -> str:
    """Milliseconds as "850 ms", "1.9 s", "12 s", "4 m 10 s", "1 h 52 m" or "3 d 4 h"."""
    if ms is None:
        return "–"
    if ms < 1_000:
        return f"{max(ms, 0)} ms"
    if ms < 10_000:
        return f"{ms // 100 / 10:.1f} s"
    seconds = ms // 1_000
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02d} m"
    if minutes:
        return f"{minutes} m {seconds % 60:02d} s"
    return f"{seconds} s"


@register.filter
def number(value: float | None) -> str:
    """A figure a person can read: at most six significant digits, thousands parted, NaN and infinities named."""
    if value is None:
        return "–"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if abs(value) >= 1e15 or abs(value) < 1e-4:
        return f"{value:.3e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    if float(value).is_integer():
        return f"{int(value):,}"
    digits = max(0, 4 - max(0, math.floor(math.log10(abs(value)))))
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".") if digits > 4 else f"{value:,.{digits}f}"


@register.filter
def size(count: int | None) -> str:
    """Bytes as "812 B", "94 kB", "84.1 MB": powers of 1000, as disks are sold."""
    if count is None:
        return "–"
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1_000:
            return f"{amount:.0f} {unit}" if unit in ("B", "kB") or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1_000
    return f"{amount:.1f} TB"


@register.filter
def markdown(text: str) -> SafeString:
    """What people wrote in Markdown, safe to show."""
    return as_html(text)


@register.filter
def short_digest(digest: str) -> str:
    """The two ends of a long digest: enough to tell two apart at a glance."""
    return digest if len(digest) <= 16 else f"{digest[:8]}…{digest[-6:]}"
