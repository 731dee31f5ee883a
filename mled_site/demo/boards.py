"""The demonstration's public board: a course whose people need no account."""

from datetime import timedelta

import numpy as np

from accounts.models import Project
from boards.actions.boards import Terms, open_board
from boards.actions.entries import submit_entry
from boards.claims import as_contributor, new_secret
from boards.models import Board
from boards.wanted import Wanted
from kernel.actor import Actor, Door, anonymous
from kernel.clock import now
from mled_site.demo.networks import Network, Settings, forecast_metrics
from mled_site.demo.tasks import Task, wine_ratings

INSTRUCTIONS = """Rate a wine from 11 lab values: acidity, sugar, sulphates, alcohol and so on.

1. Take the training file of the course folder; split it as you like.
2. Measure once on the test file. The lowest RMSE is best.
3. Say what you tried as hyperparameters, so that others can learn from it. A link to your code lets them repeat it.
"""
PEOPLE = (
    "s.ito", "m.roux", "k.adeyemi", "p.novak", "j.silva", "a.kim", "l.brandt", "r.osei", "t.huang", "e.costa", "n.ali",
)  # fmt: skip
TRIED = tuple(
    Settings(hidden=hidden, lr=lr, batch_size=batch, epochs=epochs, weight_decay=decay, seed=seed)
    for hidden, lr, batch, epochs, decay, seed in (
        (0, 0.05, 64, 10, 0.0, 1),
        (0, 0.2, 32, 40, 0.0, 2),
        (4, 0.05, 64, 20, 0.0, 3),
        (4, 0.2, 64, 40, 0.0, 17),
        (8, 0.05, 32, 20, 0.0, 4),
        (8, 0.1, 32, 60, 0.001, 5),
        (8, 0.4, 64, 40, 0.0, 6),
        (16, 0.05, 64, 10, 0.0, 7),
        (16, 0.1, 32, 40, 0.001, 17),
        (16, 0.3, 64, 80, 0.0001, 8),
        (32, 0.02, 64, 20, 0.0, 9),
        (32, 0.1, 64, 60, 0.001, 10),
        (32, 0.3, 32, 60, 0.001, 11),
        (64, 0.1, 64, 40, 0.01, 12),
    )
)


def wine_board(priya: Actor, project: Project) -> Board:
    """A board with an entry for each of TRIED, really trained, most of them by people without an account."""
    board = open_board(
        priya,
        project,
        terms=Terms(
            question="Predict the rating of a wine from 11 lab values.",
            instructions=INSTRUCTIONS,
            result_key="rmse",
            result_label="RMSE on the test file",
            is_lower_better=True,
            closes_at=now() + timedelta(days=20),
        ),
    )
    task = wine_ratings()
    for number, tried in enumerate(TRIED):
        guest = as_contributor(anonymous(Door.COMMAND), board, new_secret())
        submit_entry(guest, board, wanted=_entry(task, tried, PEOPLE[number % len(PEOPLE)]))
    return board


def _entry(task: Task, tried: Settings, person: str) -> Wanted:
    """What somebody submits who trained that."""
    network = Network(task, tried, classifies=False)
    for _ in network.steps(task):
        pass
    given = network.predict(task.test.x)
    rmse = forecast_metrics(given, task.test.y)["val/rmse"]
    mae = float(np.mean(np.abs(given - task.test.y)))
    return Wanted(
        email=f"{person}@school.example",
        model=f"{tried.hidden} tanh units" if tried.hidden else "linear regression by SGD",
        results=[("rmse", f"{rmse:.4f}"), ("mae", f"{mae:.4f}")],
        params=list(tried.params().items()),
        code=f"https://git.school.example/{person.replace('.', '-')}/wine",
    )
