"""Credentials for programs: the secret is shown once, only its digest is kept."""

import datetime as dt
import secrets
from collections.abc import Sequence
from uuid import UUID

from accounts.access import acts_in_person_only, require
from accounts.authentication import TOKEN_PREFIX
from accounts.decorators import action
from accounts.facts import facts
from accounts.models import ApiToken, Project, User
from accounts.one_run import may_have_jobs
from accounts.roles import Scope
from accounts.texts import checked_line
from kernel.actor import Actor, TokenGrant
from kernel.clock import now
from kernel.digests import sha256_hex
from kernel.errors import Invalid, NotFound, Refused

DAYS_MAX = 365
DEFAULT_SCOPES = (Scope.READ, Scope.LOG)


def parsed_scopes(scopes: Sequence[str]) -> list[str]:
    """The scopes in order, each known. Raises Invalid."""
    unknown = [scope for scope in scopes if scope not in set(Scope)]
    if unknown or not scopes:
        names = ", ".join(scope.value for scope in Scope)
        what = f"'{unknown[0][:40]}' is not a scope." if unknown else "A token needs at least one scope."
        raise Invalid(what, hint=f"Scopes are {names}.", field="scopes")
    return sorted({Scope(scope).value for scope in scopes})


def scopes_open_to(actor: Actor) -> tuple[Scope, ...]:
    """The scopes that the actor may give a token of their own: whoever only audits or administers gives it reading."""
    return (Scope.READ,) if acts_in_person_only(actor) else tuple(Scope)


def default_scopes(actor: Actor) -> tuple[Scope, ...]:
    """What a token may do where nothing else is said."""
    open_to = scopes_open_to(actor)
    return tuple(scope for scope in DEFAULT_SCOPES if scope in open_to)


