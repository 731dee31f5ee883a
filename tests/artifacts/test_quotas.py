"""A project's files take what an administrator allows and no more, whoever sends them at the same moment."""

import datetime as dt
import io
from functools import partial

import pytest

from accounts.roles import Role
from artifacts.actions.quotas import LIMIT_MAX, set_quota
from artifacts.actions.uploads import begin_numbered_upload, begin_upload, send_numbered_part
from artifacts.models import ArtifactFile, ProjectQuota, QuotaUse, Upload
from artifacts.queries.quotas import nearly_full, room_of
from artifacts.quotas import QuotaReached
from artifacts.sizes import exact_size, read_size, size_words
from artifacts.storage import Part
from audit.ledger.acting import acting
from experiments.actions.files import delete_files, put_file
from experiments.actions.purging import empty_run
from experiments.models import Run
from kernel.actor import operator, system
from kernel.clock import now
from kernel.errors import Invalid, NotFound, Refused
from tests import world
from tests.factories import Team, a_dataset, a_file, a_person, a_run, a_team, a_version, events, events_since
from tests.together import errors, together


@pytest.fixture
def team(db: None) -> Team:
    return a_team(slug="icu-vitals")


@pytest.fixture
def run(team: Team) -> Run:
    return a_run(team.scientist)


def used(team: Team) -> int:
    return QuotaUse.objects.get(project=team.project).used_bytes


def counted(team: Team, *, seconds_ago: float) -> None:
    QuotaUse.objects.filter(project=team.project).update(counted_at=now() - dt.timedelta(seconds=seconds_ago))


# --- Setting it


def test_an_administrator_sets_it_changes_it_and_takes_it_away(team, run):
    a_file(team.scientist, run, content=b"12345")
    (event,) = events_since(lambda: set_quota(team.administrator, team.project, limit_bytes=10, reason="a small disk"))
    assert event.changed("artifacts.projectquota")["limit_bytes"] == [None, 10]
    assert event.reason == "a small disk"
    assert used(team) == 5
    (event,) = events_since(lambda: set_quota(team.administrator, team.project, limit_bytes=20))
    assert event.changed("artifacts.projectquota")["limit_bytes"] == [10, 20]
    assert [one.limit_bytes for one in ProjectQuota.history.order_by("history_id")] == [10, 20]
    assert len(events_since(lambda: set_quota(team.administrator, team.project, limit_bytes=None))) == 1
    assert not ProjectQuota.objects.exists()
    assert not QuotaUse.objects.exists()


def test_setting_what_it_is_leaves_no_event(team):
    set_quota(team.administrator, team.project, limit_bytes=10)
    assert events_since(lambda: set_quota(team.administrator, team.project, limit_bytes=10)) == []
    set_quota(team.administrator, team.project, limit_bytes=None)
    assert events_since(lambda: set_quota(team.administrator, team.project, limit_bytes=None)) == []


def test_others_read_it_and_strangers_find_nothing(team):
    set_quota(team.administrator, team.project, limit_bytes=10)
    for who in (team.scientist, team.engineer, team.manager, team.auditor):
        assert room_of(who, team.project).limit_bytes == 10
        with pytest.raises(Refused):
            set_quota(who, team.project, limit_bytes=20)
    stranger = a_person()
    with pytest.raises(NotFound):
        room_of(stranger, team.project)
    with pytest.raises(NotFound):
        set_quota(stranger, team.project, limit_bytes=20)


@pytest.mark.parametrize("limit", [0, -1, LIMIT_MAX + 1])
def test_it_is_a_size(team, limit):
    with pytest.raises(Invalid) as refused:
        set_quota(team.administrator, team.project, limit_bytes=limit)
    assert refused.value.field == "limit_bytes"
    assert not ProjectQuota.objects.exists()


# --- What comes in


