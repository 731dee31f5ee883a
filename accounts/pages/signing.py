"""Signing on a page: the dialogue that asks for the password, and the proof that its answer gives.

A page that lets somebody sign puts `signing(request)` into its context, includes "partials/sign_dialog.html" in the
form that is sent, and asks `given_proof(request)` before it calls the action that signs.
"""

from dataclasses import dataclass

from django.http import HttpRequest

from accounts.access import roles_in
from accounts.models import Project
from accounts.pages.doors import actor_of
from accounts.signing import Proof, needs_email, prove
from kernel.errors import Invalid, MledError


@dataclass(frozen=True, slots=True)
class Signing:
    """What the dialogue needs. asks_email: the first signature of a series takes the address, too.

    opened: the decision that is about to be signed where the dialogue comes open, "" where it waits for a click.
    """

    signer: str
    role: str
    asks_email: bool
    opened: str = ""
    comment: str = ""
    error: str = ""
    field: str = ""


def signing(
    request: HttpRequest, project: Project, *, opened: str = "", comment: str = "", error: MledError | None = None
) -> Signing:
    """The dialogue for whoever looks at the page."""
    viewer, session = actor_of(request), request.session
    return Signing(
        signer=viewer.user_name,
        role=" and ".join(sorted(role.label for role in roles_in(viewer, project.pk))),
        asks_email=needs_email(viewer, session),
        opened=opened,
        comment=comment,
        error=str(error) if error is not None else "",
        field=error.field if error is not None else "",
    )


def given_proof(request: HttpRequest) -> Proof:
    """The proof that a form gives by its password. Raises Invalid, Refused, TooMany.

    A form without a password, or without the e-mail address where one is asked for, is no attempt: nothing is
    recorded of it.
    """
    viewer, password = actor_of(request), request.POST.get("password", "")
    if not password:
        raise Invalid("Nothing was signed: there is no password.", hint="Type it.", field="password")
    email = request.POST.get("email", "").strip()
    if not email and needs_email(viewer, request.session):
        raise Invalid("Nothing was signed: there is no e-mail address.", hint="Type yours.", field="email")
    return prove(viewer, password, email=email, session=request.session)