def new_secret() -> str:
    """A token: the prefix and 240 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(30)


@action("tokens.manage")
def create_token(
    actor: Actor,
    *,
    name: str,
    secret: str,
    scopes: Sequence[str] | None = None,
    days: int | None = 90,
    projects: Sequence[Project] | None = None,
    default_project: Project | None = None,
    owner: User | None = None,
) -> ApiToken:
    """Make a token for oneself (the operator: for any owner) from a `new_secret()`, which only the caller knows.

    scopes: None for what is usual (`default_scopes`). projects: None for all of one's own. days: until it expires, at
    most 365; None never expires (service accounts).
    Raises Invalid, Refused.
    """
    owner_id = _owner_id(actor, owner)
    for project in [*(projects or ()), *([default_project] if default_project else ())]:
        require(actor, "projects.see", project)
    token = ApiToken(
        user_id=owner_id,
        name=checked_line(name, "A token's name", 80, field="name"),
        prefix=secret[:12],
        digest=sha256_hex(secret.encode()),
        scopes=_checked_scopes(actor, scopes),
        projects=None if projects is None else sorted(project.id.hex for project in projects),
        default_project=default_project,
        expires_at=_expiry(days),
    )
    if actor.token is not None:
        _check_within(token, actor.token)
    token.save()
    return token


def _checked_scopes(actor: Actor, scopes: Sequence[str] | None) -> list[str]:
    """The scopes, each known and open to the maker. Raises Invalid, Refused."""
    wanted = parsed_scopes(default_scopes(actor) if scopes is None else scopes)
    beyond = [scope for scope in wanted if scope not in scopes_open_to(actor)]
    if beyond:
        raise Refused(
            f"Auditors and administrators act in person, so a token of yours only reads: it cannot have '{beyond[0]}'.",
            hint="Make it with the scope 'read' alone.",
            field="scopes",
        )
    return wanted


def _check_within(token: ApiToken, maker: TokenGrant) -> None:
    """Raise Refused where a token would make one that may more, elsewhere or longer than itself."""
    until = ApiToken.objects.values_list("expires_at", flat=True).get(pk=maker.id)
    longer = until is not None and (token.expires_at is None or token.expires_at > until)
    elsewhere = maker.projects is not None and (
        token.projects is None or not {UUID(text) for text in token.projects} <= maker.projects
    )
    if longer or elsewhere or not set(token.scopes) <= maker.scopes:
        raise Refused(
            "A token cannot make one that may more than itself: more scopes, other projects, or a longer life.",
            hint="Sign in and make it on the Tokens page.",
        )


def _owner_id(actor: Actor, owner: User | None) -> UUID:
    if actor.user_id is not None:
        if owner is not None and owner.id != actor.user_id:
            raise Refused("A token is made by its owner.")
        return actor.user_id
    if owner is None:
        raise Invalid("Say whose token it is.", field="email")
    return owner.id


def _expiry(days: int | None) -> dt.datetime | None:
    if days is None:
        return None
    if not 1 <= days <= DAYS_MAX:
        raise Invalid(f"A token lives 1 to {DAYS_MAX} days.", field="days")
    return now() + dt.timedelta(days=days)


def create_job_token(
    actor: Actor, *, owner: User, project: Project, run_uid: str, name: str, until: dt.datetime
) -> tuple[ApiToken, str]:
    """A token for one job, with its secret: it acts as its owner in this project, reads, and writes this run only.

    For MLED alone: nobody makes one for themselves. Raises Refused where the owner may not have jobs there.
    """
    secret = new_secret()
    run = UUID(hex=run_uid)
    return give_job_token(actor, project, owner=owner, run_uid=run, name=name, until=until, secret=secret), secret


@action("runner.launch", on="project")
def give_job_token(
    actor: Actor, project: Project, *, owner: User, run_uid: UUID, name: str, until: dt.datetime, secret: str
) -> ApiToken:
    """Keep the token of a job; only its digest. Called by the system."""
    _require_mled(actor)
    token = ApiToken(
        user_id=owner.pk,
        name=name[:80],
        prefix=secret[:12],
        digest=sha256_hex(secret.encode()),
        scopes=parsed_scopes(DEFAULT_SCOPES),
        projects=[project.pk.hex],
        default_project=project,
        run_uid=run_uid,
        expires_at=until,
    )
    if not (owner.is_active and may_have_jobs(facts(), token)):
        raise Refused(f"{owner} may not have jobs in {project.name} any more.", hint="Somebody else may launch it.")
    token.save()
    return token


@action("runner.launch", on="project")
def take_job_token(actor: Actor, project: Project, *, token: ApiToken) -> ApiToken:
    """End the token of a job that is over; ending an ended one changes nothing. Called by the system."""
    _require_mled(actor)
    return _revoke(token)


def end_job_token(actor: Actor, *, token: ApiToken) -> ApiToken:
    """The job is over, and so is its token, at once."""
    project = token.default_project
    if token.run_uid is None or project is None:
        raise Refused("This is not the token of a job.")
    return take_job_token(actor, project, token=token)


def _require_mled(actor: Actor) -> None:
    """Raise Refused for a person: job tokens begin and end with jobs."""
    if actor.is_person:
        raise Refused("Jobs are given their tokens by MLED.", hint="Make one of your own on the Tokens page.")


@action("tokens.manage")
def revoke_token(actor: Actor, *, token: ApiToken) -> ApiToken:
    """End one's own token at once. Revoking a revoked one changes nothing. Raises NotFound for somebody else's."""
    if actor.user_id is not None and token.user_id != actor.user_id:
        raise NotFound("No such token was found.")
    return _revoke(token)


@action("tokens.revoke_others")
def revoke_others_token(actor: Actor, *, token: ApiToken, reason: str) -> ApiToken:
    """An administrator ends somebody's token, with a reason."""
    if not reason.strip():
        raise Invalid("Say why the token is revoked; it is kept.", field="reason")
    return _revoke(token)


def _revoke(token: ApiToken) -> ApiToken:
    token = ApiToken.objects.select_for_update(no_key=True).get(pk=token.pk)
    if token.revoked_at is None:
        token.revoked_at = now()
        token.save()
    return token
