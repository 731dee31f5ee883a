"""Words that somebody reads who asks for something, or for whom something is done."""

from __future__ import annotations

from typing import Final

from tests.site.failure import Door, Failure, asked

REST: Final = Door(
    "REST API and uploads",
    "Problem JSON: `code`, `title`, `hint`, `field` and `request_id`, which is the answer's `X-Request-ID` as well.",
    (
        asked(
            "token expired",
            "UNAUTHENTICATED",
            "This token is not good: unknown, expired or revoked.",
            "Make a new one on the Tokens page and put it into MLFLOW_TRACKING_TOKEN.",
        ),
        asked(
            "token revoked",
            "UNAUTHENTICATED",
            "This token is not good: unknown, expired or revoked.",
            "Make a new one on the Tokens page and put it into MLFLOW_TRACKING_TOKEN.",
        ),
        asked(
            "token without the scope",
            "PERMISSION_DENIED",
            "The token '…' may not upload artifacts: that needs the scope 'log', it has read.",
            "Use a token with that scope.",
        ),
        asked(
            "not yours",
            "NOT_FOUND",
            "No run '…' was found.",
            "Check what the address names; it may also be something that you may not see.",
        ),
        asked(
            "body too large",
            "TOO_LARGE",
            "A body may have at most 5,242,880 bytes.",
            "Send less at once; files go through an upload.",
        ),
        asked(
            "broken JSON",
            "PARSE_ERROR",
            "The body is not the JSON that is wanted here: … line 1 column …",
            "Send one JSON text in UTF-8.",
        ),
        asked(
            "wrong line of a query",
            "INVALID_QUERY",
            "Column 14: “><” is not an operator.",
            "docs/query-language.md and the ? beside the query line show what can be asked.",
        ),
        asked(
            "database gone while a program asks",
            "UNAVAILABLE",
            "MLED's database is away. You only looked, so nothing was changed.",
            "Try again shortly; whoever operates this server asks manage.py doctor.",
        ),
        asked("upload broken off", "CONFLICT", "Only … of 100 bytes have come.", "Send the rest first."),
        asked(
            "content of another digest",
            "WRONG_DIGEST",
            "What came is sha256:…, announced was sha256:…; nothing was kept.",
            "Send the file again.",
        ),
    ),
)
MLFLOW: Final = Door(
    "MLflow's protocol",
    "`error_code`, `message` (what, and what next), `hint`, `request_id`; the MLflow client prints code and message.",
    (
        asked(
            "no token",
            "UNAUTHENTICATED",
            "This server wants a token.",
            "Make one on the Tokens page and put it into MLFLOW_TRACKING_TOKEN.",
        ),
        asked(
            "run locked", "PERMISSION_DENIED", "Run … is locked and takes no writes.", "Unlock it, or log a new run."
        ),
        asked(
            "param changed",
            "INVALID_PARAMETER_VALUE",
            "Param 'lr' is '0.1' already and cannot become '0.2': params are set once.",
            "Log a new run for a new value.",
        ),
        Failure(
            "param changed, as MLflow's client prints it",
            "INVALID_PARAMETER_VALUE",
            "Param 'lr' is '0.1' already and cannot become '0.2': params are set once.",
            "Log a new run for a new value.",
        ),
        asked(
            "dataset version recalled",
            "INVALID_PARAMETER_VALUE",
            "Version 1 of dataset 'churn' was recalled on … by …: labels are wrong.",
            "Use another version, or have this one reinstated.",
        ),
        asked(
            "call that MLED does not serve",
            "NOT_IMPLEMENTED",
            "MLED does not serve POST 3.0/mlflow/traces/search: MLED tracks training runs, not traces.",
            "docs/mlflow-coverage.md lists what is served.",
        ),
        asked(
            "file store full",
            "TEMPORARILY_UNAVAILABLE",
            "The file store is full; nothing was kept.",
            "Tell an administrator, then try again.",
        ),
    ),
)
PAGES: Final = Door(
    "Pages",
    "A page with what went wrong, the way out, and the request's id to copy.",
    (
        asked(
            "role does not allow it",
            "PERMISSION_DENIED",
            "You may not see how the installation is: that is for Administrator, and you have … here.",
            "Ask a manager of the project, or an administrator.",
        ),
        asked(
            "form open for too long",
            "CSRF",
            "This form was open for too long, or your browser sends no cookies. Nothing was written.",
            "Go back, reload the page and send it again.",
        ),
        asked(
            "unknown host name",
            "UNKNOWN_HOST",
            "MLED does not go by the host name in this address.",
            "Use the address that you were given; an administrator adds this one to MLED_ALLOWED_HOSTS.",
        ),
        asked(
            "curve of an unknown metric",
            "NOT_FOUND",
            "The run … has no metric 'los'.",
            "Its page shows how its metrics are called.",
        ),
        asked(
            "database gone while somebody reads",
            "UNAVAILABLE",
            "MLED's database is away",
            "You only looked, so nothing was changed. Try again shortly.",
        ),
        asked(
            "a bug",
            "INTERNAL_ERROR",
            "Something broke on our side",
            "You only looked, so nothing was changed. … finds the whole story in its log by this id.",
        ),
    ),
)
WORK: Final = Door(
    "Background work",
    "Told where its result would be: on the page of a report, in the list of a webhook's deliveries.",
    (
        Failure(
            "report without a worker",
            "",
            "Waiting: no worker is running.",
            "It begins by itself when one does.",
        ),
        Failure(
            "report that cannot be made",
            "",
            "Whoever asked for it may no longer report on this project.",
            "Somebody who may asks anew.",
        ),
        Failure(
            "webhook target down",
            "",
            "Nothing listens at that address: the connection was refused.",
            "Check it, and that its server runs.",
        ),
    ),
)
