"""Files of a run: put, listed, read, taken away; by members, on runs that take writes, below the run only."""

import pytest

from accounts.roles import Role
from artifacts.models import ArtifactFile, Blob
from audit.ledger.models import AuditEvent, AuditPayload
from experiments.actions.experiments import grant_access
from experiments.actions.files import delete_files, expect_file, put_file
from experiments.actions.runs import delete_run, lock_run, unlock_run
from experiments.queries.files import find_file, list_files, open_file
from kernel.errors import Conflict, Invalid, Locked, NotFound, Refused
from tests import world


def shown(viewer, run, folder=""):
    return [(entry.path, entry.size_bytes) for entry in list_files(viewer, run, folder)]


def content(viewer, run, path):
    _, reader = open_file(viewer, run, path)
    with reader:
        return reader.read()


def refreshed(run):
    run.refresh_from_db()
    return run


def events(verb):
    return list(AuditEvent.objects.filter(verb=verb).order_by("id"))


def test_a_file_is_there_for_every_member(ada, mia, run, put):
    put("notes/today.txt", "good")
    run = refreshed(run)
    assert content(mia, run, "notes/today.txt") == b"good"
    assert shown(ada, run) == [("notes", None)]
    assert shown(ada, run, "notes") == [("notes/today.txt", 4)]


def test_an_empty_run_lists_nothing(ada, run):
    assert shown(ada, run) == []
    assert shown(ada, run, "no/such") == []
    with pytest.raises(NotFound):
        find_file(ada, run, "nothing")


def test_a_listing_shows_one_level_with_folders(ada, run, put):
    for path in ("b.txt", "a/x.txt", "a/deep/y.txt", "a/deep/z.txt", "ab.txt", "a.txt", "A/x.txt"):
        put(path)
    run = refreshed(run)
    assert shown(ada, run) == [("A", None), ("a", None), ("a.txt", 5), ("ab.txt", 5), ("b.txt", 5)]
    assert shown(ada, run, "a") == [("a/deep", None), ("a/x.txt", 5)]
    assert shown(ada, run, "a/") == shown(ada, run, "a")
    assert shown(ada, run, "A") == [("A/x.txt", 5)]
    assert shown(ada, run, "a/x.txt") == [], "a file has no level below it"


def test_a_listing_of_a_large_tree_takes_few_queries(ada, run, put, django_assert_max_num_queries):
    for number in range(60):
        put(f"folder{number % 3}/file{number}.txt")
    run = refreshed(run)
    ada.memo.clear()
    with django_assert_max_num_queries(6):
        assert len(shown(ada, run)) == 3
    with django_assert_max_num_queries(6):
        assert len(shown(ada, run, "folder1")) == 20


def test_putting_again_replaces_and_the_ledger_keeps_both_digests(ada, run, put):
    put("model.bin", "first")
    put("model.bin", "second one")
    assert content(ada, refreshed(run), "model.bin") == b"second one"
    assert ArtifactFile.objects.count() == 1
    assert Blob.objects.count() == 2
    last = events("experiments.put_file")[-1]
    body = AuditPayload.objects.get(event_id=last.id).body
    assert world.stored(b"first").digest in body
    assert world.stored(b"second one").digest in body
    assert '"size_bytes":10' in body


def test_putting_the_same_again_is_no_news(run, put):
    put("model.bin")
    before = AuditEvent.objects.count()
    put("model.bin")
    assert AuditEvent.objects.count() == before


def test_the_same_content_at_two_paths_is_one_blob(put):
    put("a.txt", "same")
    put("b.txt", "same")
    assert Blob.objects.count() == 1


def test_an_upload_is_an_event_about_the_run(ada, run, put):
    put("a.txt")
    (event,) = events("experiments.put_file")
    assert (event.subject_type, event.subject_id, event.actor_id) == ("experiments.run", run.uid.hex, ada.user_id)
    assert event.project_id == run.project_id


HOSTILE = [
    "",
    "/etc/passwd",
    "..",
    "../up.txt",
    "a/../../b",
    "a/..",
    "%2e%2e/up.txt",
    "%252e%252e%252fup.txt",
    "a%2f..%2fb",
    "%2Fetc",
    "file:///etc/passwd",
    "FILE:x",
    "file%3A%2F%2Fx",
    "a//b",
    "./a",
    "a/.",
    "a/",
    "a\x00b",
    "a\nb",
    "a\ud800b",
    "x" * 1001,
    "é" * 128,
]


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_leads_out_or_cannot_be_kept_is_refused(ada, run, put, path):
    with pytest.raises(Invalid) as refusal:
        put(path)
    assert refusal.value.field == "path"
    with pytest.raises(Invalid):
        expect_file(ada, run, path)
    assert ArtifactFile.objects.count() == 0


@pytest.mark.parametrize("path", ["../x", "/x", "%2e%2e", "a/../b", "/"])
def test_reading_and_deleting_refuse_such_paths_too(ada, run, put, path):
    put("x")
    run = refreshed(run)
    with pytest.raises(Invalid):
        list_files(ada, run, path)
    with pytest.raises(Invalid):
        find_file(ada, run, path)
    with pytest.raises(Invalid):
        delete_files(ada, run, path=path)


