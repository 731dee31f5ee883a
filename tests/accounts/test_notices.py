"""What people are told, on the page and by mail."""

import datetime as dt

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from accounts.actions.members import remove_member
from accounts.actions.notices import mark_notices_read
from accounts.actions.users import deactivate_user
from accounts.mailing import LINES_AT_MOST, mail_waiting_notices
from accounts.models import Membership, Notice
from accounts.notices import TEXT_MAX, tell
from accounts.queries.notices import notices_of, unread_notices
from accounts.roles import Role
from accounts.tasks import mail_notices
from audit.ledger.acting import NoOpenAct, acting
from kernel.actor import operator, system
from kernel.clock import now
from kernel.errors import Unauthenticated
from tests.factories import a_group, a_person, a_project, a_team, a_user, acting_as, again, join, nobody, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


def told(*people, text="Something happened.", minutes=5, **more):
    """These people are told; some minutes ago, so that mail is due."""
    with acting(system(), "test.telling"):
        made = tell([user_of(person) for person in people], kind="test", text=text, **more)
    Notice.objects.filter(pk__in=[one.pk for one in made]).update(at=now() - dt.timedelta(minutes=minutes))
    return made


def test_people_are_told_within_an_act_only(team):
    with pytest.raises(NoOpenAct):
        tell([user_of(team.scientist)], kind="test", text="x")


def test_everybody_is_told_once_and_reads_their_own(team):
    told(team.scientist, team.engineer, team.scientist, url="/x/")
    assert [(one.text, one.url) for one in notices_of(team.scientist)] == [("Something happened.", "/x/")]
    assert notices_of(team.manager).count() == notices_of(nobody()).count() == notices_of(operator()).count() == 0


def test_of_a_project_only_those_are_told_who_see_it(team):
    stranger, leaver = a_person(), a_person()
    by_group, everywhere = a_person(), a_person(site_role=Role.AUDITOR)
    join(team.project, a_group(by_group), Role.DATA_SCIENTIST)
    robot = acting_as(a_user(is_service=True))
    join(team.project, robot, Role.DATA_SCIENTIST)
    gone = a_person()
    join(team.project, gone, Role.DATA_SCIENTIST)
    deactivate_user(operator(), user=user_of(gone), reason="left")
    people = (team.scientist, stranger, leaver, by_group, everywhere, robot, gone, team.administrator)
    made = told(*people, project=team.project)
    assert {one.user_id for one in made} == {team.scientist.user_id, by_group.user_id, everywhere.user_id}


def test_a_notice_about_a_project_goes_out_of_sight_with_it(team):
    elsewhere = a_project()
    join(elsewhere, team.scientist, Role.DATA_SCIENTIST)
    told(team.scientist, project=elsewhere)
    remove_member(operator(), Membership.objects.get(project=elsewhere))
    assert not notices_of(again(team.scientist)).exists()


def test_a_text_that_is_too_long_is_cut_and_says_so(team):
    (made,) = told(team.scientist, text="x" * 900)
    made.refresh_from_db()
    assert len(made.text) == TEXT_MAX
    assert made.text.endswith("…")


def test_one_marks_one_s_own_as_read(team):
    first, second = told(team.scientist, text="one"), told(team.scientist, text="two")
    (other,) = told(team.engineer)
    assert mark_notices_read(team.scientist, notices=[first[0].pk, other.pk]) == 1
    assert list(unread_notices(team.scientist)) == second
    assert unread_notices(team.engineer).count() == 1
    assert mark_notices_read(team.scientist) == 1
    assert mark_notices_read(team.scientist) == 0
    with pytest.raises(Unauthenticated):
        mark_notices_read(nobody())


# --- Mail


def test_one_letter_brings_all_that_one_has_not_read(team, settings):
    settings.MLED_URL = "https://mled.example.org/"
    told(team.scientist, text="Version 1 was recalled.", url="/p/vision/datasets/x/v/1/")
    told(team.scientist, text="Version 2 was recalled.")
    told(team.engineer, text="Only this.\nAnd more.")
    mail_notices()
    letters = {letter.to[0]: letter for letter in mail.outbox}
    assert set(letters) == {user_of(team.scientist).email, user_of(team.engineer).email}
    both = letters[user_of(team.scientist).email]
    assert both.subject == "MLED: 2 notices"
    assert "Version 1 was recalled.\nhttps://mled.example.org/p/vision/datasets/x/v/1/" in both.body
    assert "Version 2 was recalled." in both.body
    assert letters[user_of(team.engineer).email].subject == "MLED: Only this. And more."


def test_what_was_mailed_or_read_is_not_mailed_again(team):
    told(team.scientist)
    told(team.engineer)
    mark_notices_read(team.engineer)
    assert mail_waiting_notices() == 1
    assert mail_waiting_notices() == 0
    assert len(mail.outbox) == 1


def test_what_is_new_waits_a_moment_and_what_is_old_is_not_mailed(team):
    told(team.scientist, minutes=0)
    told(team.engineer, minutes=60 * 24 * 7)
    assert mail_waiting_notices() == 0


def test_more_than_fits_into_a_letter_follows_in_the_next(team):
    for number in range(LINES_AT_MOST + 5):
        told(team.scientist, text=f"notice {number}")
    assert (mail_waiting_notices(), mail_waiting_notices(), mail_waiting_notices()) == (1, 1, 0)
    assert [letter.body.count("notice ") for letter in mail.outbox] == [LINES_AT_MOST, 5]


def test_what_cannot_be_sent_now_is_sent_later(team, monkeypatch):
    told(team.scientist)

    def refuse(backend, messages):
        raise OSError("no route to the mail server")

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        assert mail_waiting_notices() == 0
    assert mail_waiting_notices() == 0  # its lease still holds
    Notice.objects.update(mailing_until=now() - dt.timedelta(seconds=1))
    assert mail_waiting_notices() == 1


def test_a_letter_that_goes_out_twice_is_the_same_letter(team):
    """A worker that dies after sending leaves the notices unmarked; mail programs show the second one only once."""
    told(team.scientist)
    mail_waiting_notices()
    Notice.objects.update(mailed_at=None)
    mail_waiting_notices()
    first, second = mail.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_another_worker_passes_over_what_one_is_sending(team, monkeypatch):
    told(team.scientist)
    sent = []
    plain = EmailBackend.send_messages

    def send(backend, messages):
        sent.append(mail_waiting_notices())  # the second worker, in the middle of the first one's sending
        return plain(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", send)
    assert mail_waiting_notices() == 1
    assert sent == [0]
    assert len(mail.outbox) == 1
