"""What code is wanted: a built-in trainer, a repository, or something uploaded; and its command."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from accounts.models import Project
from artifacts.paths import checked_folder
from artifacts.queries.uploads import finished_blobs
from experiments.queries.runs import get_run
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound
from runner import command_words
from runner.checking_secrets import no_secret, secrets_gone
from runner.models import Recipe
from runner.queries.recipes import code_of_run, find_recipe
from runner.recipes import Draft, draft_of
from runner.repositories import checked_repository
from runner.trainers import trainer

SOURCES: Final = ("trainer", "repository", "code", "code_of", "recipe")
URL_MAX: Final = 1000
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_URL: Final = re.compile(r"(?:https?|ssh|git)://[^\s/]+/\S+|[\w.-]+@[\w.-]+:\S+")
_SECRET: Final = re.compile(r"\w+://[^/@\s]*:[^/@\s]*@|https?://[^/@\s]+@")

Try = Callable[[Callable[[], Any]], Any]


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for what, in which project; attempt: does something, and notes what is wrong with it.

    is_open: of a template, which leaves data and parameters for later.
    """

    viewer: Actor
    project: Project
    wanted: Mapping[str, Any]
    attempt: Try
    is_open: bool = False

    def said(self, name: str) -> Any:
        """What is wanted under this name, None for nothing."""
        value = self.wanted.get(name)
        return None if value in ("", {}, []) else value


def code_draft(asking: Asking) -> Draft:
    """The part of the draft that says what is run: kind, code and command."""
    named = [name for name in SOURCES if asking.said(name) is not None]
    if set(named) in ({"repository", "code"}, {"repository", "code_of"}):  # a bundle, or a patch, of a repository
        named = ["repository"]
    if len(named) > 1:
        asking.attempt(lambda: _too_many(named))
    if not named:
        if asking.said("template") is None:  # one that cannot be had is told already
            asking.attempt(_nothing)
        return Draft(Recipe.Kind.FOLDER)
    reader = {
        "trainer": _of_trainer, "repository": _of_repository, "code": _of_upload, "code_of": _of_run,
        "recipe": _of_recipe,
    }[named[0]]  # fmt: skip
    found: Draft | None = asking.attempt(lambda: reader(asking))
    if found is None or found.kind == Recipe.Kind.TRAINER:
        return found or Draft(Recipe.Kind.FOLDER)
    folder = asking.attempt(lambda: _folder(asking, found.folder))
    words = asking.attempt(lambda: _words(asking, found))
    return replace(found, folder=folder or "", words=tuple(words or ()))


def _too_many(named: list[str]) -> None:
    raise Invalid(f"Say one thing to run, not {' and '.join(named)}.", field=named[1])


def _nothing() -> None:
    raise Invalid(
        "Say what to run.",
        hint="A built-in trainer, a repository with a commit, uploaded code, or a template.",
        field="trainer",
    )


def _of_trainer(asking: Asking) -> Draft:
    return trainer_draft(_text(asking.said("trainer"), "trainer"))


def trainer_draft(name: str) -> Draft:
    """A built-in trainer as it is now. Raises NotFound."""
    built_in = trainer(name)
    return Draft(Recipe.Kind.TRAINER, trainer=built_in.name, trainer_digest=built_in.digest, words=built_in.words)


def _of_repository(asking: Asking) -> Draft:
    said = asking.said("repository")
    if not isinstance(said, Mapping):
        raise Invalid("A repository is an object with url and commit.", field="repository")
    bundle, name = _uploaded(asking, "code")
    url = asking.attempt(lambda: _url(said.get("url"), needed=not bundle))
    commit = asking.attempt(lambda: _commit(said.get("commit")))
    secret = asking.attempt(lambda: _secret_of_repository(asking, said.get("secret"), url or ""))
    before = asking.attempt(lambda: _of_run(asking)) if asking.said("code_of") else None
    return Draft(
        Recipe.Kind.REPOSITORY,
        repository=url or "",
        repository_secret=secret or "",
        commit=commit or "",
        code=bundle or (before.code if before else ""),
        code_name=name or (before.code_name if before else ""),
        patch=_uploaded(asking, "patch")[0] or (before.patch if before else ""),
    )


