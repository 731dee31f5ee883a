"""Images of containers: fetched once by their digest, unpacked once, and shown to jobs read-only in the place of the
machine's own system. No daemon has a part in it."""

import json
import os
import platform
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings

from kernel.digests import sha256_hex
from kernel.errors import Invalid, TooLarge, Unavailable
from runner.executors.bubblewrap_image import with_room
from runner.images import IMAGE_TAG, WITHOUT_TAG, ImageName
from runner.working.environments_installed import installed_in
from runner.working.facts import Facts
from runner.working.images_layers import FIELD, Layers, found
from runner.working.images_registry import Blob, Registry, RegistryKey, manifest_of, reached
from runner.working.workplace_folders import cache_folder, cleared, held, made
from runner.working.workplace_kept import about, collect, mark_of, mark_ready, taken

PYTHON_TAG: Final = "mled.python"
DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LAYERS_MAX: Final = 200
VARIABLES_MAX: Final = 500
MEGA: Final = 10**6
_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_ROOT: Final = "root"
_LISTS: Final = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_PYTHON: Final = re.compile(r"python(3\.\d+)")
_PLACES: Final = ("lib/python3*/dist-packages/*.dist-info",)
_WITH_MLFLOW: Final = re.compile(r"mlflow(?:-skinny)?(?:==| @ )")

Told = Callable[[str], None]


