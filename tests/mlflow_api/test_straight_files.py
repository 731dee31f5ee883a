"""Small files go straight to the database and out of it where nothing stands against it, and leave what they always
left."""

import datetime as dt
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import QuerySet

from accounts.actions.members import remove_member
from accounts.actions.tokens import revoke_token
from accounts.actions.users import deactivate_user
from accounts.models import ApiToken, Membership, RightsStamp
from artifacts import hooks, quotas
from artifacts.actions.quotas import set_quota
from artifacts.models import ArtifactFile, ArtifactRoot, Blob, ParkedBlob, QuotaUse, UnnamedBlob
from artifacts.parking import move_parked
from artifacts.quotas import size_of_files
from artifacts.storage import Condition, store
from audit.ledger.models import AuditEvent, AuditPayload, Pending
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions import straight_files
from experiments.actions.experiments import grant_access
from experiments.actions.moves import move_run
from experiments.actions.runs import delete_run, lock_run
from experiments.actions.seals import seal_run
from experiments.models import Run
from experiments.queries.experiments import wire_id
from kernel import clock
from kernel.actor import operator, system
from registry.models import ModelVersion
from tests.factories import (
    Everything,
    Team,
    a_file,
    a_person,
    a_run,
    a_team,
    a_token,
    an_experiment,
    events_since,
    user_of,
)
from tests.mlflow_api.speaking import Mlflow, error_of
from tests.mlflow_api.test_straight import DENIED, INVALID, MISSING, NOBODY, logged, statements
from tests.together import WITHIN, errors, together, values

UPLOADED = (
    4 if connection.vendor == "postgresql" else 10
)  # with SAVEPOINT and RELEASE: BEGIN and COMMIT outside of tests


@pytest.fixture
def run(team: Team, db: None) -> Run:
    run = a_run(team.scientist)
    a_file(team.scientist, run, "first.bin", b"first")
    found: Run = Run.objects.select_related("experiment").get(pk=run.pk)
    return found


@pytest.fixture
def ada(team: Team, root: str, run: Run) -> Mlflow:
    """The run's author, of whom this process knows everything, and of whose run something was heard just now."""
    return known(Mlflow(a_token(team.scientist)[1], root), run)


def known(client: Mlflow, run: Run) -> Mlflow:
    for step in (0, 1):
        assert logged(client, run, step).status_code == 200
    return client


def url(run: Run, path: str) -> str:
    return f"2.0/mlflow-artifacts/artifacts/{wire_id(run.experiment)}/{run.uid.hex}/artifacts/{path}"


def put(client: Mlflow, run: Run, path: str = "a/b.bin", content: bytes = b"content") -> Any:
    return client.send("PUT", url(run, path), body=content, content_type="application/octet-stream")


def got(client: Mlflow, run: Run, path: str = "first.bin") -> Any:
    return client.send("GET", url(run, path))


def went_straight(client: Mlflow, run: Run, monkeypatch: pytest.MonkeyPatch, path: str = "a/b.bin") -> bool:
    with statements(monkeypatch) as sent:
        answer = put(client, run, path)
    assert answer.status_code == 200, answer.content
    assert got(client, run, path).getvalue() == b"content"
    return len(sent) == UPLOADED


# --- The ordinary case


def test_a_small_new_file_is_two_statements_of_one_transaction(
    ada: Mlflow, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with statements(monkeypatch) as sent:
        assert put(ada, run).status_code == 200
    opened, held, *inner, closed = sent
    assert (opened.split()[0], closed.split()[0]) == ("SAVEPOINT", "RELEASE")
    assert "accounts_rightsstamp" in held
    assert len(inner) == (1 if connection.vendor == "postgresql" else 7), inner
    assert ParkedBlob.objects.filter(digest=ArtifactFile.objects.get(path="a/b.bin").blob_id).exists()


def test_a_file_comes_out_by_one_statement_with_the_ranges_and_tags_it_always_had(
    ada: Mlflow, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(ada, run, "parked.bin")
    for path, content in (("first.bin", b"first"), ("parked.bin", b"content")):
        with statements(monkeypatch) as sent:
            answer = got(ada, run, path)
        assert answer.getvalue() == content
        assert len(sent) == 1, sent
        part = ada.send("GET", url(run, path), headers={"range": "bytes=1-2"})
        assert (part.status_code, part.getvalue()) == (206, content[1:3])
        assert ada.send("GET", url(run, path), headers={"if-none-match": answer["ETag"]}).status_code == 304


def test_its_statements_are_planned_once_for_a_connection(ada: Mlflow, run: Run) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite keeps statements by itself.")
    for number in range(8):
        assert put(ada, run, f"{number}/x.bin", b"%d" % number).status_code == 200
        assert got(ada, run, f"{number}/x.bin").getvalue() == b"%d" % number
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), bool_and(generic_plans > 0) FROM pg_prepared_statements"
            " WHERE statement LIKE '%artifact_root_id%' AND statement LIKE '%rightsstamp%'"
            " OR statement LIKE '%artifacts_unnamedblob%' AND statement LIKE '%part_0%'"
        )
        assert cursor.fetchone() == (3, True)


