"""What was installed for a run, read from the lists of packages among its files.

Read line by line and by nothing that runs or resolves anything: a list is somebody's upload. What a line does not say
clearly is left out.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

LIST_MAX: Final = 1_000_000  # bytes that are read of one list
PACKAGES_MAX: Final = 5_000  # of one list
_LINE_MAX: Final = 1_000  # characters: behind them are hashes, and no pattern is tried over a megabyte

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_REQUIREMENT: Final = re.compile(rf"^({_NAME})(?:\[[^\]]*\])?\s*(.*)$")
_ADDRESS: Final = re.compile(rf"^(?:-e|--editable)\s+([^\s#]+)#(?:.*&)?egg=({_NAME})")
_CONDA: Final = re.compile(rf"^(?:[\w.-]+::)?({_NAME})\s*(?:==?\s*([^=\s,]+)(?:=[^\s]+)?|([<>!~=].*))?$")
_ITEM: Final = re.compile(r"^(\s*)-\s+(.*)$")
_PYTHON: Final = re.compile(r"^python\s*:\s*['\"]?([\d][\w.+-]*)", re.MULTILINE)
_PIXI: Final = re.compile(rf"^ +name: *({_NAME}) *\n +version: *['\"]?([^\s'\"]+)", re.MULTILINE)


def packages_in(path: str, text: str) -> dict[str, str]:
    """Version by name of what a list says; '' where it names no version. {} for what is no list of packages."""
    read = _reader_of(path)
    if read is None:
        return {}
    found: dict[str, str] = {}
    for name, version in read(text):
        if len(found) >= PACKAGES_MAX:
            break
        found.setdefault(normal(name), version)
    return found


def packages_of(lists: Mapping[str, str]) -> dict[str, str]:
    """Version by name of what all lists of a run say."""
    return merged((path, packages_in(path, text)) for path, text in lists.items())


def python_in(text: str) -> str:
    """The version of Python that a python_env.yaml or conda.yaml asks for; '' where it asks for none."""
    said = _PYTHON.search("\n".join(_short_lines(text)))
    if said:
        return said[1]
    return next((version for name, version in _conda(text) if name == "python"), "")


def is_list(path: str) -> bool:
    """Whether a file's name is one that lists of packages have."""
    return _reader_of(path) is not None


def normal(name: str) -> str:
    """A package's name as indexes compare it: 'Scikit_Learn' is 'scikit-learn'."""
    return re.sub(r"[-_.]+", "-", name).lower()


def merged(lists: Iterable[tuple[str, dict[str, str]]]) -> dict[str, str]:
    """Several lists of one run, by path: what a lock says holds before what was asked for, and that before conda's."""
    found: dict[str, str] = {}
    for _, packages in sorted(lists, key=lambda one: (_rank(one[0]), one[0])):
        for name, version in packages.items():
            if not found.get(name):
                found[name] = version
    return found


def _rank(path: str) -> int:
    name = path.rsplit("/", 1)[-1].lower()
    order = ("lock", "freeze", "requirements", "conda", "environment")
    return next((rank for rank, word in enumerate(order) if word in name), len(order))


def change_of(old: str | None, new: str | None) -> str:
    """What became of a package: '' (nothing), added, removed, newer, older, or changed where that cannot be told."""
    if old == new:
        return ""
    if old is None or new is None:
        return "added" if old is None else "removed"
    before, after = _release(old), _release(new)
    if not before or not after or before == after:
        return "changed"
    return "newer" if before < after else "older"


def _release(version: str) -> tuple[int, ...]:
    """The numbers of a plain version, without zeros at their end; () for what is no plain one."""
    match = re.fullmatch(r"v?(\d{1,9}(?:\.\d{1,9}){0,7})(?:\+[\w.]+)?", version)
    numbers = [int(part) for part in match[1].split(".")] if match else []
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


Pairs = Iterable[tuple[str, str]]


def _reader_of(path: str) -> Callable[[str], Pairs] | None:
    name = path.rsplit("/", 1)[-1].lower()
    if name in ("uv.lock", "poetry.lock", "pdm.lock"):
        return _lock
    if name == "pixi.lock":
        return _pixi
    if name in ("conda.yaml", "conda.yml", "environment.yml", "environment.yaml", "python_env.yaml"):
        return _conda
    if name.endswith(".txt") and re.search(r"requirements|freeze|pip[-_]list", name):
        return _requirements
    return None


def _requirements(text: str) -> Pairs:
    """Lines of a requirements.txt or of pip freeze."""
    for line in _short_lines(re.sub(r"\\\r?\n", " ", text)):
        found = _requirement(line)
        if found:
            yield found


def _requirement(line: str) -> tuple[str, str] | None:
    address = _ADDRESS.match(line.strip())
    if address:
        return address[2], address[1][:200]
    said = re.sub(r"(^|\s)#.*$", "", line).partition(";")[0]
    said = re.sub(r"\s--[a-z-]+[= ]\S+", "", said).strip()
    match = None if said.startswith("-") else _REQUIREMENT.match(said)
    if not match:
        return None
    name, rest = match[1], match[2].strip()
    if rest.startswith("@"):
        return name, rest[1:].strip()[:200]
    if rest and not re.match(r"[=<>!~(]", rest):
        listed = re.fullmatch(r"\d[\w.+!-]*", rest)  # a line of `pip list`
        return (name, rest) if listed else None
    return name, rest.strip("()").removeprefix("===").removeprefix("==").strip()[:200]


def _conda(text: str) -> Pairs:
    """Items of conda.yaml or python_env.yaml; those below `- pip:` are pip's."""
    pip_below: int | None = None
    section = ""
    for line in _short_lines(text):
        head = re.match(r"^([A-Za-z_]+)\s*:", line)
        if head:
            section, pip_below = head[1], None
        item = _ITEM.match(line)
        if not item or section in ("channels", "build_dependencies"):
            continue
        indent, said = len(item[1]), item[2].strip().strip("'\"")
        if re.fullmatch(r"pip\s*:", said):
            pip_below = indent
            continue
        is_pip = (pip_below is not None and indent > pip_below) or "==" in said
        found = _requirement(said) if is_pip else _conda_item(said)
        if found:
            yield found


def _conda_item(said: str) -> tuple[str, str] | None:
    match = None if said.startswith("-") else _CONDA.match(said.partition("#")[0].strip())
    return (match[1], (match[2] or match[3] or "").strip()[:200]) if match else None


def _lock(text: str) -> Pairs:
    """Packages of uv.lock or poetry.lock."""
    try:
        listed = tomllib.loads(text).get("package", [])
    except (ValueError, RecursionError):  # a number of five thousand digits is no TOMLDecodeError
        return
    for one in listed if isinstance(listed, list) else []:
        name, version = (one.get("name"), one.get("version", "")) if isinstance(one, dict) else (None, "")
        if isinstance(name, str) and re.fullmatch(_NAME, name) and isinstance(version, str):
            yield name, version[:200]


def _pixi(text: str) -> Pairs:
    for match in _PIXI.finditer("\n".join(_short_lines(text))):
        yield match[1], match[2][:200]


def _short_lines(text: str) -> Iterator[str]:
    return (line[:_LINE_MAX] for line in text.splitlines())
