"""Ordinary use, whatever its order and values, is no forgery: after a random walk through every action, and every call
of the doors, verify_ledger finds nothing. Who may not act, and what is in the wrong state, is refused on the way."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest
from django.test import Client

from accounts.actions import members, projects, tokens, users
from accounts.decorators import ACTIONS
from accounts.models import ApiToken, Group, Membership, Project, User
from accounts.roles import Role, Scope
from audit.ledger.models import AuditEvent
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions import (
    batches,
    comments,
    decisions,
    experiments,
    files,
    goals,
    inputs,
    moves,
    notes,
    recorded,
    runs,
    seals,
    stars,
)
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import Comment, Decision, Experiment, Run
from experiments.recording.wanted import NewDataset, Wanted
from experiments.values import INT64_MAX, INT64_MIN, RunStatus
from kernel.actor import Actor, operator, system
from kernel.errors import MledError, NotServed
from registry.actions import files as model_files
from registry.actions import links, logged_models
from registry.models import LoggedModel
from tests.factories import a_team, a_token, again, an_administrator, everything, unique, user_of
from tests.ledger.board_moves import BOARDS
from tests.ledger.compliance_moves import COMPLIANCE
from tests.ledger.dataset_moves import DATASETS
from tests.ledger.dataset_moves import QUIET as QUIET_CONTENT
from tests.ledger.keeping_moves import KEEPING
from tests.ledger.promotion_moves import PROMOTIONS
from tests.ledger.registry_moves import REGISTRY
from tests.ledger.report_moves import REPORTS
from tests.ledger.runner_moves import RUNNER
from tests.ledger.sheet_moves import SHEETS
from tests.ledger.transfer_moves import QUIET as QUIET_POINTS
from tests.ledger.transfer_moves import TRANSFERS
from tests.mlflow_api.speaking import SERVED, Mlflow, good_request
from tests.services.scale import sized
from tests.world import stored

pytestmark = pytest.mark.django_db

STEPS = sized(1500, 10_000)
TEXTS = (
    "",
    " ",
    "x",
    "0.1",
    "1e-3",
    "NaN",
    "-0",
    "1e999",
    "ü\u2028 'q' \"d\" \\",
    "😀" * 300,
    "null",
    "line\nline",
    "\u202e",
)
KEYS = (
    "a",
    "a/b",
    "lr",
    "mlflow.runName",
    "mlflow.note.content",
    "mlflow.parentRunId",
    "mlflow.source.git.commit",
    "ключ",
)
NUMBERS = (0.0, -0.0, 1.0, 1e20, 1e-320, float("nan"), float("inf"), float("-inf"), 0.1)
WHOLE = (0, -1, 5, 2**53, 2**53 + 1, INT64_MAX, INT64_MIN)


class Walk:
    """Somebody does something, again and again."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.team = a_team()
        self.things = everything(self.team.scientist, self.team.project, "walked")
        administrator = an_administrator("Second")
        self.people = [*(self.team[role] for role in Role), administrator, operator()]

    def who(self) -> Actor:
        """Anybody; every other time the operator, who may do everything."""
        return operator() if self.chance.random() < 0.5 else again(self.chance.choice(self.people))

    def person(self) -> Actor:
        return again(self.chance.choice([person for person in self.people if person.user_id]))

    def any(self, model: Any, **which: Any) -> Any:
        """One of the first rows of a table: few, so that much happens to each."""
        return self.chance.choice(list(model.objects.filter(**which).order_by("pk")[:6]))

    def run(self) -> Run:
        return self.any(Run)

    def text(self) -> str:
        return self.chance.choice(TEXTS)

    def pairs(self) -> dict[str, str]:
        parents = {"mlflow.parentRunId": self.run().uid.hex}
        keys = self.chance.sample(KEYS, self.chance.randint(1, 3))
        return {key: self.chance.choice((parents.get(key, ""), self.text())) for key in keys}

    def batch(self) -> Batch:
        pick = self.chance.choice
        metrics = [MetricPoint(pick(KEYS), pick(NUMBERS), abs(pick(WHOLE[:-1])), pick(WHOLE)) for _ in range(3)]
        kinds = self.chance.randint(1, 7)
        return Batch(
            metrics=metrics if kinds & 1 else (),
            params=list(self.pairs().items()) if kinds & 2 else (),
            tags=list(self.pairs().items()) if kinds & 4 else (),
        )


