"""Secrets of a project: set, replaced and removed by name. Nobody reads what they hold again."""

import re
from typing import Final

from accounts.decorators import action
from accounts.models import Project
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Invalid, NotFound
from runner.models import Secret
from runner.sealing import sealed

KEEP: Final = "runner.keep_secrets"
NAME_MAX: Final = 60
VALUE_MAX: Final = 16 * 1024  # bytes; a private key fits, a file does not belong here
SECRETS_MAX: Final = 100
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,59}")
# What a job is given by MLED, or what would change how its interpreter and its libraries are found.
_TAKEN = frozenset({"HOME", "PATH", "TMPDIR", "USER", "SHELL", "LANG", "VIRTUAL_ENV", "HOSTNAME", "PWD"})
_TAKEN_BEGINNINGS = ("MLED_", "MLFLOW_", "PYTHON", "LD_", "LC_", "UV_", "DYLD_")


@action(KEEP, on="project")
def keep_secret(actor: Actor, project: Project, *, name: str, value: str) -> Secret:
    """Set it, or put another value in its place: jobs that begin from now on get that. Raises Invalid, Conflict."""
    checked_name(name)
    _check_value(value)
    held = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = _kept(held, name)
    if before is None and Secret.objects.filter(project=held, removed_at=None).count() >= SECRETS_MAX:
        raise Conflict(
            f"A project keeps at most {SECRETS_MAX} secrets.", hint="Remove one that is not needed any more."
        )
    if before is not None:
        _forget(before)
    secret = Secret(project=held, name=name, sealed=sealed(value), created_by_id=actor.user_id)
    secret.save()
    return secret


@action(KEEP, on="project")
def remove_secret(actor: Actor, project: Project, *, name: str) -> Secret:
    """Remove it: jobs that need it and have not begun fail and say so. Raises NotFound."""
    held = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    secret = _kept(held, name)
    if secret is None:
        raise NotFound(f"No secret '{name[:NAME_MAX]}' is kept in this project.", field="name")
    return _forget(secret)


def checked_name(name: str) -> str:
    """The name of a variable that a job may be given. Raises Invalid."""
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"'{name[:NAME_MAX]}' is no name for a secret.",
            hint=f"Capital letters, digits and _, as of an environment variable; at most {NAME_MAX}: HUB_TOKEN.",
            field="name",
        )
    if name in _TAKEN or name.startswith(_TAKEN_BEGINNINGS):
        raise Invalid(f"Jobs have another use for {name}.", hint="Choose another name.", field="name")
    return name


def _check_value(value: str) -> None:
    if not value:
        raise Invalid("A secret holds something.", hint="Paste its value.", field="value")
    if "\x00" in value:
        raise Invalid("A secret holds no NUL character.", field="value")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise Invalid("A secret is text; this holds a lone surrogate.", field="value") from None
    if size > VALUE_MAX:
        raise Invalid(f"A secret has at most {VALUE_MAX:,} bytes; this one has {size:,}.", field="value")


def _kept(project: Project, name: str) -> Secret | None:
    found: Secret | None = Secret.objects.filter(project=project, name=name, removed_at=None).first()
    return found


def _forget(secret: Secret) -> Secret:
    """Its row stays, with who kept it until when; what it held does not."""
    secret.sealed, secret.removed_at = "", now()
    secret.save()
    return secret
