"""What shall be run on the server, put together from options: the JSON that launching and sweeps take."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click

from mled.capture.code import code_in
from mled.here import Here
from mled.packing import pack
from mled.problems import Problem, Told, Usage
from mled.records import pairs_of

Json = dict[str, Any]
ARCHIVE: Final = "code.tar.gz"
_SIZES: Final = {"": 1, "mb": 1, "m": 1, "gb": 1024, "g": 1024, "tb": 1024**2, "t": 1024**2}
_SPANS: Final = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.IGNORECASE)
_FLAGS: Final = {
    "trainer": "--trainer",
    "template": "--template",
    "repository": "--repository",
    "repository.url": "--repository",
    "repository.commit": "--commit",
    "repository.secret": "--repository-secret",
    "code": "--folder",
    "folder": "--within",
    "seed": "--seed",
    "name": "--name",
    "tags": "--tag",
    "queue": "--queue",
    "priority": "--priority",
    "retries": "--retries",
    "experiment": "--experiment",
    "command": "-- COMMAND",
    "words": "-- COMMAND",
    "environment": "--requirements",
    "environment.requirements": "--requirements",
    "environment.lock": "--lock",
    "environment.project_file": "--lock",
    "environment.image": "--image",
    "environment.secret": "--image-secret",
    "inputs": "--data",
    "network": "--network",
    "secrets": "--secret",
    "resources.cpus": "--cpus",
    "resources.memory_mb": "--memory",
    "resources.disk_mb": "--disk",
    "resources.seconds": "--time",
    "resources.gpus": "--gpus",
    "jobs_max": "--runs",
    "seconds_max": "--budget",
    "at_once": "--at-once",
    "sweep_seed": "--draw-seed",
    "experiment_name": "--experiment",
}

_OPTIONS: Final = (
    click.option("--trainer", default="", metavar="NAME", help="A trainer that the server brings along."),
    click.option("--template", default="", metavar="NAME|ID", help="A template of the project."),
    click.option("--repository", default="", metavar="URL", help="A git repository, with --commit."),
    click.option("--commit", default="", metavar="SHA", help="All 40 digits of it."),
    click.option("--repository-secret", default="", metavar="NAME", help="A secret of the project that opens it."),
    click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None,
                 help="Send this folder; without any of these, the one you are in."),
    click.option("--within", default="", metavar="PATH", help="Where in the code the command starts."),
    click.option("--param", multiple=True, metavar="KEY=VALUE", help="A parameter; {KEY} in the command is its value."),
    click.option("--seed", type=int, default=None, help="A whole number."),
    click.option("--data", multiple=True, metavar="NAME='DATASET vN'", help="A dataset version, as /inputs/NAME."),
    click.option("--requirements", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None,
                 help="Its packages; without it, uv.lock or requirements.txt of the folder."),
    click.option("--lock", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None,
                 help="A uv.lock, beside its pyproject.toml."),
    click.option("--image", default="", metavar="NAME", help="In place of packages, the container image it runs in."),
    click.option("--image-secret", default="", metavar="NAME", help="A secret of the project that opens its registry."),
    click.option("--cpus", type=float, default=None, help="Processors."),
    click.option("--memory", default="", metavar="4GB", help="At most so much; MB without a unit."),
    click.option("--disk", default="", metavar="10GB", help="At most so much written."),
    click.option("--time", "span", default="", metavar="2h", help="At most so long; seconds without a unit."),
    click.option("--gpus", type=int, default=None, help="How many it needs."),
    click.option("--network", is_flag=True, help="With a network, where the project allows it."),
    click.option("--secret", multiple=True, metavar="NAME", help="A secret of the project, as a variable."),
    click.option("--experiment", default="", help="The experiment it belongs to; a new name makes one."),
    click.option("--name", default="", help="Of the run; without it two words are invented."),
    click.option("--tag", multiple=True, metavar="KEY=VALUE", help="A tag; several times."),
    click.option("--queue", default="", help="Whose workers do it."),
    click.option("--retries", type=int, default=None, help="How often again where its worker is lost."),
    click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND…]"),
)  # fmt: skip


def what_to_run(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which a command learns what to run."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def wanted_of(here: Here, said: Mapping[str, Any], wrong: Told | None = None) -> Json:
    """The JSON for those options. A folder is packed and sent. wrong: what is wrong with other options.

    Raises Problem, with all that is wrong with the options at once; then nothing is sent.
    """
    wrong = wrong or Told()
    for look in (_one_thing, _one_file_of_packages, _one_command):
        with wrong:
            look(said)
    wanted: Json = {
        "secrets": list(said["secret"]),
        "name": said["name"],
        "queue": said["queue"],
        "folder": said["within"],
        "words": list(said["words"]),
        "trainer": said["trainer"],
    }
    if said["template"]:
        with wrong:
            wanted["template"] = _template(here, said["template"])
    if said["repository"]:
        repository = {"url": said["repository"], "commit": said["commit"], "secret": said["repository_secret"]}
        wanted["repository"] = {name: value for name, value in repository.items() if value or name != "secret"}
    with wrong:
        wanted["params"] = {key: scalar(value) for key, value in pairs_of(said["param"], "--param").items()}
    with wrong:
        wanted["inputs"] = pairs_of(said["data"], "--data")
    folder = None if said["trainer"] or said["template"] or said["repository"] else said["folder"] or Path.cwd()
    with wrong:
        wanted["environment"] = _environment(here, said, folder)
    wanted["resources"] = _resources(said, wrong)
    with wrong:
        wanted["tags"] = pairs_of(said["tag"], "--tag")
    wanted |= {name: said[name] for name in ("seed", "retries") if said[name] is not None}
    if said["network"]:
        wanted["network"] = True
    wrong.settle()
    if said["experiment"]:
        wanted |= {"experiment_name": said["experiment"], "new_experiment": True}
    if folder is not None:
        wanted |= {"code": _sent(here, folder), "code_name": ARCHIVE}
        wanted["tags"] = {**code_in(folder).tags(), **wanted["tags"]}
    return {name: value for name, value in wanted.items() if value not in ("", {}, [], None)}


def scalar(text: str) -> Any:
    """A number, true or false where the text is one; else the text."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, str | int | float | bool) else text