def a_record(walk: Walk) -> Wanted:
    """A run that is over, of new data; some of it wrong."""
    pick = walk.chance.choice
    return Wanted(
        experiment=pick(("walked by hand", walk.text())),
        name=walk.text(),
        architecture=pick(("trees", walk.text())),
        new_dataset=NewDataset("walked data", unique("d"), "s3://bucket/walked"),
        started="2026-03-02 14:00",
        params=[("lr", "0.1"), (pick(KEYS[:2]), walk.text() or "1")],
        results=[("auc", "0.5")],
        note=walk.text(),
    )


def delete_and_restore(walk: Walk) -> None:
    """An experiment that nothing holds."""
    experiment = experiments.create_experiment(operator(), walk.team.project, name=unique("e"))
    experiments.delete_experiment(operator(), experiment, reason="By mistake.")
    experiments.restore_experiment(operator(), Experiment.objects.get(pk=experiment.pk), reason="needed")


def delete_model(walk: Walk) -> None:
    """A logged model that nothing refers to."""
    model = logged_models.create_logged_model(operator(), walk.any(Experiment), params=walk.pairs())
    logged_models.delete_logged_model(walk.who(), model)


Move = Callable[[Walk], Any]
PEOPLE: list[Move] = [
    lambda w: users.create_user(w.who(), email=f"{unique('new')}@example.org", name=w.text()),
    lambda w: users.deactivate_user(w.who(), user=w.any(User, email__contains="new-"), reason=w.text()),
    lambda w: users.reactivate_user(w.who(), user=w.any(User, email__contains="new-"), reason="back"),
    lambda w: users.rename_me(w.person(), name=f"{w.text()}!"),
    lambda w: users.change_password(w.person(), password=unique("pass")),
    lambda w: users.choose_theme(w.person(), theme=w.chance.choice(("dark", "light", "auto"))),
    lambda w: projects.create_project(w.who(), slug=unique("p"), key=f"W{w.chance.randrange(10**6)}", purpose=w.text()),
    lambda w: projects.edit_project(w.who(), w.any(Project), purpose=w.text(), name=f"n{w.text()}"),
    lambda w: projects.grant_sight(w.who(), w.any(Project), user=w.any(User)),
    lambda w: projects.withdraw_sight(w.who(), w.any(Project), user=w.any(User)),
    lambda w: members.add_member(w.who(), w.any(Project), role=w.chance.choice(list(Role)), user=w.any(User)),
    lambda w: members.add_member(
        w.who(), w.any(Project), role=w.chance.choice(list(Role)), user=w.any(User, email__contains="new-")
    ),
    lambda w: members.add_member(w.who(), w.any(Project), role=w.chance.choice(list(Role)), group=w.any(Group)),
    lambda w: members.appoint_member(w.who(), w.any(Project), role=Role.AUDITOR, user=w.any(User), reason=w.text()),
    lambda w: members.change_role(w.who(), w.any(Membership), role=w.chance.choice(list(Role))),
    lambda w: members.remove_member(w.who(), w.any(Membership, user__email__contains="new-")),
    lambda w: members.dismiss_member(w.who(), w.any(Membership, project__isnull=False, role=Role.AUDITOR)),
    lambda w: members.appoint(w.who(), user=w.any(User, email__contains="new-"), role=w.chance.choice(list(Role))),
    lambda w: members.dismiss(w.who(), membership=w.any(Membership, user__email__contains="new-")),
    lambda w: members.create_group(w.who(), name=unique("group")),
    lambda w: members.add_to_group(w.who(), group=w.any(Group), user=w.any(User)),
    lambda w: members.remove_from_group(w.who(), group=w.any(Group), user=w.any(User)),
    lambda w: tokens.create_token(
        w.person(), name="t", secret=tokens.new_secret(), scopes=[Scope.LOG], projects=[w.team.project]
    ),
    lambda w: tokens.revoke_token(w.who(), token=w.any(ApiToken)),
    lambda w: tokens.revoke_others_token(w.who(), token=w.any(ApiToken), reason=w.text()),
]
EXPERIMENTS: list[Move] = [
    lambda w: experiments.create_experiment(w.who(), w.team.project, name=unique(w.text() or "e"), tags=w.pairs()),
    lambda w: experiments.rename_experiment(w.who(), w.any(Experiment), name=unique("renamed")),
    lambda w: experiments.delete_experiment(w.who(), w.any(Experiment), reason=w.text()),
    lambda w: experiments.restore_experiment(w.who(), w.any(Experiment), reason="needed"),
    delete_and_restore,
    lambda w: experiments.set_experiment_tag(w.who(), w.any(Experiment), key="k", value=w.text()),
    lambda w: experiments.delete_experiment_tag(w.who(), w.any(Experiment), key="k"),
    lambda w: goals.set_goal(w.who(), w.team.project, metric="a", higher_is_better=True, target=w.chance.random()),
    lambda w: decisions.record_decision(
        w.who(), w.team.project, title=w.text(), why=w.text(), runs=[w.run()], replaces=w.any(Decision)
    ),
    lambda w: decisions.record_decision(w.who(), w.team.project, title=w.text() or "go", runs=[w.run()]),
    lambda w: decisions.take_back_decision(w.who(), w.any(Decision), reason=w.text()),
    lambda w: goals.clear_goal(w.who(), w.team.project),
    lambda w: experiments.set_metric_direction(
        w.who(), w.team.project, key="a", higher_is_better=w.chance.random() < 0.5
    ),
    lambda w: experiments.grant_access(w.who(), w.any(Experiment), user=w.any(User)),
    lambda w: experiments.withdraw_access(w.who(), w.any(Experiment), user=w.any(User)),
]
RUNS: list[Move] = [
    lambda w: runs.create_run(
        w.who(), w.any(Experiment), name=w.text(), started_ms=w.chance.choice(WHOLE), tags=w.pairs(), claimed_user="x"
    ),
    lambda w: recorded.record_run(
        w.who(), w.team.project, wanted=a_record(w), key=w.chance.choice(("", "k", w.text()))
    ),
    lambda w: runs.update_run(
        w.who(),
        w.run(),
        name=w.text(),
        status=w.chance.choice(list(RunStatus)),
        ended_ms=w.chance.choice((None, *WHOLE)),
    ),
    lambda w: runs.set_tags(w.who(), w.run(), tags=w.pairs()),
    lambda w: runs.delete_tag(w.who(), w.run(), key=w.chance.choice(KEYS)),
    lambda w: runs.delete_run(w.who(), w.run(), reason=w.text()),
    lambda w: runs.restore_run(w.who(), w.run(), reason="needed"),
    lambda w: runs.lock_run(w.who(), w.run(), reason=w.text()),
    lambda w: runs.unlock_run(w.who(), w.run(), reason="wrong"),
    lambda w: seals.seal_run(system(), w.run()),
    lambda w: batches.log_batch(w.who(), w.run(), batch=w.batch()),
    lambda w: files.put_file(
        w.who(), w.run(), path=w.chance.choice(("f", "d/f", "ü/é")), stored=stored(w.text().encode())
    ),
    lambda w: files.delete_files(w.who(), w.run(), path=w.chance.choice(("f", "d", ""))),
    lambda w: notes.edit_notes(w.who(), w.run(), expected="*", note=w.text()),
    lambda w: inputs.log_inputs(w.who(), w.run(), inputs=[_dataset(w)]),
    lambda w: moves.move_run(w.who(), w.run(), experiment=w.any(Experiment), reason=w.text()),
    lambda w: stars.star_run(w.person(), w.run()),
    lambda w: stars.unstar_run(w.person(), w.run()),
    lambda w: comments.add_comment(w.who(), w.run(), text=f"{w.text()}@Emil"),
    lambda w: comments.edit_comment(w.who(), w.any(Comment), text=w.text(), version=w.chance.randint(1, 3)),
    lambda w: comments.remove_comment(w.who(), w.any(Comment), reason=w.text()),
]
MODELS: list[Move] = [
    lambda w: logged_models.create_logged_model(
        w.who(), w.any(Experiment), source_run=w.run(), params=w.pairs(), tags=w.pairs()
    ),
    lambda w: logged_models.finalize_logged_model(
        w.who(), w.any(LoggedModel), status=w.chance.choice(("READY", "FAILED"))
    ),
    lambda w: logged_models.delete_logged_model(w.who(), w.any(LoggedModel)) if w.chance.random() < 0.2 else None,
    delete_model,
    lambda w: logged_models.set_logged_model_tags(w.who(), w.any(LoggedModel), tags=w.pairs()),
    lambda w: logged_models.delete_logged_model_tag(w.who(), w.any(LoggedModel), key=w.chance.choice(KEYS)),
    lambda w: logged_models.log_logged_model_params(w.who(), w.any(LoggedModel), params=w.pairs()),
    lambda w: model_files.put_model_file(w.who(), w.any(LoggedModel), path="m/f", stored=stored(w.text().encode())),
    lambda w: model_files.delete_model_files(w.who(), w.any(LoggedModel), path="m"),
    lambda w: links.log_outputs(w.who(), w.run(), outputs=[(w.any(LoggedModel), w.chance.choice(WHOLE))]),
    lambda w: links.log_run_inputs(w.who(), w.run(), datasets=[_dataset(w)], models=[w.any(LoggedModel)]),
]
MOVES = [
    *PEOPLE,
    *EXPERIMENTS,
    *RUNS,
    *RUNS,
    *MODELS,
    *DATASETS,
    *PROMOTIONS,
    *REGISTRY,
    *COMPLIANCE,
    *REPORTS,
    *TRANSFERS,
    *RUNNER,
    *SHEETS,
    *KEEPING,
    *BOARDS,
]
QUIET = {
    "accounts.choose_theme",
    "accounts.keep_setting",
    *QUIET_CONTENT,
    *QUIET_POINTS,
}  # they say nothing that anybody has to prove: no event


