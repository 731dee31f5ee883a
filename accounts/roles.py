"""Every permission by name, and which role has it: a page that a manager can read and an auditor can review.

The matrix is that of the compliance specification. ANY: on every object of the project; OWN: on those that the actor
created. A token narrows by scope: each permission belongs to one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """A role in a project, or site-wide (administrator always; auditor by choice)."""

    DATA_SCIENTIST = "data_scientist"
    ML_ENGINEER = "ml_engineer"
    PROJECT_MANAGER = "project_manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        """As people say it."""
        return {"ml_engineer": "ML engineer"}.get(self.value, self.value.replace("_", " ").capitalize())


class Reach(StrEnum):
    """How far a permission goes within a project."""

    ANY = "any"
    OWN = "own"


ANY, OWN = Reach.ANY, Reach.OWN


class Scope(StrEnum):
    """What a token may be used for."""

    READ = "read"
    LOG = "log"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that may be allowed. privileged: a refusal of it is itself recorded. site: needs no project. guests:
    where the project is a public board, also for people without a role in it, as far as their claim token goes."""

    name: str
    means: str
    scope: Scope
    privileged: bool = False
    site: bool = False
    own_account: bool = False  # every active user has it, on their own account
    guests: bool = False


_ALL = (
    Permission("projects.see", "see a project, its members and settings", Scope.READ),
    Permission("projects.create", "create a project", Scope.MANAGE, privileged=True, site=True),
    Permission("projects.edit", "change a project's name, purpose and settings", Scope.MANAGE, privileged=True),
    Permission("projects.set_goal", "set what a project's best run shall reach, and by when", Scope.MANAGE),
    Permission("projects.decide", "put down what a project decided, and take it back", Scope.MANAGE),
    Permission("projects.set_quota", "set how much the files of a project may take", Scope.MANAGE, privileged=True),
    Permission("projects.read_log", "read the whole log of a project", Scope.READ),
    Permission("members.manage", "add and remove members and set their roles", Scope.MANAGE, privileged=True),
    Permission("members.appoint", "appoint managers and auditors", Scope.MANAGE, privileged=True),
    Permission("groups.manage", "create groups and change who is in them", Scope.MANAGE, privileged=True, site=True),
    Permission("users.create", "create users", Scope.MANAGE, privileged=True, site=True),
    Permission("users.deactivate", "deactivate and reactivate users", Scope.MANAGE, privileged=True, site=True),
    Permission("users.see", "see the directory of users", Scope.READ, site=True),
    Permission("account.edit", "change one's own name and password", Scope.MANAGE, site=True, own_account=True),
    Permission("settings.keep", "keep how one likes one's pages", Scope.MANAGE, site=True, own_account=True),
    Permission("tokens.manage", "create and revoke one's own tokens", Scope.MANAGE, site=True, own_account=True),
    Permission(
        "tokens.revoke_others", "see and revoke other people's tokens", Scope.MANAGE, privileged=True, site=True
    ),
    Permission("console.use", "use the admin console", Scope.MANAGE, privileged=True, site=True),
    Permission("site.diagnose", "see how the installation is", Scope.READ, site=True),
    Permission("content.keep", "verify stored content and clear it away", Scope.MANAGE, privileged=True, site=True),
    Permission("ledger.verify", "see the log's checkpoints and verify it", Scope.READ, site=True, own_account=True),
    Permission("experiments.see", "see experiments, runs and metrics", Scope.READ),
    Permission("experiments.download", "download artifacts", Scope.READ),
    Permission("experiments.create", "create and rename experiments", Scope.LOG),
    Permission("experiments.log_run", "create runs and log params, metrics and tags", Scope.LOG),
    Permission("experiments.upload", "upload artifacts", Scope.LOG),
    Permission("experiments.edit_notes", "edit notes and names", Scope.LOG),
    Permission("experiments.delete_run", "delete and restore runs", Scope.LOG),
    Permission("experiments.delete_experiment", "delete and restore experiments", Scope.LOG),
    Permission("experiments.lock_run", "lock and unlock runs", Scope.LOG),
    Permission("experiments.set_direction", "say whether a metric is better high or low", Scope.LOG),
    Permission("experiments.save_view", "keep views of the run table", Scope.LOG),
    Permission("experiments.set_default_view", "choose the view that the project's table opens with", Scope.LOG),
    Permission("experiments.comment", "comment on runs", Scope.LOG),
    Permission("experiments.remove_comment", "remove comments", Scope.LOG),
    Permission("experiments.star", "star runs for oneself", Scope.LOG),
    Permission("experiments.move_run", "move runs to another experiment", Scope.LOG),
    Permission("experiments.grant_access", "let one more person see an experiment", Scope.MANAGE, privileged=True),
    Permission("datasets.register", "register datasets and their versions, and write about them", Scope.LOG),
    Permission("datasets.set_alias", "give aliases to dataset versions", Scope.LOG),
    Permission("datasets.recall", "recall and reinstate dataset versions", Scope.MANAGE, privileged=True),
    Permission("registry.log_model", "log models and change their params and tags", Scope.LOG),
    Permission("registry.register", "register models and versions, and write about them", Scope.LOG),
    Permission("registry.delete", "delete registered models and versions", Scope.LOG),
    Permission("registry.set_alias", "change aliases and stages of model versions", Scope.LOG),
    Permission("registry.ask_promotion", "ask for the promotion of a model version", Scope.LOG),
    Permission("registry.decide_promotion", "approve or reject promotions", Scope.MANAGE, privileged=True),
    Permission("compliance.assess", "ask the rules about a run", Scope.LOG),
    Permission("compliance.except_rule", "say that a rule does not apply to a run", Scope.LOG),
    Permission("compliance.waive", "let a rule stay unmet for a while", Scope.MANAGE, privileged=True),
    Permission("compliance.cosign_waiver", "sign a waiver along", Scope.MANAGE, privileged=True),
    Permission("compliance.set_profile", "choose a project's rules and retention", Scope.MANAGE, privileged=True),
    Permission("compliance.submit", "submit runs for review, and amend them", Scope.LOG),
    Permission("compliance.assign", "assign reviews, set their days, draw samples", Scope.MANAGE),
    Permission("compliance.decide_review", "give a signed verdict on a run", Scope.MANAGE, privileged=True),
    Permission("compliance.find", "open and close findings", Scope.MANAGE, privileged=True),
    Permission("compliance.answer", "answer findings", Scope.LOG),
    Permission("compliance.review_trail", "review the audit trail", Scope.MANAGE, privileged=True),
    Permission("compliance.report", "request reports and export the log", Scope.READ),
    Permission("compliance.verified", "record what the offline verifier said of a bundle", Scope.LOG),
    Permission("compliance.hold", "put a legal hold on a project", Scope.MANAGE, privileged=True),
    Permission("compliance.purge_ask", "ask that runs are purged after their retention", Scope.MANAGE, privileged=True),
    Permission("compliance.purge", "purge runs after their retention", Scope.MANAGE, privileged=True),
    Permission("compliance.see_access", "see who may do what in a project, and why", Scope.READ),
    Permission("compliance.review_access", "sign off who may do what in a project", Scope.MANAGE, privileged=True),
    Permission("ledger.erase", "erase personal data from the log", Scope.MANAGE, privileged=True, site=True),
    Permission("compliance.rehearse", "record a rehearsed restore", Scope.MANAGE, privileged=True, site=True),
    Permission("boards.meet", "see that a board is there and what it asks for", Scope.READ, guests=True),
    Permission("boards.see", "read the entries of a board", Scope.READ, guests=True),
    Permission("boards.submit", "submit entries to a board", Scope.LOG, guests=True),
    Permission("boards.keep_entry", "change and withdraw one's own entries", Scope.LOG, guests=True),
    Permission(
        "boards.open", "open a project as a public board, and say what it asks for", Scope.MANAGE, privileged=True
    ),
    Permission("boards.moderate", "moderate the entries of a board", Scope.MANAGE, privileged=True),
    Permission("runner.launch", "start runs here, and do runs again", Scope.LOG),
    Permission("runner.stop", "stop runs that were started here", Scope.LOG),
    Permission("runner.keep_templates", "keep templates for starting runs", Scope.LOG),
    Permission("runner.set_rules", "say what a project allows its jobs", Scope.MANAGE, privileged=True),
    Permission("runner.keep_secrets", "keep secrets that jobs are given", Scope.MANAGE, privileged=True),
    Permission("runner.see_secrets", "see the names of secrets that jobs are given", Scope.READ),
    Permission("runner.see_workers", "see workers and queues", Scope.READ),
    Permission("runner.manage_workers", "have workers drained and taken off the list", Scope.MANAGE, privileged=True),
    Permission("runner.admit_worker", "let workers on other machines in", Scope.MANAGE, privileged=True, site=True),
    Permission("transfer.see", "see exports and imports of a project", Scope.READ),
    Permission("transfer.export", "export a project as an archive", Scope.READ),
    Permission("transfer.stop", "stop one's own exports and imports; a manager those of others", Scope.LOG),
    Permission("transfer.bring_in", "import runs, data and models from elsewhere", Scope.LOG),
    Permission("webhooks.see", "see webhooks and their deliveries", Scope.READ),
    Permission("webhooks.manage", "add and remove webhooks, send again", Scope.MANAGE, privileged=True),
)
PERMISSIONS: Final = {permission.name: permission for permission in _ALL}