def test_a_file_that_would_not_fit_is_refused_in_words_and_leaves_nothing(team, run):
    a_file(team.scientist, run, "a.bin", b"12345678")
    set_quota(team.administrator, team.project, limit_bytes=10)
    before = len(events())
    with pytest.raises(QuotaReached) as refused:
        a_file(team.scientist, run, "b.bin", b"123")
    told = f"The project '{team.project.name}' holds 8 B of the 10 B that it may; this file has 3 B."
    assert refused.value.message == told
    assert refused.value.status == 413
    assert "purged" in refused.value.hint
    assert not ArtifactFile.objects.filter(path="b.bin").exists()
    assert (len(events()), used(team)) == (before, 8)
    a_file(team.scientist, run, "c.bin", b"12")
    assert used(team) == 10


def test_what_replaces_a_file_takes_the_difference(team, run):
    set_quota(team.administrator, team.project, limit_bytes=10)
    a_file(team.scientist, run, "a.bin", b"12345678")
    a_file(team.scientist, run, "a.bin", b"abcdefghij")
    assert used(team) == 10
    a_file(team.scientist, run, "a.bin", b"abc")
    assert used(team) == 3
    with pytest.raises(QuotaReached):
        a_file(team.scientist, run, "a.bin", b"12345678901")


def test_the_same_content_under_two_names_counts_twice(team, run):
    set_quota(team.administrator, team.project, limit_bytes=10)
    a_file(team.scientist, run, "a.bin", b"123456")
    with pytest.raises(QuotaReached):
        a_file(team.scientist, run, "b.bin", b"123456")


def test_what_is_taken_away_or_purged_makes_room_at_once(team, run):
    set_quota(team.administrator, team.project, limit_bytes=10)
    a_file(team.scientist, run, "a.bin", b"1234567890")
    delete_files(team.scientist, run, path="a.bin")
    a_file(team.scientist, run, "b.bin", b"abcdefghij")
    with acting(operator(), "compliance.purge_run", project_id=team.project.pk):
        empty_run(Run.objects.get(pk=run.pk))
    assert used(team) == 0


def test_a_quota_below_what_is_there_loses_nothing_and_lets_nothing_in(team, run):
    file = a_file(team.scientist, run, "a.bin", b"1234567890")
    set_quota(team.administrator, team.project, limit_bytes=5)
    assert ArtifactFile.objects.filter(pk=file.pk).exists()
    with pytest.raises(QuotaReached):
        a_file(team.scientist, run, "b.bin", b"1")
    a_file(team.scientist, run, "empty.bin", b"")
    a_file(team.scientist, run, "a.bin", b"12")


def test_a_version_of_a_dataset_is_counted_whole(team):
    set_quota(team.administrator, team.project, limit_bytes=10)
    dataset = a_dataset(team.scientist, team.project)
    a_version(team.scientist, dataset, files={"a.csv": b"1234", "b.csv": b"5678"})
    with pytest.raises(QuotaReached, match="this version has 4 B"):
        a_version(team.scientist, dataset, files={"c.csv": b"abcd"})
    assert used(team) == 8


def test_an_announced_upload_is_refused_before_its_bytes_come(team, run):
    set_quota(team.administrator, team.project, limit_bytes=10)
    begin_upload(team.scientist, team.project, size_bytes=10)
    with pytest.raises(QuotaReached):
        begin_upload(team.scientist, team.project, size_bytes=11)


def test_a_numbered_part_that_alone_would_not_fit_is_refused_before_its_bytes_come(team, run):
    set_quota(team.administrator, team.project, limit_bytes=100)
    upload = begin_numbered_upload(team.scientist, team.project, part_count=2, purpose="model/a.bin")
    assert sent_part(team, upload, "1", b"x" * 90).size_bytes == 90
    with pytest.raises(QuotaReached, match="this file has 101 B"):
        sent_part(team, upload, "2", b"x" * 101)
    assert sent_part(team, upload, "2", b"x" * 5).size_bytes == 5


