"""What something runs with, as given: a requirements file, a uv.lock with its pyproject.toml, or an image."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from artifacts.models import Blob
from artifacts.storage import StoredBlob, blobs
from kernel.digests import canonical_json, sha256_hex
from kernel.errors import Invalid, InvalidFields, MledError
from runner.images import ImageName, read_image
from runner.models import Environment

BYTES_MAX: Final = 4 * 1024 * 1024
PYTHONS: Final = ("3.10", "3.11", "3.12", "3.13", "3.14")
DEFAULT_PYTHON: Final = "3.11"
_INDEX: Final = ("--index-url", "-i", "--extra-index-url", "--find-links", "-f")
_TAKEN: Final = (
    *_INDEX, "--hash", "--no-binary", "--only-binary", "--prefer-binary", "--require-hashes", "--pre", "--no-index",
)  # fmt: skip
_NAMED: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\s*(?:\[[^\]]*\])?\s*(?:[=<>!~;@(].*)?$")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9+.-]+://(?P<host>[^/?#\s\\]*)")
_PINNED: Final = re.compile(r"==\s*[^*\s]+(?:\s|;|$)|@\s*\S+")


@dataclass(frozen=True, slots=True)
class Packages:
    """python: as in 3.11; lock: what says which, of an image its name; project_file: of a uv.lock, its pyproject.toml;
    secret: the name of the one that opens the registry of an image."""

    kind: Environment.Kind
    python: str
    lock: bytes
    project_file: bytes = b""
    secret: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 over kind, interpreter and the contents of the files."""
        return sha256_hex(
            canonical_json(
                {
                    "kind": self.kind.value,
                    "python": self.python,
                    "lock": sha256_hex(self.lock),
                    "project_file": sha256_hex(self.project_file) if self.project_file else "",
                    **({"secret": self.secret} if self.secret else {}),
                }
            )
        )


def read_packages(said: Mapping[str, Any], *, field: str = "environment") -> Packages:
    """From {"requirements": text} or {"lock": text, "project_file": text}, with "python"; or from {"image": name} with
    "secret". Raises InvalidFields."""
    if said.get("image") is not None:
        return _image(said, field)
    unknown = sorted(str(key) for key in said if key not in ("requirements", "lock", "project_file", "python"))
    problems: list[MledError] = [
        Invalid(f"'{name[:60]}' is nothing of an environment.", field=f"{field}.{name[:60]}") for name in unknown
    ]
    python = said.get("python") or DEFAULT_PYTHON
    if python not in PYTHONS:
        versions = ", ".join(PYTHONS)
        problems.append(Invalid(f"A version of Python is one of {versions}.", field=f"{field}.python"))
    is_lock = bool(said.get("lock"))
    name = "lock" if is_lock else "requirements"
    if is_lock and said.get("requirements"):
        problems.append(Invalid("Give a uv.lock or a requirements file, not both.", field=f"{field}.requirements"))
    lock = _content(said, name, field, problems)
    project_file = _content(said, "project_file", field, problems) if is_lock else b""
    if not problems:
        problems += _lock_problems(lock, project_file, field) if is_lock else _list_problems(lock.decode(), field)
    if problems:
        raise InvalidFields(problems)
    kind = Environment.Kind.LOCK if is_lock else Environment.Kind.REQUIREMENTS
    return Packages(kind, python, lock, project_file)


def _image(said: Mapping[str, Any], field: str) -> Packages:
    problems: list[MledError] = [
        Invalid(f"An image has its packages within: '{name[:60]}' is left out.", field=_within(field, str(name)[:60]))
        for name in sorted(str(one) for one in said if one not in ("image", "secret"))
    ]
    image, secret = said["image"], said.get("secret") or ""
    name: ImageName | None = None
    try:
        name = read_image(image if isinstance(image, str) else "", _within(field, "image"))
    except Invalid as problem:
        problems.append(problem)
    if not isinstance(secret, str):
        problems.append(Invalid("A secret is given by its name.", field=_within(field, "secret")))
    if problems or name is None:
        raise InvalidFields(problems)
    return Packages(Environment.Kind.IMAGE, "", str(name).encode(), secret=secret.strip())


