"""The people, projects and sweeps of the demonstration."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from accounts.actions.members import add_member, appoint, appoint_member
from accounts.actions.projects import create_project
from accounts.actions.users import create_user
from accounts.models import Project, User
from accounts.roles import Role
from artifacts.models import DatasetVersion
from audit.compliance.actions.reviews import submit_run
from experiments.actions.experiments import create_experiment, set_metric_direction
from experiments.actions.runs import create_run, lock_run, update_run
from experiments.models import Experiment, Run
from experiments.values import RunStatus
from kernel.actor import Actor, ActorKind, Door, operator
from kernel.clock import now_ms
from mled_site.demo.boards import wine_board
from mled_site.demo.data import bed_data, pump_data, recall
from mled_site.demo.decisions import pump_decisions, pump_goal
from mled_site.demo.jobs import pump_jobs
from mled_site.demo.models import bed_models, pump_models
from mled_site.demo.networks import Settings, alarm_metrics, forecast_metrics
from mled_site.demo.record import note, trained_run
from mled_site.demo.tasks import bed_demand, pump_alarms

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody of the demonstration, and what they are."""

    email: str
    name: str
    role: Role


PEOPLE = (
    DemoPerson("ada@demo.mled", "Ada Lindqvist", Role.DATA_SCIENTIST),
    DemoPerson("tomas@demo.mled", "Tomás Ferreira", Role.ML_ENGINEER),
    DemoPerson("priya@demo.mled", "Priya Raman", Role.PROJECT_MANAGER),
    DemoPerson("mei@demo.mled", "Mei Tanaka", Role.AUDITOR),
    DemoPerson("root@demo.mled", "Robin Adeyemi", Role.ADMINISTRATOR),
)


def build(password: str, say: Say) -> None:
    """Make everything. Takes some seconds: the models are really trained."""
    users = {person.email: _person(person, password) for person in PEOPLE}
    pumps = _project("pump-alarms", "Pump alarms", "Warn before a pump's bearing fails.", users)
    beds = _project("bed-demand", "Bed demand", "Forecast tomorrow's beds from the last four weeks.", users)
    ada, tomas, priya = (_actor(users[f"{name}@demo.mled"]) for name in ("ada", "tomas", "priya"))
    say("Training models for Pump alarms …")
    first, second = pump_alarms(1), pump_alarms(2)
    old, new = pump_data(ada, pumps, first, second)
    runs = _pump_runs(ada, tomas, pumps, old, new)
    say("Registering and promoting them …")
    pump_models(ada, tomas, priya, pumps, runs, password)
    recall(tomas, old)
    pump_jobs(ada, pumps)
    pump_goal(priya, pumps)
    pump_decisions(priya, pumps, runs)
    say("Training models for Bed demand …")
    _bed(tomas, beds)
    say("Submitting entries to the board of a wine course …")
    wine = _project("wine-course", "Wine quality, autumn course", "A course's first task.", users)
    wine_board(_actor(users["priya@demo.mled"]), wine)


def _person(person: DemoPerson, password: str) -> User:
    user = create_user(operator(), email=person.email, name=person.name, password=password)
    if person.role is Role.ADMINISTRATOR:
        appoint(operator(), user=user, role=person.role)
    return user


def _project(slug: str, name: str, purpose: str, users: dict[str, User]) -> Project:
    project = create_project(operator(), slug=slug, name=name, purpose=purpose)
    for person in PEOPLE:
        give = {Role.AUDITOR: appoint_member}.get(person.role, add_member)
        if person.role is not Role.ADMINISTRATOR:
            give(operator(), project, role=person.role, user=users[person.email])
    return project


def _actor(user: User) -> Actor:
    return Actor(ActorKind.USER, Door.COMMAND, user_id=user.id, user_name=user.name, client="seed_demo")


def _pump_runs(ada: Actor, tomas: Actor, project: Project, old: DatasetVersion, new: DatasetVersion) -> list[Run]:
    """Gives a linear run, the best of the sweep, and the long one."""
    for key, higher in {"val/auroc": True, "val/accuracy": True, "val/ece": False, "train/loss": False}.items():
        set_metric_direction(ada, project, key=key, higher_is_better=higher)
    first = create_experiment(ada, project, name="alarms/baseline", tags={"question": "Is a linear model enough?"})
    linear = [
        trained_run(
            ada,
            first,
            pump_alarms(1),
            Settings(hidden=0, seed=seed),
            alarm_metrics,
            data=old,
            tags={"cohort": "v1"},
            draws=False,
        )
        for seed in (17, 18, 19)
    ]
    wide = create_experiment(ada, project, name="alarms/width", tags={"question": "How many hidden units?"})
    swept = _sweep(ada, wide, new)
    stopped = _mishaps(tomas, wide, new)
    patient = Settings(hidden=32, lr=0.3, epochs=120, schedule="cosine")
    best = trained_run(ada, wide, pump_alarms(2), patient, alarm_metrics, data=new, name="mlp-32-long")
    note(ada, best, "Three times the epochs of the sweep. **Calibration** still drifts above 0.7.", stage="candidate")
    lock_run(ada, best)
    submit_run(tomas, stopped, comment="Stopped by hand: is what it logged of use?")
    return [linear[0], swept, best]


def _sweep(actor: Actor, experiment: Experiment, data: DatasetVersion) -> Run:
    """Gives its widest run at the highest rate, which comes out best."""
    parent = create_run(actor, experiment, name="sweep-width-lr", started_ms=now_ms())
    tags = {"mlflow.parentRunId": parent.uid.hex, "cohort": "v2"}
    for hidden in (4, 8, 16, 32):
        for lr in (0.05, 0.1, 0.3):
            tried = Settings(hidden=hidden, lr=lr)
            last = trained_run(actor, experiment, pump_alarms(2), tried, alarm_metrics, data=data, tags=tags)
    update_run(actor, parent, status=RunStatus.FINISHED, ended_ms=now_ms())
    return last


def _mishaps(actor: Actor, experiment: Experiment, data: DatasetVersion) -> Run:
    """Runs go wrong, and the record keeps it: one is stopped, which it gives, and one goes on."""
    slow = Settings(hidden=64, lr=0.02, epochs=60)
    stopped = trained_run(
        actor, experiment, pump_alarms(2), slow, alarm_metrics, data=data, name="mlp-64-slow", stop_after=400
    )
    create_run(actor, experiment, name="waiting-for-sensor-data", started_ms=now_ms(), tags={"cohort": "v3"})
    return stopped


def _bed(actor: Actor, project: Project) -> None:
    for key in ("val/mape", "val/rmse", "train/loss"):
        set_metric_direction(actor, project, key=key, higher_is_better=False)
    task = bed_demand()
    data = bed_data(actor, project, task)
    daily = create_experiment(actor, project, name="daily-forecast")
    base = Settings(hidden=0, lr=0.05, batch_size=32, epochs=30)
    runs = [
        trained_run(actor, daily, task, settings, forecast_metrics, data=data)
        for settings in (base, replace(base, weight_decay=0.01), replace(base, hidden=8), replace(base, hidden=24))
    ]
    wild = replace(base, lr=2.0)
    trained_run(
        actor, daily, task, wild, forecast_metrics, data=data, name="lr-far-too-high", tags={"note": "diverges"}
    )
    bed_models(actor, project, [runs[0], runs[-1]])