def _url(said: Any, *, needed: bool) -> str:
    if not said and not needed:
        return ""
    url = _text(said, "repository.url").strip()
    if _SECRET.search(url):
        raise Invalid(
            "The address holds a password or token, which would be kept with the recipe.",
            hint="Leave it out, keep it as a secret of the project, and name that.",
            field="repository.url",
        )
    if len(url) > URL_MAX or not _URL.fullmatch(url) or url.startswith("-"):
        hint = "https://…, ssh://… or git@host:path. What lies on your machine is sent as a git bundle."
        raise Invalid(f"'{url[:80]}' is no address of a repository.", hint=hint, field="repository.url")
    return checked_repository(url, "repository.url") if needed else url


def _secret_of_repository(asking: Asking, said: Any, url: str) -> str:
    """The name of the secret that opens the repository; '' for none."""
    if not said:
        return ""
    name = _text(said, "repository.secret").strip()
    if url and not url.startswith(("https://", "http://")):
        hint = "By ssh a worker goes with keys of its own. Give the address as https://…"
        raise Invalid("A secret opens addresses of https.", hint=hint, field="repository.secret")
    if secrets_gone(asking.project, [name]):
        raise no_secret(name, "repository.secret")
    return name


def _commit(said: Any) -> str:
    commit = _text(said, "repository.commit").strip().lower()
    if not _COMMIT.fullmatch(commit):
        raise Invalid(
            f"'{commit[:80]}' is no full commit.",
            hint="A branch or tag may move, so a run needs the 40 digits that git rev-parse HEAD says.",
            field="repository.commit",
        )
    return commit


def _of_upload(asking: Asking) -> Draft:
    code, name = _uploaded(asking, "code")
    return Draft(Recipe.Kind.FOLDER, code=code, code_name=name or "code.zip")


def _uploaded(asking: Asking, field: str) -> tuple[str, str]:
    """The digest of what an upload of the viewer's became, and what its file is called; '' and '' for none."""
    said = asking.said(field)
    if said is None:
        return "", ""
    try:
        stored = finished_blobs(asking.viewer, asking.project, [_text(said, field)])[0]
    except MledError as error:
        raise Invalid(error.message, hint=error.hint, field=field) from error
    name = asking.said("code_name") if field == "code" else ""
    return stored.digest, checked_folder(_text(name, "code_name"), "code_name").rsplit("/", 1)[-1] if name else ""


def _of_run(asking: Asking) -> Draft:
    """The code that a run of this project was done with, of what was launched here or kept with its files."""
    said = _text(asking.said("code_of"), "code_of")
    try:
        run = get_run(asking.viewer, said, project=asking.project)
    except MledError as error:
        raise NotFound(error.message, hint=error.hint, field="code_of") from error
    return _as_now(code_of_run(asking.viewer, run))


def _of_recipe(asking: Asking) -> Draft:
    said = _text(asking.said("recipe"), "recipe")
    try:
        return _as_now(draft_of(find_recipe(asking.viewer, UUID(said), project=asking.project)))
    except (ValueError, NotFound):
        raise NotFound("No such recipe was found in this project.", field="recipe") from None


def _as_now(kept: Draft) -> Draft:
    return trainer_draft(kept.trainer) if kept.kind == Recipe.Kind.TRAINER else kept


def _folder(asking: Asking, before: str) -> str:
    said = asking.said("folder")
    return checked_folder(_text(said, "folder"), "folder") if said else before


def _words(asking: Asking, found: Draft) -> list[str]:
    words, command = asking.said("words"), asking.said("command")
    if words is not None:
        return command_words.checked(words)
    if command is not None:
        return command_words.checked(command_words.split(_text(command, "command")), field="command")
    if found.words:
        return list(found.words)
    if found.code_name.endswith((".py", ".ipynb")):
        return ["python", found.code_name]
    raise Invalid("Say what to run.", hint="python train.py", field="command")


def _text(said: Any, field: str) -> str:
    if not isinstance(said, str) or not said.strip():
        raise Invalid(f"'{field.rpartition('.')[2]}' is needed, as a text.", field=field)
    return said
