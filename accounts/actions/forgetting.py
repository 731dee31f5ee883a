"""Forgetting a person: name and address go from everywhere but from under signatures, the opaque id stays.

The log holds ids alone, so it stays whole; what the account's own events said of name and address is erased.
"""

import re

from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q

from accounts import hooks
from accounts.access import can
from accounts.actions.erasing import checked_basis, erase_everywhere
from accounts.decorators import action
from accounts.models import ApiToken, KeptAnswer, Notice, PersonalSetting, User
from accounts.personal_data import FORGOTTEN, account_events, called, past_rows, refuse_forgotten, sessions_of, was_in
from audit.ledger.models import AuditEvent, EventOrigin
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Invalid

PERMISSION = "ledger.erase"
_SHORTEST = 4
_A_NAME = 3  # letters; what is shorter, or in small letters, is a name only where a notice speaks of a person
_OF_A_PERSON = r"(?:\A|(?<=\bby )|(?<=\bname of ))"
_TEXT_MAX = 500  # of a notice


def forget(actor: Actor, *, user: User, basis: str) -> User:
    """Forget a person, with all that their account's events say of them. All of it or nothing.

    Raises Invalid, Conflict where they were forgotten before, or where something still needs an event.
    """
    if not can(actor, PERMISSION):
        return forget_person(actor, user=user, reason=basis)  # which says why not, and keeps that it was tried
    checked_basis(basis)
    with transaction.atomic():
        refuse_forgotten(user)
        events, _ = account_events(user)
        addresses, names = called(user)
        if events:
            erase_everywhere(actor, events=events, basis=basis)
        forgotten = forget_person(actor, user=user, reason=basis)
        for tell in hooks.person_forgotten:
            tell(actor, was_in(forgotten), basis)
        _forget_rows(forgotten, addresses | names)
    return forgotten


@action(PERMISSION)
def forget_person(actor: Actor, *, user: User, reason: str) -> User:
    """Part of forgetting: lock the account for good and give it a name that says nothing. reason: the legal basis."""
    checked_basis(reason)
    if user.pk == actor.user_id:
        raise Invalid("You cannot forget yourself.", hint="Ask another administrator.", field="email")
    held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    refuse_forgotten(held)
    alias = _alias(held)
    held.withhold("name", "email")
    held.name, held.email, held.is_active = f"former user {alias}", f"{alias}{FORGOTTEN}", False
    held.set_unusable_password()
    held.save()
    for token in ApiToken.objects.filter(user=held, revoked_at=None):
        token.revoked_at = now()
        token.save()
    return held


def _alias(user: User) -> str:
    """The first digits of the id, as few as tell this account from others."""
    taken = set(User.objects.filter(email__endswith=FORGOTTEN).values_list("email", flat=True))
    whole = user.pk.hex
    shortest = (whole[:length] for length in range(_SHORTEST, len(whole)))
    return next((one for one in shortest if f"{one}{FORGOTTEN}" not in taken), whole)


def _forget_rows(user: User, words: set[str]) -> None:
    """What is no evidence: sessions, notices, settings, kept answers, addresses where acts came from, earlier rows."""
    Session.objects.filter(pk__in=sessions_of(user)).delete()
    Notice.objects.filter(user=user).delete()
    PersonalSetting.objects.filter(user=user).delete()
    for words_of in (Q(user=user), *(Q(body__contains=word) for word in words - {""})):
        KeptAnswer.objects.filter(words_of).delete()
    EmailAddress.objects.filter(user=user).delete()
    EventOrigin.objects.filter(event_id__in=AuditEvent.objects.filter(actor_id=user.pk).values("id")).delete()
    past_rows(user).update(name=user.name, email=user.email)
    _forget_in_notices(user, words)


def _forget_in_notices(user: User, words: set[str]) -> None:
    """In what others were told where the person was: whole words alone, never a part of somebody else's name.

    Notices prove nothing, so they change without an event.
    """
    projects = was_in(user)
    near = Q() if projects is None else Q(project=None) | Q(project__in=projects)
    for word in sorted(words - {""}, key=len, reverse=True):
        others = User.objects.filter(name__contains=word).exclude(pk=user.pk).exclude(name=word)
        longer = sorted(others.values_list("name", flat=True), key=len, reverse=True)
        before = _OF_A_PERSON if _reads_like_a_word(word) else r"(?<!\w)"
        whole = re.compile("|".join([*map(re.escape, longer), rf"{before}(?P<word>{re.escape(word)})(?!\w)"]))
        for notice in Notice.objects.filter(near, text__contains=word).iterator():
            text = whole.sub(lambda met: user.name if met["word"] else met[0], notice.text)
            if text != notice.text:
                Notice.objects.filter(pk=notice.pk).update(text=text[:_TEXT_MAX])


def _reads_like_a_word(name: str) -> bool:
    return "@" not in name and (len(name) < _A_NAME or name.islower())
