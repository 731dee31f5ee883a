"""What operations of the schema point at: headers, parameters, problems; and examples of the calls one begins with."""

from typing import Any, Final

from accounts.answers import KEPT_FOR
from accounts.rest.repeating import KEY_MAX

LIFECYCLE_ASKED: Final = [(name, name) for name in ("active", "deleted", "all")]
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What went wrong, in words to act on (RFC 9457).",
    "properties": {
        "type": {"type": "string", "description": "Always about:blank; `code` tells problems apart."},
        "title": {"type": "string", "description": "What was wrong."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "For programs, such as INVALID, CONFLICT, PRECONDITION_FAILED."},
        "hint": {"type": "string", "description": "What to do."},
        "field": {"type": "string", "description": "Where: a field, parameter or header."},
        "request_id": {"type": "string", "description": "Finds the call in the server's log."},
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


def _told(status: int, code: str, title: str, hint: str = "", field: str = "") -> dict[str, Any]:
    said = {"title": title, "status": status, "code": code, "hint": hint, "field": field}
    return {name: value for name, value in said.items() if value != ""}


# By status: the component's name, what it means, an example.
PROBLEMS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "400": (
        "Invalid",
        "The body, a parameter or a header is not in order. Nothing was written.",
        _told(400, "INVALID", "There is no parameter 'experment' here.", "Did you mean 'experiment'?", "experment"),
    ),
    "401": (
        "Unauthenticated",
        "No credential, or one that is not good.",
        _told(
            401,
            "UNAUTHENTICATED",
            "The API wants a token.",
            "Make one on the Tokens page and send it as `Authorization: Bearer <token>`.",
        ),
    ),
    "403": (
        "Refused",
        "Seen, but not for this role, token or state.",
        _told(403, "PERMISSION_DENIED", "The token 'laptop' may not log runs: that needs the scope 'log'."),
    ),
    "404": (
        "NotFound",
        "It is not there, or not for this viewer: the same.",
        _told(404, "NOT_FOUND", "No project 'x' was found."),
    ),
    "409": (
        "Conflict",
        "Its state does not allow this now, or the `Idempotency-Key` stands for another call.",
        _told(409, "CONFLICT", "A project keeps at least one manager.", "Add another one first."),
    ),
    "412": (
        "Changed",
        "It is another than the one that `If-Match` names. Nothing was written; `ETag` has the tag of now.",
        _told(412, "PRECONDITION_FAILED", "This was changed since you read it; nothing was written.", field="If-Match"),
    ),
    "413": ("TooLarge", "More than is taken at once.", _told(413, "TOO_LARGE", "A body may have at most 5 MB.")),
    "429": (
        "TooMany",
        "More calls in this minute than the budget. `Retry-After` tells when to go on.",
        _told(429, "TOO_MANY_REQUESTS", "More than 3,000 calls that write in a minute.", "Wait 17 s."),
    ),
    "default": ("Problem", "Any other refusal or mistake.", {}),
}

_TEXT: Final = {"type": "string"}
HEADERS: Final[dict[str, Any]] = {
    "ETag": {"description": "Names what this viewer read; send it as If-Match.", "schema": _TEXT},
    "Idempotent-Replay": {"description": "`true`: the answer of the first call with this key.", "schema": _TEXT},
    "Location": {"description": "Where what was made is.", "schema": _TEXT},
    "RateLimit": {"description": '`"reads";r=5998;t=41`: calls left, and seconds to the next minute.', "schema": _TEXT},
    "RateLimit-Policy": {"description": '`"reads";q=6000;w=60`: calls in so many seconds.', "schema": _TEXT},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}},
}
PARAMETERS: Final[dict[str, Any]] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": f"A text of one's own: sent again within {KEPT_FOR.days} days, the call happens once.",
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX, "pattern": "^[!-~]+$"},
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "An ETag that was read: the write only passes if it still stands (412).",
        "schema": _TEXT,
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "An ETag that one has: 304 without a body if it still stands.",
        "schema": _TEXT,
    },
}

_PROJECT: Final = "/api/v1/projects/{slug}/"
# The calls that one begins with. asked: a body; answered: what comes back.
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    f"PATCH {_PROJECT}": {"asked": {"purpose": "Alarms of infusion pumps that nobody has to hear."}},
    f"POST {_PROJECT}experiments/": {"asked": {"name": "icu/deterioration", "tags": {"ward": "icu-2"}}},
    f"PATCH {_PROJECT}experiments/{{experiment}}/": {"asked": {"name": "icu/deterioration-2026"}},
    f"POST {_PROJECT}experiments/{{experiment}}/delete/": {"asked": {"reason": "Made by mistake."}},
    f"POST {_PROJECT}uploads/": {"asked": {"size_bytes": 11, "purpose": "weights of a model"}},
    f"POST {_PROJECT}datasets/": {"asked": {"name": "icu-vitals"}},
    f"POST {_PROJECT}models/": {"asked": {"name": "deterioration"}},
    "POST /api/v1/tokens/": {"asked": {"name": "cluster", "scopes": ["read", "log"], "days": 90}},
    "POST /api/v1/notices/read/": {"asked": {"ids": [1, 2]}},
    "GET /api/v1/projects/": {
        "answered": {
            "next": None,
            "previous": None,
            "results": [
                {
                    "id": "01a20372-c3ea-7000-aa61-1fc6fb56c41e", "slug": "pump-alarms", "key": "PUM",
                    "name": "Pump alarms", "purpose": "", "risk_class": "minimal", "visibility": "private",
                    "is_governed": False, "created_at": "2026-03-02T13:00:00Z", "my_roles": ["data_scientist"],
                }
            ],
        }
    },
}  # fmt: skip