def sent_part(team: Team, upload: Upload, number: str, content: bytes) -> Part:
    return send_numbered_part(
        team.scientist, upload, number=number, incoming=io.BytesIO(content), expected=len(content)
    )


def test_what_mled_itself_writes_is_counted_and_not_refused(team, run):
    set_quota(team.administrator, team.project, limit_bytes=5)
    stored = world.stored(b"1234567890")
    put_file(operator(), run, path="a.bin", stored=world.stored(b"12345"))
    with pytest.raises(QuotaReached):
        put_file(operator(), run, path="b.bin", stored=stored)
    put_file(system(), run, path="b.bin", stored=stored)
    assert used(team) == 15


# --- The count


def test_a_count_that_went_wrong_is_taken_anew_after_a_minute(team, run):
    set_quota(team.administrator, team.project, limit_bytes=100)
    a_file(team.scientist, run, "a.bin", b"12345")
    QuotaUse.objects.filter(project=team.project).update(used_bytes=0)
    counted(team, seconds_ago=50)
    a_file(team.scientist, run, "b.bin", b"1")
    assert used(team) == 1
    counted(team, seconds_ago=70)
    a_file(team.scientist, run, "c.bin", b"2")
    assert used(team) == 7


def test_where_something_would_not_fit_the_count_may_be_ten_seconds_old(team, run):
    set_quota(team.administrator, team.project, limit_bytes=10)
    QuotaUse.objects.filter(project=team.project).update(used_bytes=10)
    with pytest.raises(QuotaReached):
        a_file(team.scientist, run, "a.bin", b"1")
    counted(team, seconds_ago=11)
    a_file(team.scientist, run, "a.bin", b"1")
    assert used(team) == 1


def test_projects_near_their_quota_are_told_the_fullest_first(team, run):
    a_file(team.scientist, run, content=b"1234567890")
    set_quota(team.administrator, team.project, limit_bytes=12)
    assert nearly_full(system()) == []
    set_quota(team.administrator, team.project, limit_bytes=11)
    ((name, room),) = nearly_full(system())
    assert (name, room.percent) == (team.project.name, 91)
    with pytest.raises(Refused):
        nearly_full(team.manager)


def test_senders_at_the_same_moment_never_pass_the_limit(committed_db):
    project = world.project("vision")
    user = world.person("ada", Role.DATA_SCIENTIST, project)
    experiment = world.default_experiment(project)
    set_quota(operator(), project, limit_bytes=35)
    runs = [world.run(world.at(user), experiment) for _ in range(6)]
    contents = [world.stored(b"%010d" % number) for number in range(6)]
    jobs = [
        partial(put_file, world.at(user), run, path="a.bin", stored=one)
        for run, one in zip(runs, contents, strict=True)
    ]
    found = together(*jobs)
    assert [type(error) for error in errors(found)] == [QuotaReached] * 3
    assert ArtifactFile.objects.count() == 3
    assert QuotaUse.objects.get().used_bytes == 30


# --- Sizes in words


@pytest.mark.parametrize(
    ("text", "size"),
    [("10 GB", 10**10), ("500MB", 5 * 10**8), ("1.5 tb", 15 * 10**11), ("1,000 kB", 10**6), (".5 kb", 500), ("7 B", 7)],
)
def test_a_size_is_read_as_people_write_it(text, size):
    assert read_size(text) == size
    assert read_size(exact_size(size)) == size


@pytest.mark.parametrize("text", ["", "10", "ten GB", "-1 GB", "1e3 GB", "10 GB x", "5 apples"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(Invalid):
        read_size(text)


def test_sizes_are_said_short():
    sizes = (0, 999, 1000, 9_800_000_000, 400_000_000, 999_960, 10**10)
    assert [size_words(one) for one in sizes] == ["0 B", "999 B", "1 kB", "9.8 GB", "400 MB", "1 MB", "10 GB"]