def _within(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def is_pinned(requirements: str) -> bool:
    """Whether a requirements file says one version of every package that it names."""
    return all(_PINNED.search(line) for _, line in _lines(requirements) if not line.startswith("-"))


def text_of(blob: Blob) -> str:
    """The text of a file that was kept."""
    with blobs().open(StoredBlob(blob.digest, blob.size_bytes)) as file:
        return file.read().decode("utf-8", "replace")


def image_of(kept: Environment | None) -> str:
    """The name of the image, of an environment that is one; '' of any other."""
    return text_of(kept.lock) if kept is not None and kept.kind == Environment.Kind.IMAGE else ""


def _content(said: Mapping[str, Any], name: str, field: str, problems: list[MledError]) -> bytes:
    text = said.get(name)
    where = f"{field}.{name}"
    if not isinstance(text, str) or not text.strip():
        words = {"project_file": "A uv.lock needs the pyproject.toml that it belongs to."}
        problems.append(Invalid(words.get(name, "Give the packages: a requirements file or a uv.lock."), field=where))
        return b""
    content = kept_as(text)
    if len(content) > BYTES_MAX:
        problems.append(Invalid(f"It is larger than {BYTES_MAX // 1024**2} MB.", field=where))
    if "\0" in text:
        problems.append(Invalid("It holds zero bytes: it is no text.", field=where))
    return content


def kept_as(text: str) -> bytes:
    """A text that was given, as it is kept."""
    return text.replace("\r\n", "\n").encode()


def _lock_problems(lock: bytes, project_file: bytes, field: str) -> list[MledError]:
    problems: list[MledError] = []
    for name, content, needed in (("lock", lock, "version"), ("project_file", project_file, "project")):
        try:
            read = tomllib.loads(content.decode())
        except tomllib.TOMLDecodeError as error:
            problems.append(Invalid(f"It is no TOML: {error}.", field=f"{field}.{name}"))
            continue
        if needed not in read:
            what = "a uv.lock" if name == "lock" else "a pyproject.toml with a [project]"
            problems.append(Invalid(f"It is not {what}: it has no '{needed}'.", field=f"{field}.{name}"))
    return problems


def _list_problems(text: str, field: str) -> list[MledError]:
    where = f"{field}.requirements"
    found = [problem for number, line in _lines(text) if (problem := _line_problem(number, line, where))]
    if not found and not any(not line.startswith("-") for _, line in _lines(text)):
        return [Invalid("It names no package.", hint="scikit-learn==1.9.1", field=where)]
    return found[:20]


def _lines(text: str) -> list[tuple[int, str]]:
    """Each line that says something, with its number, those that go on in the next joined."""
    found: list[tuple[int, str]] = []
    begun, said = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        begun = begun or number
        words = re.sub(r"(^|\s)#.*", "", line).rstrip()
        if words.endswith("\\"):
            said += words[:-1] + " "
            continue
        if (said + words).strip():
            found.append((begun, (said + words).strip()))
        begun, said = 0, ""
    return [*found, *([(begun, said.strip())] if said.strip() else [])]


def _line_problem(number: int, line: str, field: str) -> MledError | None:
    if line.startswith("-"):
        return _option_problem(number, line, field)
    if line.startswith((".", "/", "~")) or re.match(r"(?i)[^@]*@\s*file:", line):
        what = f"Line {number} names a folder of another machine: {line[:80]}"
        return Invalid(what, hint="Have it among your code, and add it there.", field=field)
    if re.match(r"(https?|git\+\S+?)://", line) or _NAMED.match(line.partition(" --")[0].strip()):
        return _secret_problem(number, line, field)
    return Invalid(f"Line {number} names no package: {line[:80]}", field=field)


def _option_problem(number: int, line: str, field: str) -> MledError | None:
    option = re.split(r"[=\s]", line, maxsplit=1)[0]
    if option in _TAKEN:
        return _secret_problem(number, line, field)
    why = "reads another file" if option in ("-r", "-c", "--requirement", "--constraint") else "is not taken"
    return Invalid(f"Line {number}: {option[:40]} {why}.", hint="Write out all packages.", field=field)


def _secret_problem(number: int, line: str, field: str) -> MledError | None:
    for named in _ADDRESS.finditer(line):
        if "@" in named["host"].removeprefix("git@"):
            return Invalid(f"Line {number} holds a name or password in an address.", hint="Leave it out.", field=field)
        try:
            _ = urlsplit(named[0]).port
        except ValueError:
            what = f"Line {number} holds an address that cannot be read: {named[0][:80]}"
            return Invalid(what, hint="https://packages.example.org/simple", field=field)
    return None
