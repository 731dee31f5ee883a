"""What one does with people. They are deactivated, never deleted."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts.decorators import action
from accounts.models import ApiToken, User
from accounts.texts import checked_line
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import AlreadyExists, Invalid, NotFound

EMAIL_MAX, NAME_MAX = 254, 120


def checked_email(email: str) -> str:
    """The address in lower case. Raises Invalid."""
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid(f"'{email[:80]}' is not an e-mail address.", field="email") from None
    return checked_line(address, "An e-mail address", EMAIL_MAX, field="email")


def checked_password(password: str, user: User) -> str:
    """The password if it is a good one. Raises Invalid with all that is wrong with it."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="password") from None
    return password


def find_user(email: str) -> User:
    """The user by address. Raises NotFound."""
    user: User | None = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise NotFound(f"There is no user '{email[:80]}'.", hint="Create the user first.", field="email")
    return user


@action("users.create")
def create_user(
    actor: Actor, *, email: str, name: str = "", password: str | None = None, is_service: bool = False
) -> User:
    """Make a user. Without a password they set one by a reset link. Raises Invalid, AlreadyExists."""
    address = checked_email(email)
    called = checked_line(name or address.partition("@")[0], "A name", NAME_MAX, field="name")
    user = User(email=address, name=called, is_service=is_service)
    if password is None:
        user.set_unusable_password()
    else:
        user.set_password(checked_password(password, user))
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise AlreadyExists(f"There is a user '{address}' already.", field="email") from None
    return user


@action("users.deactivate")
def deactivate_user(actor: Actor, *, user: User, reason: str) -> User:
    """Lock somebody out at once: sign-in, sessions and tokens. Raises Invalid without a reason."""
    if not reason.strip():
        raise Invalid("Say why this account is deactivated; it is kept.", field="reason")
    if user.id == actor.user_id:
        raise Invalid("You cannot deactivate yourself.", hint="Ask another administrator.")
    user.is_active = False
    user.save()
    for token in ApiToken.objects.filter(user=user, revoked_at=None):
        token.revoked_at = now()
        token.save()
    return user


@action("users.deactivate")
def reactivate_user(actor: Actor, *, user: User, reason: str) -> User:
    """Let somebody in again. Tokens that were revoked stay so."""
    if not reason.strip():
        raise Invalid("Say why this account is reactivated; it is kept.", field="reason")
    user.is_active = True
    user.save()
    return user


def _myself(actor: Actor) -> User:
    if actor.user_id is None:
        raise Invalid("Only a signed-in person has an account to change.")
    return User.objects.select_for_update(no_key=True).get(pk=actor.user_id)


@action("account.edit")
def change_password(actor: Actor, *, password: str) -> User:
    """Set one's own password; the ledger keeps only that it changed."""
    user = _myself(actor)
    user.set_password(password)
    user.save()
    return user


@action("account.edit")
def rename_me(actor: Actor, *, name: str) -> User:
    """Change one's own name."""
    user = _myself(actor)
    user.name = checked_line(name, "A name", NAME_MAX, field="name")
    user.save()
    return user


THEMES = frozenset({"light", "dark", "auto"})


@action("account.edit")
def choose_theme(actor: Actor, *, theme: str) -> User:
    """Keep how one's pages look: light, dark or as the system does. Quiet: it is no evidence of anything."""
    if theme not in THEMES:
        raise Invalid(f"'{theme[:20]}' is no theme.", hint="Themes are light, dark and auto.", field="theme")
    user = _myself(actor)
    user.theme = theme
    user.save()
    return user