@dataclass(slots=True)
class Image:
    """name: with its digest; root: the folder that it is; variables: its own, PATH among them.

    holds: a descriptor while which nobody takes it away.
    """

    name: ImageName
    root: Path
    variables: Mapping[str, str]
    holds: int
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a manifest says. digest: of the manifest for this kind of machine, by which the image is kept."""

    name: ImageName
    digest: str
    platform: str
    config: Mapping[str, Any]
    layers: Sequence[Blob]

    @property
    def size_bytes(self) -> int:
        """As it is fetched."""
        return sum(one.size_bytes for one in self.layers)


def ready(name: ImageName, key: RegistryKey | None, *, told: Told) -> Image:
    """The image, fetched where it is not there. The registry is asked each time: whether it may be read is its to say,
    and a tag may lead to another one by now. Raises Invalid, TooLarge, Unavailable."""
    told(f"Asking {name.registry} for the image")
    with reached(name, key, lambda: told("")) as registry:
        parts = _parts(registry, name)
        place = cache_folder("images") / _kept_as(name, parts.digest)
        with held(place.with_suffix(".lock"), told):
            if not mark_of(place).is_file():
                _refuse_too_much(parts)
                try:
                    _made_whole(place, parts, registry, told)
                except BaseException:
                    cleared(place)  # nobody else would: what has no mark is never old
                    raise
            holds = taken(place)
    try:
        return _image(place, parts, holds)
    except BaseException:
        os.close(holds)
        raise


def _kept_as(name: ImageName, digest: str) -> str:
    """What a part is kept as: of this repository alone. Whoever writes a manifest names digests of others' layers in
    it, and who reads a run in an image knows them; these are not shown for that."""
    origin = sha256_hex(f"{name.registry}/{name.repository}".encode())
    return f"{digest.removeprefix('sha256:')}-{origin[:32]}"


def _parts(registry: Registry, name: ImageName) -> Parts:
    content, named = registry.manifest(name.digest or name.tag)
    digest, manifest, name = named, manifest_of(content, name), name.at(named)
    if manifest.get("mediaType") in _LISTS or "manifests" in manifest:
        digest = _for_here(manifest, name)
        manifest = manifest_of(registry.manifest(digest)[0], name)
    layers = [_blob(one, name) for one in _list(manifest.get("layers"), name)]
    if manifest.get("schemaVersion") != 2 or not 0 < len(layers) <= LAYERS_MAX:
        hint = "Push it again: images since Docker 1.10 and of OCI are read, with at most 200 layers."
        raise Invalid(f"{name} is of a form that is not read.", hint=hint, field=FIELD)
    config = manifest_of(registry.document(_blob(manifest.get("config"), name)), name)
    system, machine = str(config.get("os")), str(config.get("architecture"))
    if (system, machine) != ("linux", _machine()):
        raise _other_machine(name, f"{system}/{machine}")
    return Parts(name, digest, f"{system}/{machine}", config, layers)


def _for_here(index: Mapping[str, Any], name: ImageName) -> str:
    """The digest of the image for this kind of machine, of an image for several."""
    there = []
    for one in _list(index.get("manifests"), name):
        about_it = one.get("platform") if isinstance(one, Mapping) else None
        kind = (about_it.get("os"), about_it.get("architecture")) if isinstance(about_it, Mapping) else ("", "")
        if kind == ("linux", _machine()):
            return _blob(one, name).digest
        there.append("/".join(str(word) for word in kind))
    raise _other_machine(name, ", ".join(dict.fromkeys(there))[:200])


def _other_machine(name: ImageName, there: str) -> Invalid:
    words = f"{name} is made for {there or 'no machine'}, and this worker is linux/{_machine()}."
    return Invalid(words, hint="Build it for this machine, or choose a queue whose workers fit.", field=FIELD)


def _machine() -> str:
    return _MACHINES.get(platform.machine(), platform.machine())


def _list(said: Any, name: ImageName) -> list[Any]:
    if not isinstance(said, list):
        raise Invalid(f"What describes {name} names no parts.", field=FIELD)
    return said


def _blob(said: Any, name: ImageName) -> Blob:
    digest, size = (said.get("digest"), said.get("size")) if isinstance(said, Mapping) else (None, None)
    is_digest = isinstance(digest, str) and re.fullmatch(r"sha256:[0-9a-f]{64}", digest)
    if not is_digest or not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise Invalid(f"What describes {name} names a part by no digest that is known.", field=FIELD)
    return Blob(str(digest), size)


def _refuse_too_much(parts: Parts) -> None:
    if parts.size_bytes > _most():
        words = f"{parts.name} has {parts.size_bytes // MEGA:,} MB, and {_most() // MEGA:,} MB are taken."
        raise TooLarge(words, hint="Make it smaller, or have an administrator raise MLED_IMAGE_MB.", field=FIELD)
    if parts.size_bytes > shutil.disk_usage(cache_folder("images")).free:
        words = f"The worker's disk has no room for the {parts.size_bytes // MEGA:,} MB of {parts.name}."
        raise Unavailable(words, hint="Tell whoever keeps the workers.", field=FIELD)


def _most() -> int:
    return int(settings.MLED_IMAGE_MB) * MEGA


def _made_whole(place: Path, parts: Parts, registry: Registry, told: Told) -> None:
    cleared(place)
    made(place, 0o755)
    root = made(place / _ROOT)
    root.chmod(0o755)
    layers, before = Layers(root, at_most=_most(), told=lambda: told("")), 0
    for number, blob in enumerate(parts.layers, start=1):
        with _fetched(blob, parts, registry, told, before) as packed:
            told(f"Unpacking image, layer {number} of {len(parts.layers)}")
            layers.lay(packed)
        before += blob.size_bytes
    with_room(root)
    mark_ready(place, {**_known(root, parts), "left_out": layers.left_out})


@contextmanager
def _fetched(blob: Blob, parts: Parts, registry: Registry, told: Told, before: int) -> Iterator[IO[bytes]]:
    """A layer, which several images may share. before: bytes of those that are there already."""
    whole = max(1, parts.size_bytes // MEGA)

    def got(size: int) -> None:
        told(f"Fetching image, {(before + size) // MEGA:,} of {whole:,} MB")

    place = cache_folder("layers") / _kept_as(parts.name, blob.digest)
    with held(place.with_suffix(".lock"), told):
        if not place.is_file() or place.stat().st_size != blob.size_bytes:
            got(0)
            aside = place.with_suffix(".part")
            registry.fetch(blob, aside, got)
            aside.replace(place)
        os.utime(place)  # the longest unused go first
        packed = place.open("rb")
    with packed:
        yield packed


def _known(root: Path, parts: Parts) -> dict[str, Any]:
    """What is read from its files: nothing of it is executed for that."""
    variables = _variables(parts.config)
    prefixes, version = _python(root, variables["PATH"])
    exact = variables.get("PYTHON_VERSION", "")  # as the official images of Python say it
    installed = sorted({line for prefix in prefixes for line in installed_in(prefix, *_PLACES)})
    return {
        "variables": variables,
        "python": exact if version and exact.startswith(f"{version}.") else version,
        "installed": installed,
    }


def _variables(config: Mapping[str, Any]) -> dict[str, str]:
    inner = config.get("config")
    said = inner.get("Env") if isinstance(inner, Mapping) else None
    pairs = [str(one).partition("=") for one in (said if isinstance(said, list) else [])[:VARIABLES_MAX]]
    return {"PATH": DEFAULT_PATH} | {name: value for name, _, value in pairs if name and "\0" not in name + value}


def _python(root: Path, path: str) -> tuple[list[Path], str]:
    """The folders whose packages the first Python on the path has, and its version; [] and '' for none."""
    for folder in path.split(":"):
        for name in ("python", "python3"):
            program = found(root, f"{folder}/{name}")
            version = _PYTHON.fullmatch(program.name) if program is not None and program.is_file() else None
            if program is not None and version is not None:
                beside = found(root, f"{folder}/..")
                return list(dict.fromkeys(filter(None, (beside, program.parent.parent)))), version[1]
    return [], ""


def _image(place: Path, parts: Parts, holds: int) -> Image:
    known = about(place)
    listed = [str(line) for line in known["installed"]]
    facts = Facts(tags={IMAGE_TAG: str(parts.name)})
    facts.contents["environment/image.json"] = _described(parts, known)
    if known["python"]:
        facts.tags[PYTHON_TAG] = str(known["python"])
        facts.contents["environment/installed/requirements.txt"] = "".join(f"{one}\n" for one in listed).encode()
    if not any(_WITH_MLFLOW.match(line) for line in listed):
        missing = "Python with mlflow" if not known["python"] else "mlflow"
        facts.tags[WITHOUT_TAG] = (
            f"{missing}: what its code logs by MLflow's client is not on record. Parameters, what it prints, its exit "
            "code, its files and what it used are."
        )
    return Image(parts.name, place / _ROOT, known["variables"], holds, facts)


def _described(parts: Parts, known: Mapping[str, Any]) -> bytes:
    told = {
        "image": str(parts.name),
        "platform": parts.platform,
        "manifest": parts.digest,
        "layers": [{"digest": one.digest, "bytes": one.size_bytes} for one in parts.layers],
        "python": known["python"] or None,
        "devices_left_out": known["left_out"],
    }
    return f"{json.dumps(told, indent=1)}\n".encode()


def forget_unused(*, at_most: int, unused_seconds: float) -> int:
    """Take away images that no job used for so long and none uses now, and fetched layers too, of both also the longest
    unused beyond so many bytes; returns how many images went."""
    kept, oldest, layers = 0, time.time() - unused_seconds, list[tuple[float, Path, os.stat_result]]()
    for place in cache_folder("layers").iterdir():
        with suppress(FileNotFoundError):  # a job has just fetched it: it has another name now
            seen = place.stat()
            layers.append((seen.st_mtime, place, seen))
    for _, place, seen in sorted(layers, reverse=True):
        if place.suffix == ".lock":
            continue
        if place.suffix != ".part" and seen.st_mtime >= oldest and kept + seen.st_size <= at_most:
            kept += seen.st_size
        elif place.suffix != ".part" or seen.st_mtime < oldest:
            place.unlink(missing_ok=True)
    return collect(cache_folder("images"), at_most=at_most, unused_seconds=unused_seconds)
