"""The calls of the protocol that MLED does not serve, by family, with the reason that a client is told.

Taken from the route tables of MLflow 3.17. Each answers 501 NOT_IMPLEMENTED and names itself.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Family:
    """Calls that are refused together. calls: method and path."""

    title: str
    why: str
    calls: tuple[tuple[str, str], ...]


def _calls(root: str, *lines: str) -> tuple[tuple[str, str], ...]:
    """Lines of 'METHODS path', where methods are joined by a comma, as (method, path)."""
    found = (line.split(" ") for line in lines)
    return tuple((method, root + path) for methods, path in found for method in methods.split(","))


FAMILIES: Final = (
    Family(
        "Traces of GenAI applications",
        "MLED tracks training runs, not traces.",
        _calls(
            "",
            "POST /v1/traces",
        )
        + _calls(
            "2.0/mlflow/",
            "PATCH,DELETE traces/{trace_id}/tags",
            "POST,GET traces",
            "PATCH traces/{trace_id}",
            "GET traces/{trace_id}/info",
            "POST traces/link-to-run",
            "POST traces/link-prompts",
            "GET unified-traces",
            "GET get-online-trace-details",
            "POST traces/delete-traces",
        )
        + _calls(
            "3.0/mlflow/",
            "PATCH,DELETE traces/{trace_id}/tags",
            "GET traces/{trace_id}",
            "GET traces/get",
            "GET traces/batchGet",
            "POST traces/batchGetInfos",
            "POST traces/search",
            "POST traces",
            "POST traces/delete-traces",
            "POST traces/calculate-filter-correlation",
            "POST traces/metrics",
            "GET,PATCH,DELETE traces/{trace_id}/assessments/{assessment_id}",
            "POST traces/{trace_id}/assessments",
        ),
    ),
    Family(
        "Evaluation datasets, scorers, label schemas, review queues and issues",
        "these belong to MLflow's GenAI evaluation.",
        _calls(
            "3.0/mlflow/",
            "POST issues",
            "PATCH,GET issues/{issue_id}",
            "POST issues/search",
            "POST label-schemas/create",
            "GET label-schemas/get",
            "GET label-schemas/get-by-name",
            "GET label-schemas/list",
            "PATCH label-schemas/update",
            "DELETE label-schemas/delete",
            "POST datasets/create",
            "GET,DELETE datasets/{dataset_id}",
            "POST,GET datasets/search",
            "PATCH datasets/{dataset_id}/tags",
            "DELETE datasets/{dataset_id}/tags/{key}",
            "POST,GET,DELETE datasets/{dataset_id}/records",
            "GET datasets/{dataset_id}/experiment-ids",
            "POST scorers/register",
            "GET scorers/list",
            "GET scorers/versions",
            "GET scorers/get",
            "DELETE scorers/delete",
            "GET scorers/online-configs",
            "PUT scorers/online-config",
            "POST datasets/{dataset_id}/add-experiments",
            "POST datasets/{dataset_id}/remove-experiments",
            "POST review-queues/create",
            "POST review-queues/get-or-create-user",
            "GET review-queues/get",
            "GET review-queues/get-by-name",
            "GET review-queues/list",
            "POST review-queues/update",
            "POST review-queues/delete",
            "POST review-queues/items/add",
            "POST review-queues/items/remove",
            "GET review-queues/items/list",
            "POST review-queues/items/set-status",
        ),
    ),
    Family(
        "AI gateway, budgets and guardrails",
        "MLED is no gateway to language models.",
        _calls(
            "3.0/mlflow/",
            "POST gateway/secrets/create",
            "GET gateway/secrets/get",
            "POST gateway/secrets/update",
            "DELETE gateway/secrets/delete",
            "GET gateway/secrets/list",
            "POST gateway/endpoints/create",
            "GET gateway/endpoints/get",
            "POST gateway/endpoints/update",
            "DELETE gateway/endpoints/delete",
            "GET gateway/endpoints/list",
            "POST gateway/model-definitions/create",
            "GET gateway/model-definitions/get",
            "GET gateway/model-definitions/list",
            "POST gateway/model-definitions/update",
            "DELETE gateway/model-definitions/delete",
            "POST gateway/endpoints/models/attach",
            "POST gateway/endpoints/models/detach",
            "POST gateway/endpoints/bindings/create",
            "DELETE gateway/endpoints/bindings/delete",
            "GET gateway/endpoints/bindings/list",
            "POST gateway/endpoints/set-tag",
            "DELETE gateway/endpoints/delete-tag",
            "POST gateway/budgets/create",
            "GET gateway/budgets/get",
            "POST gateway/budgets/update",
            "DELETE gateway/budgets/delete",
            "GET gateway/budgets/list",
            "GET gateway/budgets/windows",
            "POST gateway/guardrails/create",
            "GET gateway/guardrails/get",
            "DELETE gateway/guardrails/delete",
            "GET gateway/guardrails/list",
            "POST gateway/guardrails/add-to-endpoint",
            "DELETE gateway/guardrails/remove-from-endpoint",
            "GET gateway/guardrails/list-for-endpoint",
            "PATCH gateway/guardrails/update-config",
        ),
    ),
    Family(
        "Prompt optimisation",
        "MLED optimises no prompts.",
        _calls(
            "3.0/mlflow/",
            "POST prompt-optimization/jobs",
            "GET,DELETE prompt-optimization/jobs/{job_id}",
            "POST,GET prompt-optimization/jobs/search",
            "POST prompt-optimization/jobs/{job_id}/cancel",
        ),
    ),
    Family(
        "Webhooks",
        "webhooks are not served yet.",
        _calls(
            "2.0/mlflow/",
            "POST,GET webhooks",
            "GET,PATCH,DELETE webhooks/{webhook_id}",
            "POST webhooks/{webhook_id}/test",
        ),
    ),
    Family(
        "Workspaces",
        "projects are MLED's workspaces: name one in the tracking URI as /mlflow/<project>.",
        _calls(
            "3.0/mlflow/",
            "GET,POST workspaces",
            "GET,PATCH,DELETE workspaces/{workspace_name}",
        ),
    ),
    Family(
        "Presigned transfer for one cloud service's own client",
        "links to the store come by mlflow-artifacts/presigned and mlflow-artifacts/mpu, where `server-info` says so.",
        _calls(
            "2.0/mlflow/",
            "POST artifacts/presigned-upload-url",
            "POST artifacts/presigned-download-url",
        ),
    ),
    Family(
        "What only MLflow's own web page calls",
        "MLED has pages of its own.",
        _calls(
            "2.0/mlflow/",
            "POST experiments/search-datasets",
            "POST upload-artifact",
        )
        + _calls(
            "",
            "GET /model-versions/get-artifact",
            "POST,GET /graphql",
        ),
    ),
)
