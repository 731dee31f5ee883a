"""The form that launches: what was typed into it, as the one JSON that `runner.checking` reads, and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.http import QueryDict

from kernel.errors import Invalid
from runner.command_words import line_of
from runner.schemas import guessed

TRAINER, TEMPLATE, REPOSITORY, FOLDER = "trainer", "template", "repository", "folder"
RESOURCES: Final = ("seconds", "memory_mb", "disk_mb", "cpus", "processes", "gpus")
FIELDS: Final = (
    "what", "what_was", "name", "experiment", "url", "url_secret", "commit", "command", "folder", "code", "code_name",
    "code_of", "environment",
    "requirements", "lock", "project_file", "image", "image_secret", "seed",
    "queue", *RESOURCES, "tags", "params_json", "params_json_was",
    "like", "key", "template_name", "template_description",
)  # fmt: skip
TEXT_MAX: Final = 200_000
PARAM, INPUT = "param.", "input."
FREE_INPUTS: Final = 4  # folders of data that code of one's own may be given


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as it was typed. texts: single fields by name; params, inputs: values by the name of theirs; rows: names
    and values of parameters that nothing declares; free_inputs: names and versions where the code declares none."""

    texts: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    rows: Sequence[tuple[str, str]] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    free_inputs: Sequence[tuple[str, str]] = ()
    secrets: Sequence[str] = ()
    network: bool = False

    @classmethod
    def of(cls, post: QueryDict) -> "Typed":
        """What a form sent."""
        return cls(
            texts={name: post.get(name, "")[:TEXT_MAX] for name in FIELDS},
            params=_with_prefix(post, PARAM),
            rows=_pairs(post, "param_key", "param_value"),
            inputs=_with_prefix(post, INPUT),
            free_inputs=_pairs(post, "input_name", "input_version"),
            secrets=post.getlist("secrets"),
            network=bool(post.get("network")),
        )

    @classmethod
    def like(cls, wanted: Mapping[str, Any], texts: Mapping[str, str]) -> "Typed":
        """A form filled with what shall be launched, as `runner.checking` reads it. texts: what that does not say."""
        params = {str(name): as_text(value) for name, value in (wanted.get("params") or {}).items()}
        inputs = {str(name): _version_of(value) for name, value in (wanted.get("inputs") or {}).items()}
        return cls(
            texts={**_texts_of(wanted), **texts},
            params=params,
            rows=list(params.items()),
            inputs=inputs,
            free_inputs=list(inputs.items()),
            secrets=list(wanted.get("secrets") or ()),
            network=bool(wanted.get("network")),
        )

    def text(self, name: str) -> str:
        """A single field, without the space around it."""
        return self.texts.get(name, "").strip()

    @property
    def kind(self) -> str:
        """What is chosen: a trainer, a template, a repository or a folder."""
        return self.text("what").partition(":")[0]

    @property
    def chosen(self) -> str:
        """The name of the trainer, or the id of the template."""
        return self.text("what").partition(":")[2]

    def declares(self, has_schema: bool) -> Mapping[str, Any]:
        """The parameters as they go to be checked: by the fields of a schema, else by rows, typed by their looks."""
        if has_schema:
            return {name: value for name, value in self.params.items() if value.strip()}
        return {name.strip(): _typed(name, value) for name, value in self.rows if name.strip() or value.strip()}

    def wanted(self, *, has_schema: bool, declared_inputs: bool) -> dict[str, Any]:
        """What shall be launched, as `runner.checking` reads it. Whether parameters and data are declared by what is
        chosen says which fields count."""
        pairs = self.inputs.items() if declared_inputs else self.free_inputs
        wanted = {
            **self._code(),
            "params": dict(self.declares(has_schema)),
            "inputs": {name.strip(): version.strip() for name, version in pairs if version.strip()},
            "resources": {name: _number(self.text(name)) for name in RESOURCES if self.text(name)},
            "network": self.network,
            "secrets": list(self.secrets),
        }
        if self.text("seed"):
            wanted["seed"] = _number(self.text("seed"))
        environment = self._environment()
        return {**wanted, "environment": environment} if environment else wanted

    def _code(self) -> dict[str, Any]:
        if self.kind in (TRAINER, TEMPLATE):
            return {self.kind: self.chosen}
        command = {"command": self.text("command"), "folder": self.text("folder")}
        if self.kind == REPOSITORY:
            named = {"url": self.text("url"), "commit": self.text("commit")}
            if self.text("url_secret"):
                named["secret"] = self.text("url_secret")
            found: dict[str, Any] = {"repository": named, **command}
            return {**found, "code_of": self.text("code_of")} if self.text("code_of") else found
        if self.text("code"):
            return {"code": self.text("code"), "code_name": self.text("code_name"), **command}
        return {"code_of": self.text("code_of"), **command} if self.text("code_of") else {"code": "", **command}

    def _environment(self) -> Any:
        if self.kind in (TRAINER, TEMPLATE):
            return None
        chosen = self.text("environment")
        if chosen == "requirements":
            return {"requirements": self.texts["requirements"]}
        if chosen == "lock":
            return {"lock": self.texts["lock"], "project_file": self.texts["project_file"]}
        if chosen == "image":
            named = {"image": self.text("image"), "secret": self.text("image_secret")}
            return {name: value for name, value in named.items() if value or name == "image"}
        return chosen or None

    @property
    def tags(self) -> dict[str, str]:
        """The tags: 'ward=icu-2, window-study', where one without a value is true. Raises Invalid."""
        found: dict[str, str] = {}
        for part in self.text("tags").split(","):
            name, _, value = part.partition("=")
            if not name.strip():
                if part.strip():
                    raise Invalid("A tag has a name before its '='.", hint="ward=icu-2, window-study", field="tags")
                continue
            if name.strip().startswith(("mled.", "mlflow.")):
                raise Invalid("Tags that begin with mled. or mlflow. are set by MLED.", field="tags")
            found[name.strip()] = value.strip() or "true"
        return found

    def with_json(self) -> "Typed":
        """With the parameters of the JSON text where somebody changed it, which is used up. Raises Invalid."""
        text = self.text("params_json")
        if not text or text == self.text("params_json_was"):
            return self.with_texts(params_json="", params_json_was="")  # the fields say what it is now
        try:
            said = json.loads(text)
        except ValueError as error:
            raise Invalid(f"This is not JSON: {error}.", hint='{"lr": 0.1}', field="params_json") from None
        if not isinstance(said, dict) or any(isinstance(value, dict | list) for value in said.values()):
            raise Invalid("This is no object of plain values.", hint='{"lr": 0.1}', field="params_json")
        params = {str(name): as_text(value) for name, value in said.items() if value is not None}
        texts = {**self.texts, "params_json": "", "params_json_was": ""}
        return replace(self, texts=texts, params=params, rows=list(params.items()))

    @property
    def without_json(self) -> "Typed":
        """Without the JSON text where nobody changed it: it is that of the fields of before."""
        return self.with_json() if self.text("params_json") == self.text("params_json_was") else self

    def with_texts(self, **texts: str) -> "Typed":
        """With some of its fields changed."""
        return replace(self, texts={**self.texts, **texts})


