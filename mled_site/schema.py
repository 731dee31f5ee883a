"""The REST API's own description: credentials, groups by noun, problems, and the headers that every view has."""

import re
from typing import Any, Final

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from accounts.rest.conditions import MATCH, NONE_MATCH
from accounts.rest.door import RestView
from accounts.rest.repeating import HEADER
from mled_site.schema_groups import GROUPS, group_of
from mled_site.schema_parts import EXAMPLES, HEADERS, PARAMETERS, PROBLEM, PROBLEMS

Operation = dict[str, Any]
_SUCCESS: Final = re.compile(r"2\d\d")


class TokenScheme(OpenApiAuthenticationExtension):
    """An API token."""

    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token from the Tokens page: mled_…"}


class ClaimScheme(OpenApiAuthenticationExtension):
    """A claim token of a public board, in the same header."""

    target_class = "boards.rest.door.ClaimOrToken"
    name = "claim"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        words = "A claim token of a public board (claim_…), or an API token."
        return {"type": "http", "scheme": "bearer", "description": words}


class SessionScheme(OpenApiAuthenticationExtension):
    """The session of a signed-in browser; writes also need its CSRF token."""

    target_class = "accounts.authentication.PageSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class MledSchema(AutoSchema):
    """What `extend_schema` says, and what no view says itself because RestView does it."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Operation | None:
        operation: Operation | None = super().get_operation(*args, **kwargs)
        if operation is None or not isinstance(self.view, RestView):
            return operation
        _add_headers(operation, self.view, self.method)
        _add_problems(operation, self.method)
        return operation

    def get_tags(self) -> list[str]:
        return [group_of(self.path)]

    def get_summary(self) -> str | None:
        """The first sentence of what the method or its view says of itself."""
        told = super().get_description() or ""
        first = re.split(r"(?<=[^.]\.)\s|:\s|\n\n", " ".join(told.split("\n\n")[0].split()), maxsplit=1)[0]
        return first.rstrip(".:") or None

    def is_deprecated(self) -> bool:
        return isinstance(self.view, RestView) and self.method in self.view.deprecated

    def get_description(self) -> str:  # type: ignore[override]  # the stubs follow DRF's own generator
        told = super().get_description() or ""
        old = self.view.deprecated.get(self.method) if isinstance(self.view, RestView) else None
        return f"{told}\n\n{old.words}".strip() if old else told

    def _map_serializer(self, serializer: Any, direction: str, bypass_extensions: bool = False) -> dict[str, Any]:
        """A serializer's fields, those that will go marked so."""
        told: dict[str, Any] = super()._map_serializer(serializer, direction, bypass_extensions)
        for name, old in getattr(serializer, "deprecated_fields", {}).items():
            field = told.get("properties", {}).get(name)
            if field is not None:
                field |= {"deprecated": True, "description": f"{field.get('description', '')} {old.words}".strip()}
        return told

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> dict[str, Any]:
        """A field. What may be anything may be null as well: not one of two, as both would fit."""
        told: dict[str, Any] = super()._map_serializer_field(field, direction, bypass_extensions)
        return {} if told.get("oneOf") == [{}, {"type": "null"}] else told


def _add_headers(operation: Operation, view: RestView, method: str) -> None:
    taken = [name for name, is_taken in _taken(view, method) if is_taken]
    named = {one.get("name", "").lower() for one in operation.get("parameters", ())}
    refs = [{"$ref": f"#/components/parameters/{name}"} for name in taken if name.lower() not in named]
    if refs:
        operation["parameters"] = [*operation.get("parameters", ()), *refs]
    for status, answer in operation["responses"].items():
        if _SUCCESS.fullmatch(status):
            answer.setdefault("headers", {}).update(
                {name: {"$ref": f"#/components/headers/{name}"} for name in _given(method, answer)}
            )


def _taken(view: RestView, method: str) -> list[tuple[str, bool]]:
    """Which headers a method listens to."""
    return [
        (HEADER, method == "POST" and not view.happens_anew),
        (MATCH, method in ("PATCH", "PUT", "DELETE") or (method == "POST" and "GET" not in view.needs)),
        (NONE_MATCH, method == "GET"),
    ]


def _given(method: str, answer: dict[str, Any]) -> list[str]:
    """Which headers a good answer has."""
    is_json = "application/json" in answer.get("content", {})
    return [
        *(["ETag"] if is_json and method in ("GET", "PATCH", "PUT") else []),
        *(["Idempotent-Replay", "Location"] if method == "POST" else []),
        "RateLimit",
        "RateLimit-Policy",
    ]


def _add_problems(operation: Operation, method: str) -> None:
    answers = operation["responses"]
    if method == "GET" and "ETag" in answers.get("200", {}).get("headers", {}):
        answers.setdefault("304", {"description": "What `If-None-Match` names is still so."})
    if method == "GET" and "application/octet-stream" in answers.get("200", {}).get("content", {}):
        answers.setdefault("304", {"description": "What `If-None-Match` names is still so."})
        answers.setdefault("416", {"description": "The range is behind the end; `Content-Range` says where that is."})
    statuses = ["400", "401", "403", "404", "429", "default"]
    if method != "GET":
        statuses += ["409", "412", "413"]
    for status in statuses:
        answers.setdefault(status, {"$ref": f"#/components/responses/{PROBLEMS[status][0]}"})


def finish_schema(result: dict[str, Any], **about: Any) -> dict[str, Any]:
    """drf-spectacular's hook: what operations point at, examples, and their order."""
    parts = result.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = PROBLEM
    parts["headers"], parts["parameters"] = HEADERS, PARAMETERS
    parts["responses"] = {name: _problem(words, example) for name, words, example in PROBLEMS.values()}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            operation["responses"].setdefault("default", {"$ref": "#/components/responses/Problem"})
            _add_example(operation, EXAMPLES.get(f"{method.upper()} {path}"))
    used = {tag for one in result["paths"].values() for operation in one.values() for tag in operation["tags"]}
    names = [*(name for name in GROUPS if name in used), *sorted(used - set(GROUPS))]
    result["tags"] = [{"name": name, **({"description": GROUPS[name]} if name in GROUPS else {})} for name in names]
    places = {name: place for place, name in enumerate(names)}
    result["paths"] = dict(sorted(result["paths"].items(), key=lambda one: (places[group_of(one[0])], one[0])))
    return result


def _problem(words: str, example: dict[str, Any]) -> dict[str, Any]:
    """An answer that tells of a problem, with what tells when to go on where there is such."""
    content = {"schema": {"$ref": "#/components/schemas/Problem"}}
    told: dict[str, Any] = {"description": words, "content": {"application/problem+json": content}}
    if example:
        content["example"] = {"type": "about:blank", **example}
    if example.get("status") in (409, 429):
        told["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    if example.get("status") == 412:
        told["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}
    return told


def _add_example(operation: Operation, example: dict[str, Any] | None) -> None:
    for asked, status in (("asked", None), ("answered", "20")) if example else ():
        value = (example or {}).get(asked)
        if value is None:
            continue
        places = [operation.get("requestBody", {})] if status is None else [
            answer for code, answer in operation["responses"].items() if code.startswith(status)
        ]  # fmt: skip
        for place in places:
            content = place.get("content", {}).get("application/json")
            if content is not None and "examples" not in content:
                content["example"] = value