_READER = {
    "projects.see": ANY,
    "boards.meet": ANY,
    "boards.see": ANY,
    "experiments.see": ANY,
    "experiments.download": ANY,
    "experiments.save_view": ANY,
    "experiments.comment": ANY,
    "experiments.remove_comment": OWN,
    "experiments.star": ANY,
    "compliance.assess": ANY,
    "transfer.see": ANY,
    "transfer.export": ANY,
    "transfer.stop": ANY,
}
_WRITER = _READER | {
    "boards.submit": ANY,
    "boards.keep_entry": OWN,
    "experiments.create": ANY,
    "experiments.log_run": ANY,
    "experiments.upload": ANY,
    "experiments.set_direction": ANY,
    "experiments.set_default_view": ANY,
    "datasets.register": ANY,
    "datasets.set_alias": ANY,
    "registry.log_model": ANY,
    "registry.register": ANY,
    "registry.ask_promotion": ANY,
    "registry.set_alias": ANY,  # a governed project narrows it: see registry.state
    "experiments.edit_notes": OWN,
    "experiments.delete_run": OWN,
    "runner.launch": ANY,
    "runner.stop": OWN,
    "runner.see_secrets": ANY,
    "runner.keep_templates": ANY,
    "compliance.submit": OWN,
    "compliance.answer": ANY,
    "transfer.bring_in": ANY,
}