def _dataset(walk: Walk) -> inputs.DatasetInput:
    return inputs.DatasetInput(
        f"data{walk.chance.randrange(3)}",
        walk.text()[:30],
        source=walk.text(),
        tags={"mlflow.data.context": walk.text()},
    )


def take(walk: Walk, moves: list[Move], steps: int) -> None:
    """So many random moves; refusals are part of ordinary use. The sequencer comes by now and then."""
    sequencer = Sequencer()
    for step in range(steps):
        try:
            walk.chance.choice(moves)(walk)
        except (MledError, IndexError):  # refused, or nothing there yet to do it to
            continue
        if step % 37 == 0:
            sequencer.run_once()


def came_by() -> set[str]:
    """The verbs of what was done so far."""
    return set(AuditEvent.objects.filter(outcome="done").values_list("verb", flat=True))


# What there has to be before somebody can do it, and what is left behind by others' calls.
COMES_OF = {
    "cancel_report": {"request_report"},
    "change_role": {"add_member"},
    "delete_alias": {"_set_alias"},
    "delete_model_files": {"put_model_file"},
    "dismiss": {"appoint"},
    "dismiss_member": {"appoint_member"},
    "remove_from_group": {"add_to_group"},
    "remove_member": {"add_member"},
    "withdraw_access": {"grant_access"},
    "withdraw_sight": {"grant_sight"},
    "withdraw_submission": {"submit_run"},
    **{verb: {"request_report", "build_report"} for verb in ("begin_report", "issue_report", "download_report")},
}


