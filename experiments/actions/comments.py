"""Talking about a run. Comments stand beside it: they change nothing in it, so locked and submitted runs take them."""

from collections.abc import Sequence
from uuid import UUID

from django.urls import reverse

from accounts.decorators import action
from accounts.models import Notice, User
from accounts.notices import tell
from experiments.mentions import mentioned
from experiments.models import Comment, Run
from experiments.queries.comments import people_to_mention
from experiments.values import Lifecycle, checked_text
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import AlreadyExists, Conflict, Invalid, Refused

SAY, REMOVE = "experiments.comment", "experiments.remove_comment"
COMMENT_MAX, WHY_MAX = 20_000, 1000
MENTIONED = "run.mentioned"


@action(SAY, on="run")
def add_comment(actor: Actor, run: Run, *, text: str, key: UUID | None = None) -> Comment:
    """Say something about a run; whom it mentions is told. key: the comment's id, chosen by who sends it.

    Sending the same key again changes nothing. Raises Invalid, Conflict on a deleted run, AlreadyExists for a key
    that stands for something else.
    """
    words = _checked(text)
    sent = Comment.objects.filter(pk=key).first() if key else None
    if sent is not None:
        return _same(actor, run, sent)
    _require_active(run)
    comment = Comment(run=run, text=words, created_by_id=actor.user_id)
    if key:
        comment.pk = key
    comment.save()
    _tell(actor, comment, mentioned(words, people_to_mention(actor, run)))
    return comment


@action(SAY, on="comment")
def edit_comment(actor: Actor, comment: Comment, *, text: str, version: int) -> Comment:
    """Change one's own comment; whom it mentions anew is told. version: the one that the actor saw.

    Raises Refused for somebody else's, Invalid, Conflict where it was changed or removed since: nothing is written.
    """
    words, held = _checked(text), _held(comment)
    _require_own(actor, held)
    _require_there(held)
    _require_active(held.run)
    if held.text == words:
        return held
    if held.version != version:
        raise Conflict(
            "This comment was changed meanwhile, in another window; nothing was saved.",
            hint="Take over what you want to keep of what it says now, then save again.",
            field="version",
        )
    people = people_to_mention(actor, held.run)
    before = mentioned(held.text, people)
    held.text, held.version, held.edited_at = words, held.version + 1, now()
    held.save()
    _tell(actor, held, [user for user in mentioned(words, people) if user not in before])
    return held


@action(REMOVE, on="comment")
def remove_comment(actor: Actor, comment: Comment, *, reason: str = "") -> Comment:
    """Take back a comment: its text goes, its place stays. A manager removes others' with a reason, which is shown.

    Removing it again changes nothing. Raises Refused, Invalid.
    """
    held = _held(comment)
    if held.removed_at is None:
        held.removed_why = "" if held.created_by_id == actor.user_id else checked_text(reason, "reason", WHY_MAX)
        held.removed_at, held.removed_by_id = now(), actor.user_id
        held.text, held.version = "", held.version + 1
        held.save()
    return held


def page_of(comment: Comment) -> str:
    """Where the comment stands."""
    return f"{reverse('experiments:run_tab', args=[comment.run.uid.hex, 'notes'])}#comment-{comment.pk.hex}"


def _checked(text: str) -> str:
    words = checked_text(text.replace("\r\n", "\n").strip(), "text", COMMENT_MAX)
    if not words:
        raise Invalid("A comment says something.", hint="Write it first.", field="text")
    return words


def _same(actor: Actor, run: Run, sent: Comment) -> Comment:
    if (sent.run_id, sent.created_by_id) != (run.pk, actor.user_id):
        raise AlreadyExists("This key stands for another comment.", hint="Send another, or none.", field="key")
    return sent


def _held(comment: Comment) -> Comment:
    rows = Comment.objects.select_for_update(of=("self",), no_key=True).select_related("run__project", "created_by")
    held: Comment = rows.get(pk=comment.pk)
    return held


def _require_own(actor: Actor, comment: Comment) -> None:
    if comment.created_by_id != actor.user_id:
        raise Refused(f"This comment is {comment.created_by or 'the operator'}'s.", hint="Write one of your own.")


def _require_there(comment: Comment) -> None:
    if comment.removed_at is not None:
        raise Conflict("This comment was removed; nothing was saved.", hint="Write a new one.")


def _require_active(run: Run) -> None:
    if Run.objects.filter(pk=run.pk, lifecycle=Lifecycle.DELETED).exists():
        raise Conflict(f"Run {run.uid.hex} is deleted.", hint="Restore it first.", field="run_id")


def _tell(actor: Actor, comment: Comment, people: Sequence[User]) -> None:
    """A notice to each of them but the author, once for a comment however often it is written anew."""
    url = page_of(comment)
    told = set(Notice.objects.filter(user__in=people, kind=MENTIONED, url=url).values_list("user_id", flat=True))
    new = [user for user in people if user.pk not in told and user.pk != actor.user_id]
    who = actor.user_name or "Somebody"
    tell(
        new,
        kind=MENTIONED,
        text=f"{who} mentioned you in a comment on {comment.run.readable_id} '{comment.run.name[:120]}'.",
        url=url,
        project=comment.run.project,
    )