THE_TABLE: Final[dict[Role, dict[str, Reach]]] = {
    Role.DATA_SCIENTIST: _WRITER
    | {
        "experiments.lock_run": OWN,
        "experiments.move_run": OWN,
        "experiments.delete_experiment": OWN,
        "datasets.recall": OWN,
        "registry.delete": OWN,
        "compliance.except_rule": OWN,
        "compliance.report": OWN,
        "compliance.verified": OWN,
    },
    Role.ML_ENGINEER: _WRITER
    | {
        "experiments.lock_run": ANY,
        "experiments.move_run": ANY,
        "experiments.delete_experiment": ANY,
        "datasets.recall": ANY,
        "registry.delete": ANY,
        "registry.decide_promotion": ANY,
        "webhooks.see": ANY,
        "webhooks.manage": ANY,
        "projects.read_log": ANY,
        "runner.stop": ANY,
        "runner.keep_secrets": ANY,
        "runner.see_workers": ANY,
        "runner.manage_workers": ANY,
        "compliance.except_rule": ANY,
        "compliance.report": ANY,
        "compliance.verified": ANY,
    },
    Role.PROJECT_MANAGER: _READER
    | {
        "projects.edit": ANY,
        "projects.set_goal": ANY,
        "projects.decide": ANY,
        "boards.open": ANY,
        "boards.moderate": ANY,
        "boards.submit": ANY,
        "boards.keep_entry": OWN,
        "projects.read_log": ANY,
        "runner.set_rules": ANY,
        "runner.see_secrets": ANY,
        "runner.keep_secrets": ANY,
        "members.manage": ANY,
        "experiments.lock_run": ANY,
        "experiments.delete_run": ANY,
        "experiments.delete_experiment": ANY,
        "experiments.remove_comment": ANY,
        "experiments.set_direction": ANY,
        "experiments.set_default_view": ANY,
        "experiments.grant_access": ANY,
        "compliance.except_rule": ANY,
        "compliance.waive": ANY,
        "compliance.set_profile": ANY,
        "compliance.answer": ANY,
        "compliance.report": ANY,
        "compliance.verified": ANY,
        "compliance.hold": ANY,
        "compliance.purge_ask": ANY,
        "compliance.see_access": ANY,
        "compliance.review_access": ANY,
        "datasets.recall": ANY,
        "registry.decide_promotion": ANY,
        "webhooks.see": ANY,
        "webhooks.manage": ANY,
    },
    Role.AUDITOR: _READER
    | {
        "users.see": ANY,
        "projects.read_log": ANY,
        "webhooks.see": ANY,
        "runner.see_secrets": ANY,
        "compliance.cosign_waiver": ANY,
        "compliance.assign": ANY,
        "compliance.decide_review": ANY,
        "compliance.find": ANY,
        "compliance.review_trail": ANY,
        "compliance.report": ANY,
        "compliance.verified": ANY,
        "compliance.hold": ANY,
        "compliance.see_access": ANY,
        "compliance.review_access": ANY,
    },
    # Technical rights only: no reading of experiments, no approving.
    Role.ADMINISTRATOR: {
        "projects.see": ANY,
        "projects.create": ANY,
        "projects.set_quota": ANY,
        "members.appoint": ANY,
        "groups.manage": ANY,
        "users.create": ANY,
        "users.deactivate": ANY,
        "users.see": ANY,
        "tokens.revoke_others": ANY,
        "console.use": ANY,
        "content.keep": ANY,
        "site.diagnose": ANY,
        "runner.see_workers": ANY,
        "runner.manage_workers": ANY,
        "runner.admit_worker": ANY,
        "compliance.rehearse": ANY,
        "compliance.purge": ANY,
        "ledger.erase": ANY,
        "webhooks.see": ANY,
        "webhooks.manage": ANY,
    },
}

WRITING_ROLES: Final = frozenset({Role.DATA_SCIENTIST, Role.ML_ENGINEER, Role.PROJECT_MANAGER})
SITE_ROLES: Final = frozenset({Role.ADMINISTRATOR, Role.AUDITOR, Role.PROJECT_MANAGER})
# What these roles may do beyond reading is done in person: a token of theirs reads, whatever its scopes say.
READS_BY_TOKEN: Final = frozenset({Role.AUDITOR, Role.ADMINISTRATOR})
# Where a role deletes or unlocks what others made, it says why.
REASON_NEEDED: Final = {
    (Role.PROJECT_MANAGER, "experiments.delete_run"),
    (Role.PROJECT_MANAGER, "experiments.delete_experiment"),
    (Role.PROJECT_MANAGER, "experiments.lock_run"),
    (Role.PROJECT_MANAGER, "experiments.remove_comment"),
}


def roles_with(permission: str) -> list[Role]:
    """Who could do it: for a refusal that tells whom to ask."""
    return [role for role, grants in THE_TABLE.items() if permission in grants]