@pytest.mark.parametrize(
    "path",
    ["with space.txt", "a+b&c=d;e(f)[g].txt", ".hidden/.dots", "графики/loss.png", "図/損失.png", "back\\slash",
     "100%.txt", "q?x#y.txt", "file", "...", "a..b", "~x", "'\";--.txt", "%41.txt"],
)  # fmt: skip
def test_odd_names_survive(ada, run, put, path):
    put(path, path)
    run = refreshed(run)
    assert content(ada, run, path) == path.encode()
    folder = path.rpartition("/")[0]
    assert path in [entry for entry, _ in shown(ada, run, folder)]


def test_a_file_cannot_lie_where_a_folder_is_nor_below_a_file(put):
    put("plots/loss.png")
    with pytest.raises(Conflict, match="is a folder"):
        put("plots")
    put("notes")
    with pytest.raises(Conflict, match="'notes' is a file"):
        put("notes/today.txt")
    with pytest.raises(Conflict, match=r"plots/loss\.png' is a file"):
        put("plots/loss.png/deep/er.txt")
    put("Plots")
    put("plots.txt")
    assert ArtifactFile.objects.count() == 4


def test_deleting_takes_a_file_or_a_tree(ada, run, put):
    for path in ("a/x", "a/deep/y", "ab", "A/x", "z"):
        put(path)
    run = refreshed(run)
    assert delete_files(ada, run, path="z") == 1
    assert delete_files(ada, run, path="a") == 2
    assert shown(ada, run) == [("A", None), ("ab", 5)]
    with pytest.raises(NotFound):
        delete_files(ada, run, path="a")
    assert delete_files(ada, run, path="") == 2
    assert shown(ada, run) == []
    told = AuditPayload.objects.get(event_id=events("experiments.delete_files")[1].id).body
    assert '"a/deep/y"' in told
    assert world.stored(b"hello").digest in told


def test_another_team_sees_and_does_nothing(eve, run, put):
    put("secret.txt")
    run = refreshed(run)
    for forbidden in (
        lambda: list_files(eve, run),
        lambda: find_file(eve, run, "secret.txt"),
        lambda: open_file(eve, run, "secret.txt"),
        lambda: put("more.txt", by=eve),
        lambda: delete_files(eve, run, path="secret.txt"),
        lambda: expect_file(eve, run, "more.txt"),
    ):
        with pytest.raises(NotFound):
            forbidden()
    assert ArtifactFile.objects.visible_to(eve).count() == 0


def test_a_manager_reads_and_does_not_upload(mia, run, put):
    put("a.txt")
    with pytest.raises(Refused):
        put("b.txt", by=mia)
    with pytest.raises(Refused):
        delete_files(mia, run, path="a.txt")
    with pytest.raises(Refused):
        expect_file(mia, run, "b.txt")


def test_a_guest_of_one_experiment_reads_its_files(mia, run, put):
    put("a.txt", "shown")
    guest = world.person("gus")
    grant_access(mia, run.experiment, user=guest)
    assert content(world.at(guest), refreshed(run), "a.txt") == b"shown"
    other = world.run(world.at(world.person("bo", Role.DATA_SCIENTIST, world.project("third"))),
                      world.default_experiment(world.Project.objects.get(slug="third")))  # fmt: skip
    with pytest.raises(NotFound):
        list_files(world.at(guest), other)


def test_a_deleted_run_takes_no_files_but_gives_them(ada, run, put):
    put("a.txt")
    delete_run(ada, run)
    with pytest.raises(Conflict, match="deleted"):
        put("b.txt")
    with pytest.raises(Conflict, match="deleted"):
        expect_file(ada, refreshed(run), "b.txt")
    with pytest.raises(Conflict):
        delete_files(ada, run, path="a.txt")
    assert content(ada, refreshed(run), "a.txt") == b"hello"


def test_a_locked_run_keeps_its_files_as_they_are(ada, run, put):
    put("a.txt")
    lock_run(ada, run)
    run = refreshed(run)
    for refused in (
        lambda: put("b.txt"),
        lambda: delete_files(ada, run, path="a.txt"),
        lambda: expect_file(ada, run, "b.txt"),
    ):
        with pytest.raises(Locked):
            refused()
    assert content(ada, run, "a.txt") == b"hello"
    unlock_run(ada, run)
    put("b.txt", into=refreshed(run))


def test_an_action_on_a_stale_copy_of_a_locked_run_is_refused(ada, run, put):
    stale = type(run).objects.get(pk=run.pk)
    lock_run(ada, run)
    with pytest.raises(Locked):
        put_file(ada, stale, path="late.txt", stored=world.stored(b"late"))


def test_the_size_limit_is_that_of_the_settings(settings):
    from kernel.errors import TooLarge

    settings.MLED_MAX_UPLOAD_BYTES = 10
    world.stored(b"0123456789")
    with pytest.raises(TooLarge, match="10 bytes"):
        world.stored(b"0123456789a")


def test_what_an_auditor_opens_is_on_record(ada, vision, run, put):
    put("weights.bin", "secret recipe")
    run = refreshed(run)
    content(ada, run, "weights.bin")
    assert events("artifacts.open_file") == []
    ann = world.at(world.person("ann", Role.AUDITOR, vision))
    assert content(ann, run, "weights.bin") == b"secret recipe"
    (event,) = events("artifacts.open_file")
    assert (event.actor_id, event.actor_roles, event.subject_id) == (ann.user_id, "auditor", run.uid.hex)
    assert "weights.bin" in AuditPayload.objects.get(event_id=event.id).body