def leading_to(verbs: set[str]) -> list[Move]:
    """The moves that call one of these actions, or what leads to it, themselves or by a function of their module."""
    names = {verb.partition(".")[2] for verb in verbs}
    names |= {before for name in names for before in COMES_OF.get(name, ())}
    return [move for move in MOVES if names & _called_by(move)]


def _called_by(move: Move) -> set[str]:
    called = set(move.__code__.co_names)
    own = [move.__globals__.get(name) for name in called]
    return called.union(*(one.__code__.co_names for one in own if isinstance(one, FunctionType)))


def test_a_random_walk_through_every_action_verifies() -> None:
    walk = Walk(seed=20_261_122)
    take(walk, MOVES, STEPS)
    for _ in range(100):  # until the rarest of them came by
        missing = set(ACTIONS) - QUIET - came_by()
        if not missing:
            break
        rare = leading_to(missing)
        take(walk, [*MOVES, *rare * (len(MOVES) // max(len(rare), 1))], 100)  # every other one of the rare
    findings = verify_ledger()
    assert findings.is_sound, findings.problems
    Sequencer().run_until_empty()
    findings = verify_ledger()
    assert findings.is_sound, findings.problems
    assert set(ACTIONS) - came_by() == QUIET


def test_every_call_of_the_mlflow_door_in_any_order_verifies() -> None:
    walk = Walk(seed=7)
    engineer = Mlflow(a_token(walk.team.engineer)[1], f"/mlflow/{walk.team.project.slug}")
    for _ in range(sized(3, 30)):
        for route in walk.chance.sample(SERVED, len(SERVED)):
            answer = engineer.make(good_request(route, walk.things))
            assert answer.status_code < 500 or answer.status_code == NotServed.status, route.path
        take(walk, RUNS, 20)
    Sequencer().run_until_empty()
    findings = verify_ledger()
    assert findings.is_sound, findings.problems


def test_forms_and_rest_in_any_order_verify() -> None:
    walk = Walk(seed=11)
    slug = walk.team.project.slug
    for _ in range(sized(150, 1500)):
        person = walk.chance.choice([walk.team.scientist, walk.team.engineer, walk.team.manager])
        pages = Client()
        pages.force_login(user_of(person), backend="accounts.backends.EmailBackend")
        rest = Client(headers={"authorization": f"Bearer {a_token(person, scopes=list(Scope))[1]}"})
        run, place, reason = walk.run().uid.hex, walk.any(Experiment).pk, {"reason": walk.text()}
        experiment = f"/api/v1/projects/{slug}/experiments/{place}"
        forms = [
            *((f"/r/{run}/do/{verb}/", reason) for verb in ("lock", "unlock", "delete", "restore")),
            (f"/p/{slug}/experiments/", {"name": unique(walk.text())}),
            *((f"/p/{slug}/experiments/{place}/do/{verb}/", {**reason, "name": unique("again")})
              for verb in ("rename", "delete", "restore")),
            (f"/p/{slug}/direction/", {"key": "a", "better": walk.chance.choice(("higher", "lower"))}),
            ("/me/", {"name": walk.text()}),
            ("/me/tokens/", {"name": walk.text(), "days": "7", "scopes": "read"}),
        ]  # fmt: skip
        calls = [
            (f"/api/v1/projects/{slug}/experiments/", {"name": unique(walk.text()), "tags": walk.pairs()}),
            *((f"{experiment}/{verb}/", reason) for verb in ("delete", "restore")),
            ("/api/v1/tokens/", {"name": walk.text(), "scopes": ["log"], "days": 3}),
        ]
        assert pages.post(*walk.chance.choice(forms)).status_code < 500
        where, what = walk.chance.choice(calls)
        assert rest.post(where, what, content_type="application/json").status_code < 500
    Sequencer().run_until_empty()
    findings = verify_ledger()
    assert findings.is_sound, findings.problems