def as_text(value: Any) -> str:
    """A value as a field shows it; flags as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _typed(name: str, text: str) -> Any:
    return guessed({name or "-": text.strip()})[0].default


def _number(text: str) -> Any:
    """A number where it is one; else the text, which is told to be none."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _with_prefix(post: QueryDict, prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): post.get(name, "")[:TEXT_MAX] for name in post if name.startswith(prefix)}


def _pairs(post: QueryDict, keys: str, values: str) -> list[tuple[str, str]]:
    """The rows in which anything stands."""
    found = zip(post.getlist(keys), [*post.getlist(values), *[""] * len(post.getlist(keys))], strict=False)
    return [(key.strip(), value) for key, value in found if key.strip() or value.strip()]


def _version_of(value: Any) -> str:
    return str(value.get("version", "") if isinstance(value, Mapping) else value)


def _texts_of(wanted: Mapping[str, Any]) -> dict[str, str]:
    """The single fields that a wish fills."""
    texts = {"what": _what(wanted), "folder": str(wanted.get("folder") or "")}
    words = wanted.get("words") or ()
    texts["command"] = line_of([str(word) for word in words]) if words else str(wanted.get("command") or "")
    repository = wanted.get("repository") or {}
    texts |= {"url": str(repository.get("url", "")), "commit": str(repository.get("commit", ""))}
    texts["url_secret"] = str(repository.get("secret") or "")
    texts |= {name: str(wanted.get(name) or "") for name in ("code", "code_of")}
    texts["seed"] = "" if wanted.get("seed") is None else str(wanted["seed"])
    resources = wanted.get("resources") or {}
    texts |= {name: f"{resources[name]:g}" for name in RESOURCES if isinstance(resources.get(name), int | float)}
    environment = wanted.get("environment")
    if isinstance(environment, Mapping) and environment.get("image") is not None:
        named = {"image": str(environment["image"]), "image_secret": str(environment.get("secret") or "")}
        return {**texts, **named, "environment": "image"}
    if isinstance(environment, Mapping):
        kind = "lock" if environment.get("lock") else "requirements"
        texts |= {name: str(environment.get(name) or "") for name in ("lock", "project_file", "requirements")}
        return {**texts, "environment": kind}
    return {**texts, "environment": str(environment or "")}


def _what(wanted: Mapping[str, Any]) -> str:
    if wanted.get("trainer"):
        return f"{TRAINER}:{wanted['trainer']}"
    if wanted.get("template"):
        return f"{TEMPLATE}:{wanted['template']}"
    return REPOSITORY if wanted.get("repository") else FOLDER