def asked_again(problem: Problem) -> Problem:
    """A refusal, told by the options rather than by the fields behind them."""
    told = [{**one, "field": _flag(one.get("field", ""))} for one in problem.problems]
    return type(problem)(
        problem.message,
        hint=problem.hint,
        field=_flag(problem.field),
        code=problem.code,
        status=problem.status,
        request_id=problem.request_id,
        problems=told,
        body=problem.body,
    )


def _flag(field: str) -> str:
    if field.startswith(("params.", "space.")):
        option = "--param" if field.startswith("params.") else "--over"
        return f"{option} {field.partition('.')[2]}"
    if field.startswith("inputs."):
        return f"--data {field.partition('.')[2]}"
    return _FLAGS.get(field, field)


def _one_thing(said: Mapping[str, Any]) -> None:
    named = [f"--{name}" for name in ("trainer", "template", "repository", "folder") if said[name]]
    if len(named) > 1:
        raise Usage(f"Say one thing to run, not {' and '.join(named)}.", field=named[1])
    if said["repository_secret"] and not said["repository"]:
        raise Usage("A secret opens a repository.", hint="Name it: --repository URL.", field="--repository-secret")


def _one_file_of_packages(said: Mapping[str, Any]) -> None:
    if said["requirements"] and said["lock"]:
        raise Usage("Packages come from one file.", hint="--requirements or --lock.", field="--lock")
    if said["image"] and (said["requirements"] or said["lock"]):
        raise Usage("An image has its packages within.", hint="Leave out --requirements and --lock.", field="--image")
    if said["image_secret"] and not said["image"]:
        raise Usage("This secret opens an image.", hint="Name it: --image NAME.", field="--image-secret")


def _one_command(said: Mapping[str, Any]) -> None:
    if said["trainer"] and said["words"]:
        raise Usage("A trainer has its command.", hint="Leave out what follows --.", field="-- COMMAND")
    if not (said["trainer"] or said["template"] or said["words"]):
        raise Usage("Which command?", hint="mled launch -- python train.py --lr {lr}", field="-- COMMAND")


def _resources(said: Mapping[str, Any], wrong: Told) -> Json:
    found = {"cpus": said["cpus"], "gpus": said["gpus"]}
    amounts = (("memory_mb", "memory", _SIZES), ("disk_mb", "disk", _SIZES), ("seconds", "span", _SPANS))
    for name, option, units in amounts:
        with wrong:
            found[name] = _amount(said[option], units, "--time" if option == "span" else f"--{option}")
    return {name: value for name, value in found.items() if value is not None}


def _amount(text: str, units: Mapping[str, int], flag: str) -> int | None:
    """A number with a unit, in the smallest one."""
    if not text.strip():
        return None
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or found[2].lower() not in units:
        known = ", ".join(unit for unit in units if unit)
        raise Usage(f"'{text[:40]}' is no amount.", hint=f"A number with one of {known}.", field=flag)
    return round(float(found[1]) * units[found[2].lower()])


def seconds_of(text: str, flag: str) -> int | None:
    """A span of time in seconds; None for ''. Raises Usage."""
    return _amount(text, _SPANS, flag)


def _environment(here: Here, said: Mapping[str, Any], folder: Path | None) -> Json | None:
    if said["image"]:
        named = {"image": said["image"], "secret": said["image_secret"]}
        return {name: value for name, value in named.items() if value}
    if said["requirements"]:
        return {"requirements": _text(said["requirements"], "--requirements")}
    lock = said["lock"]
    if lock is None and folder is not None:
        lock = folder / "uv.lock" if (folder / "uv.lock").is_file() else None
        plain = folder / "requirements.txt"
        if lock is None and plain.is_file():
            here.show.note(f"Packages by {plain.name}.")
            return {"requirements": _text(plain, "--requirements")}
    if lock is None:
        return None
    here.show.note(f"Packages by {lock.name}.")
    return {"lock": _text(lock, "--lock"), "project_file": _text(lock.parent / "pyproject.toml", "--lock")}


def _text(path: Path, flag: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Usage(f"{path} cannot be read: {words}.", field=flag) from None


def _sent(here: Here, folder: Path) -> str:
    """The folder as an upload; the same content sends nothing a second time."""
    with TemporaryDirectory(prefix="mled-") as scratch:
        archive = Path(scratch) / ARCHIVE
        packed = pack(folder, archive)
        for name in packed.secret:
            here.show.note(f"Left out: {name}, which by its name holds secrets.")
        here.show.note(f"Sending {packed.files} files of {folder}.")
        with here.show.progress(f"Sending {folder.name}", archive.stat().st_size) as ticks:
            return here.client.upload(archive, project=here.project, ticks=ticks)


def _template(here: Here, said: str) -> str:
    rows = list(here.connection.pages(f"projects/{here.project}/run-templates/"))
    found = [one for one in rows if said in (one["id"], one["name"])]
    if not found:
        known = ", ".join(one["name"] for one in rows[:12])
        hint = f"There are: {known}." if known else "The project has none yet."
        raise Usage(f"There is no template '{said[:60]}'.", hint=hint, field="--template")
    return str(found[0]["id"])
