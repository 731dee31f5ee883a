"""The REST API's own description: how one proves who one is, and that every operation may answer with a problem."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong, in words to act on (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "hint": {"type": "string"},
        "field": {"type": "string"},
        "request_id": {"type": "string"},
        "problems": {
            "type": "array",
            "description": "Where several fields are wrong: each of them.",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "title": {"type": "string"},
                    "hint": {"type": "string"},
                },
                "required": ["title"],
            },
        },
    },
    "required": ["type", "title", "status", "code"],
}


class TokenScheme(OpenApiAuthenticationExtension):
    """An API token."""

    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token from the Tokens page: mled_…"}


class SessionScheme(OpenApiAuthenticationExtension):
    """The session of a signed-in browser; writes also need its CSRF token."""

    target_class = "accounts.authentication.PageSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


def add_problems(result: dict[str, Any], **about: Any) -> dict[str, Any]:
    """drf-spectacular's hook: a default answer for each operation."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["default"] = {"description": "A refusal or a mistake.", "content": content}
    return result