def test_both_ways_leave_the_same_rows_the_same_event_and_the_same_answer(
    ada: Mlflow, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = clock._now()
    monkeypatch.setattr(clock, "_now", lambda: moment)
    answers: list[Any] = []
    left = []
    for path in ("x/ä 1.bin", "x/ä 2.bin"):
        (event,) = events_since(lambda path=path: answers.append(put(ada, run, path, path.encode())))
        left.append(left_by(event.event, path))
        monkeypatch.setattr(straight_files, "can_be_asked", lambda: False)
    assert left[0] == left[1]
    assert answers[0].content == answers[1].content
    assert left[0]["event"]["verb"] == "experiments.put_file"


def left_by(event: AuditEvent, path: str) -> dict[str, Any]:
    """All that a new file left, without its ids and what differs with its content."""
    file = ArtifactFile.objects.get(path=path)
    assert Pending.objects.filter(event_id=event.pk).count() == 1
    assert bytes(ParkedBlob.objects.get(digest=file.blob_id).content) == path.encode()
    own = {"id", "commitment", "request_id", "path", "blob_id", "digest", "content"}
    rows = (event, file, Blob.objects.get(pk=file.blob_id), ParkedBlob.objects.get(digest=file.blob_id))
    told = AuditPayload.objects.get(event_id=event.pk).body.replace(path, "PATH").replace(file.blob_id, "DIGEST")
    named = zip(("event", "file", "blob", "parked"), rows, strict=True)
    return {"told": json.loads(told)} | {
        name: {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields if one.attname not in own}
        for name, row in named
    }


def test_what_goes_straight_follows_in_the_log(ada: Mlflow, run: Run) -> None:
    for number in range(3):
        assert put(ada, run, f"{number}.bin").status_code == 200
    Sequencer().run_until_empty()
    assert verify_ledger().problems == []


def test_the_same_content_is_kept_once(ada: Mlflow, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(went_straight(ada, run, monkeypatch, f"{number}.bin") for number in range(3))
    assert ParkedBlob.objects.count() == 1


# --- Everything else


def remove(team: Team, run: Run) -> None:
    remove_member(operator(), Membership.objects.get(user_id=team.scientist.user_id, project=team.project))


def revoke(team: Team, run: Run) -> None:
    for token in ApiToken.objects.filter(user=user_of(team.scientist)):
        revoke_token(team.scientist, token=token)


def deactivate(team: Team, run: Run) -> None:
    deactivate_user(operator(), user=user_of(team.scientist), reason="left")


Change = Callable[[Team, Run], object]
REFUSALS: dict[str, tuple[Change, tuple[int, str], tuple[int, str] | None]] = {
    "a membership that was withdrawn": (remove, MISSING, MISSING),
    "a token that was revoked": (revoke, NOBODY, NOBODY),
    "an owner who was deactivated": (deactivate, NOBODY, NOBODY),
    "a deleted run": (lambda team, run: delete_run(team.scientist, run), INVALID, None),
    "a locked run": (lambda team, run: lock_run(team.scientist, run), DENIED, None),
}


@pytest.mark.parametrize(("change", "refused", "unseen"), REFUSALS.values(), ids=REFUSALS)
def test_what_changed_since_the_last_call_is_met_by_the_next(
    ada: Mlflow, run: Run, team: Team, change: Change, refused: tuple[int, str], unseen: tuple[int, str] | None
) -> None:
    assert put(ada, run, "before.bin").status_code == 200
    change(team, Run.objects.get(pk=run.pk))
    for _ in range(2):
        assert error_of(put(ada, run)) == refused
        answer = got(ada, run)
        if unseen is None:
            assert answer.getvalue() == b"first"
        else:
            assert error_of(answer) == unseen
    assert not ArtifactFile.objects.filter(path="a/b.bin").exists()


def test_new_rights_of_anybody_are_read_once_and_then_it_goes_straight_again(
    ada: Mlflow, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    RightsStamp.objects.filter(pk=RightsStamp.THE_ROW).update(stamp="00000000-0000-4000-8000-000000000002")
    assert [went_straight(ada, run, monkeypatch, f"{number}.bin") for number in range(2)] == [False, True]


def test_a_sealed_run_is_reopened_on_record(ada: Mlflow, run: Run, team: Team) -> None:
    seal_run(system(), Run.objects.get(pk=run.pk))
    assert put(ada, run).status_code == 200
    assert Run.objects.get(pk=run.pk).sealed_at is None


def test_others_files_and_paths_are_no_way_in(ada: Mlflow, team: Team, root: str, run: Run) -> None:
    eve = Mlflow(a_token(a_team().scientist)[1], root)
    colleague = known(Mlflow(a_token(team.engineer)[1], root), a_run(team.engineer))
    for client in (eve, eve):
        assert error_of(got(client, run)) == MISSING
        assert error_of(put(client, run)) == MISSING
    assert got(colleague, run).getvalue() == b"first"
    elsewhere = an_experiment(team.scientist, team.project)
    wrong = url(run, "first.bin").replace(f"/{wire_id(run.experiment)}/", f"/{wire_id(elsewhere)}/", 1)
    assert error_of(ada.send("GET", wrong)) == MISSING
    assert error_of(ada.send("PUT", wrong, body=b"x", content_type="application/octet-stream")) == MISSING
    assert error_of(got(ada, run, "no.bin")) == MISSING
    move_run(team.scientist, Run.objects.get(pk=run.pk), experiment=elsewhere)
    assert got(ada, run).getvalue() == b"first"
    assert put(ada, run, "after.bin").status_code == 200


def test_a_guest_of_one_experiment_finds_no_project_at_this_door_whatever_is_known_of_them(
    ada: Mlflow, team: Team, root: str, run: Run
) -> None:
    guest = a_person()
    grant_access(team.manager, run.experiment, user=user_of(guest), reason="reviewer")
    client = Mlflow(a_token(guest)[1], root)
    assert [error_of(got(client, run)) for _ in range(3)] == [MISSING] * 3


def test_a_file_lies_in_no_other_and_a_folder_is_none(ada: Mlflow, run: Run) -> None:
    assert put(ada, run, "folder/a.bin").status_code == 200
    for path in ("folder", "folder/a.bin/b.bin", "folder/a.bin/c/d.bin"):
        assert put(ada, run, path).status_code == 400
    assert put(ada, run, "folder/a.bin", b"other").status_code == 200
    assert got(ada, run, "folder/a.bin").getvalue() == b"other"
    assert put(ada, run, "folder0").status_code == 200


def test_content_that_is_about_to_be_cleared_away_takes_the_way_that_waits(
    ada: Mlflow, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(ada, run, "a.bin")
    digest = ArtifactFile.objects.get(path="a.bin").blob_id
    UnnamedBlob(blob_id=digest).save()
    assert not went_straight(ada, run, monkeypatch)
    assert not UnnamedBlob.objects.exists()


def test_a_version_that_was_made_of_the_files_is_asked(
    ada: Mlflow, run: Run, monkeypatch: pytest.MonkeyPatch, things: Everything
) -> None:
    root = ArtifactRoot.objects.get(owner_uid=run.uid.hex)
    QuerySet(ModelVersion).filter(pk=things.version.pk).update(root_id=root.pk)
    assert not went_straight(ada, run, monkeypatch)


def test_a_room_that_says_nothing_in_sql_is_asked(ada: Mlflow, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(hooks, "file_changes", [*hooks.file_changes, lambda root, path: asked.append(path)])
    assert not went_straight(ada, run, monkeypatch)
    assert asked == ["a/b.bin"]


def test_one_that_is_too_large_is_refused(ada: Mlflow, run: Run, settings: Any) -> None:
    settings.MLED_MAX_UPLOAD_BYTES = 5
    assert put(ada, run, "large.bin", b"123456").status_code == 413
    assert put(ada, run, "five.bin", b"12345").status_code == 200
    assert set(ArtifactFile.objects.filter(root__owner_uid=run.uid.hex).values_list("path", flat=True)) == {
        "first.bin", "five.bin",
    }  # fmt: skip


def test_one_that_is_more_than_is_read_at_once_comes_in_all_the_same(ada: Mlflow, run: Run, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 5
    assert put(ada, run, "six.bin", b"123456").status_code == 200
    assert got(ada, run, "six.bin").getvalue() == b"123456"


@pytest.mark.parametrize("path", ["a.bin", "b.bin"])
def test_content_that_was_damaged_while_it_waited_is_replaced_by_what_is_sent(ada: Mlflow, run: Run, path: str) -> None:
    assert put(ada, run, "a.bin").status_code == 200
    ParkedBlob.objects.update(content=b"damaged")
    assert error_of(got(ada, run, "a.bin"))[0] == 503
    assert put(ada, run, path).status_code == 200
    assert [got(ada, run, one).getvalue() for one in ("a.bin", path)] == [b"content"] * 2
    assert ParkedBlob.objects.count() == 1


def test_files_that_lie_in_each_other_never_come_in_together(committed_db: None) -> None:
    team = a_team()
    run = a_run(team.scientist)
    a_file(team.scientist, run, "first.bin", b"first")
    secret = a_token(team.scientist)[1]
    known(Mlflow(secret, f"/mlflow/{team.project.slug}"), run)

    def sending(path: str) -> Callable[[], Any]:
        return lambda: put(Mlflow(secret, f"/mlflow/{team.project.slug}"), run, path)

    for number in range(5):
        outcomes = together(sending(f"{number}"), sending(f"{number}/in.bin"))
        assert errors(outcomes) == []
        assert sorted(one.value.status_code for one in outcomes) == [200, 400]


def test_nothing_is_lost_of_what_is_sent_while_others_move_the_same(
    committed_db: None, tmp_path: Path, settings: Any
) -> None:
    settings.MLED_BLOBS = str(tmp_path / "blobs")
    team = a_team()
    run, secret, root = a_run(team.scientist), a_token(team.scientist)[1], f"/mlflow/{team.project.slug}"
    a_file(team.scientist, run, "first.bin", b"first")
    known(Mlflow(secret, root), run)
    sent = {f"{writer}/{number}.bin": b"%d" % (number % 3) for writer in range(4) for number in range(9)}
    left = set(sent)

    def send(writer: int) -> list[int]:
        client, mine = Mlflow(secret, root), [path for path in sent if path.startswith(f"{writer}/")]
        codes = []
        for path in mine:
            codes.append(put(client, run, path, sent[path]).status_code)
            assert got(client, run, path).getvalue() == sent[path]
            left.discard(path)
        return codes

    def move() -> None:
        end = time.monotonic() + WITHIN / 2
        while left and time.monotonic() < end:
            move_parked()

    outcomes = together(move, *(partial(send, writer) for writer in range(4)))
    assert errors(outcomes) == []
    assert values(outcomes)[1:] == [[200] * 9] * 4
    move_parked()
    assert not ParkedBlob.objects.exists()
    blobs = set(ArtifactFile.objects.filter(path__in=sent).values_list("blob_id", flat=True))
    assert len(blobs) == 3
    assert {store().check(digest) for digest in blobs} == {Condition.SOUND}


def test_a_project_with_a_quota_is_asked_and_one_without_goes_straight_again(
    ada: Mlflow, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = size_of_files(run.project_id)
    set_quota(operator(), run.project, limit_bytes=before + 10)
    assert not went_straight(ada, run, monkeypatch, "a.bin")
    told = put(ada, run, "b.bin", b"123456789")
    assert told.status_code == 413
    assert f"holds {before + 7} B of the {before + 10} B that it may; this file has 9 B" in told.content.decode()
    assert not ArtifactFile.objects.filter(path="b.bin").exists()
    set_quota(operator(), run.project, limit_bytes=None)
    assert went_straight(ada, run, monkeypatch, "c.bin")


def test_who_sends_small_files_to_a_full_project_does_not_have_all_of_it_counted_each_time(
    ada: Mlflow, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_quota(operator(), run.project, limit_bytes=size_of_files(run.project_id) + 2)
    QuotaUse.objects.update(counted_at=clock.now() - dt.timedelta(seconds=11))
    counted: list[UUID] = []

    def counting(project_id: UUID) -> int:
        counted.append(project_id)
        return size_of_files(project_id)

    monkeypatch.setattr(quotas, "size_of_files", counting)
    for number in range(5):
        assert put(ada, run, f"{number}.bin", b"123").status_code == 413
    assert len(counted) == 2  # within the act that is refused, and once to keep
    assert put(ada, run, "fits.bin", b"12").status_code == 200
