"""Which noun an address belongs to, in the order in which people meet them."""

from typing import Final

GROUPS: Final = {
    "Projects": "Teams' places: members, guests, rules for aliases and stages.",
    "Experiments": "Folders of runs.",
    "Runs": "One execution each: params, tags, notes, states; also those entered by hand.",
    "Metrics": "Values, histories and curves.",
    "Search": "The query line over runs: rows, counts, groups, files.",
    "Files": "Files of runs, and uploads piece by piece.",
    "Comments": "What people say about a run.",
    "Datasets": "Datasets, their versions and what stands on them.",
    "Models": "Registered models, versions, aliases, stages and cards.",
    "Promotions": "Who asks, who approves, with which signature.",
    "Lineage": "What came from what.",
    "Webhooks": "Messages about the registry, and what became of them.",
    "Rules": "What rules say of a run, exceptions and waivers.",
    "Reviews": "Rounds, verdicts, findings, samples.",
    "Keeping": "Legal holds and purges.",
    "Reports": "Evidence as PDF and data.",
    "Running": "What is executed here: jobs, sweeps, templates, trainers, workers, and what a project allows.",
    "Transfers": "Imports and exports.",
    "Boards": "Public boards: submitting without an account, reading after it.",
    "Log": "What happened, signed heads, proofs.",
    "People": "Accounts, groups and roles.",
    "Me": "Oneself: tokens, notices, settings, work that waits.",
    "Site": "How the parts of this server are.",
}
_NOUNS: Final = {
    "Projects": "projects members guests governance goal decisions quota",
    "Experiments": "experiments",
    "Runs": "runs recorded-runs sheets views default-view",
    "Metrics": "curves metric-directions",
    "Search": "search compare what-matters",
    "Files": "uploads files",
    "Comments": "comments",
    "Datasets": "datasets",
    "Models": "models logged-models model-search model-version-search",
    "Promotions": "promotions signatures",
    "Lineage": "lineage",
    "Webhooks": "webhooks deliveries",
    "Rules": "rules",
    "Reviews": "reviews findings draws trail-reviews",
    "Keeping": "holds purges keeping",
    "Reports": "reports",
    "Running": (
        "jobs recipes environments run-templates trainers sweeps queues recreations runner-rules secrets workers"
    ),
    "Transfers": "transfers exports imports archives archive-imports archive-exports mlflow-imports",
    "Boards": "boards board",
    "Log": "log events checkpoints as-of history",
    "People": "users groups site-roles access",
    "Me": "me my-work notices settings tokens stars",
    "Site": "diagnostics schema",
}
_OF_RUN: Final = {
    "Metrics": "metrics metric-history curves",
    "Files": "files archive.zip",
    "Comments": "comments",
    "Rules": "assessment rules waivers verifications",
    "Reviews": "reviews findings",
    "Log": "events",
    "Running": "job recreations bundle",
}
_BY_NOUN: Final = {noun: group for group, nouns in _NOUNS.items() for noun in nouns.split()}
_BY_PART: Final = {part: group for group, parts in _OF_RUN.items() for part in parts.split()}


def group_of(path: str) -> str:
    """The group of an address such as /api/v1/projects/{slug}/datasets/."""
    parts = [part for part in path.split("/") if part][2:]
    if len(parts) > 2 and parts[0] == "runs":
        return _BY_PART.get(parts[2], "Runs")
    if len(parts) > 2 and parts[0] == "projects":
        return _BY_NOUN.get(parts[2], parts[2].replace("-", " ").capitalize())
    first = parts[0] if parts else "site"
    return _BY_NOUN.get(first, first.replace("-", " ").capitalize())
