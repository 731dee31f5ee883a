"""One call of the protocol on its way through the door."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from kernel.actor import Actor

# What a handler gives back: an object for JSON, ready JSON, a whole response, or None for the empty object.
Reply = dict[str, Any] | bytes | HttpResponseBase | None


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, in which project, and what stands in the path. project: None where the route needs none."""

    actor: Actor
    project: Any
    request: HttpRequest
    named: Mapping[str, str]
