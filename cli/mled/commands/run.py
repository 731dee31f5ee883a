"""run: do an experiment and have everything about it recorded."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from mled.capture.doing import Doing, done, require_program
from mled.capture.record import Recording, input_of
from mled.capture.secrecy import masked
from mled.capture.usage import EVERY
from mled.commands.runs import run_link
from mled.here import Here, command
from mled.problems import Told
from mled.records import pairs_of


@command("run")
@click.option("--experiment", default="", help="The experiment it belongs to; a new name makes one.")
@click.option("--name", default="", help="Of the run; without it two words are invented.")
@click.option("--param", multiple=True, metavar="KEY=VALUE", help="A hyperparameter; several times.")
@click.option("--tag", multiple=True, metavar="KEY=VALUE", help="A tag; several times.")
@click.option("--dataset", "datasets", multiple=True, metavar="'NAME vN'", help="A version of the catalogue it uses.")
@click.option("--output", "outputs", multiple=True, metavar="PATH", help="A file or folder to keep when it is over.")
@click.option("--every", default=EVERY, type=click.FloatRange(0.1, 3600), show_default=True, help="Seconds of curves.")
@click.option("--no-patch", is_flag=True, help="Do not keep what is not committed.")
@click.option("--no-console", is_flag=True, help="Do not keep what it prints.")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND…")
def run(
    here: Here,
    words: Sequence[str],
    experiment: str,
    name: str,
    param: Sequence[str],
    tag: Sequence[str],
    datasets: Sequence[str],
    outputs: Sequence[str],
    every: float,
    no_patch: bool,
    no_console: bool,
) -> None:
    """Run a command and record it: code with what is not committed, packages, machine, console, what it used, how it
    ended.

    \b
    mled run --experiment baseline -- python train.py --lr 0.1

    A script that logs with MLflow writes into the same run, unchanged. The exit code is that of the command.
    """
    folder = Path.cwd()
    require_program(words, folder)
    wrong, tags, params = Told(), dict[str, str](), dict[str, str]()
    with wrong:
        params = pairs_of(param, "--param")
    with wrong:
        tags = pairs_of(tag, "--tag")
    wrong.settle()
    project = here.project
    doing = Doing(
        project=project,
        words=words,
        folder=folder,
        experiment=experiment,
        name=name,
        tags={**source_tags(words), **tags},
        params=params,
        inputs=[input_of(here.client, project, text) for text in datasets],
        outputs=outputs,
        every=every,
        keeps_patch=not no_patch,
        keeps_console=not no_console,
    )
    recording, ended = done(here.client, doing, begun=lambda one: tell_begun(here, one), told=here.show.note)
    here.show.note(f"{recording.run['readable_id']} is {ended.status.lower()}, exit code {ended.code}.")
    click.get_current_context().exit(ended.code)


def source_tags(words: Sequence[str]) -> dict[str, str]:
    """The command as MLflow's own tags of it; values whose names say that they are secret are not told."""
    return {"mlflow.source.name": shlex.join(masked(words)), "mlflow.source.type": "LOCAL"}


def tell_begun(here: Here, recording: Recording) -> None:
    """Where it can be watched."""
    here.show.note(f"Recording {recording.run['readable_id']}: {run_link(here, dict(recording.run))}")
