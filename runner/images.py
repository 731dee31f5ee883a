"""Names of container images: read as `docker pull` takes them, and told in full.

read_image("python:3.12-slim")                     # docker.io/library/python:3.12-slim
read_image("registry.example.org/team/train:1.2")  # as it stands; without tag and digest it is :latest
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.conf import settings

from kernel.errors import Invalid

IMAGE_TAG: Final = "mlflow.docker.image.name"  # of a run: the image, with its digest
WITHOUT_TAG: Final = "mled.image.without"  # what it lacks, and what is not on record for that
LENGTH_MAX: Final = 500
HUB: Final = "docker.io"
_HUBS: Final = (HUB, "index.docker.io", "registry-1.docker.io")
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_PART: Final = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_EXAMPLE: Final = "registry.example.org/team/train:1.2, or with @sha256:… in place of the tag."


@dataclass(frozen=True, slots=True)
class ImageName:
    """registry: host, with its port where it has one; digest: 'sha256:…', '' where only a tag is named."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.registry}/{self.repository}{tag}{f'@{self.digest}' if self.digest else ''}"

    def at(self, digest: str) -> "ImageName":
        """The same, found by its digest from now on; the tag stays as a word about it."""
        return replace(self, digest=digest)


def read_image(text: str, field: str = "environment.image") -> ImageName:
    """The name, in full. Raises Invalid for what is none, and for a registry that this installation does not take."""
    said = text.strip()
    if "://" in said:
        raise Invalid("An image is named without https://.", hint=_EXAMPLE, field=field)
    if "@" in said.partition("@sha256:")[0].partition("/")[0]:
        hint = "Keep user:password as a secret of the project, and name that."
        raise Invalid("The name of an image holds no user name or password.", hint=hint, field=field)
    named, _, digest = said.partition("@")
    host, slash, rest = named.partition("/")
    has_registry = bool(slash) and ("." in host or ":" in host or host == "localhost")
    registry, path = (host, rest) if has_registry else (HUB, named)
    path, _, tag = path.partition(":")
    if registry in _HUBS:
        registry, path = HUB, path if "/" in path else f"library/{path}"
    fits = [
        len(said) <= LENGTH_MAX,
        _HOST.fullmatch(registry),
        _REPOSITORY.fullmatch(path),
        _TAG.fullmatch(tag) if ":" in named.rpartition("/")[2] else not tag,
        _DIGEST.fullmatch(digest) if "@" in said else not digest,
    ]
    if not all(fits):
        raise Invalid(f"'{said[:80]}' is no name of an image.", hint=_EXAMPLE, field=field)
    name = ImageName(registry.lower(), path, tag or ("" if digest else "latest"), digest)
    if not is_taken(name.registry):
        taken = ", ".join(place_of(one)[1] for one in settings.MLED_IMAGE_REGISTRIES)
        raise Invalid(f"Images from {name.registry} are not taken here.", hint=f"Taken are {taken}.", field=field)
    return name


def place_of(named: str) -> tuple[str, str]:
    """Scheme and host of a registry as MLED_IMAGE_REGISTRIES names it."""
    scheme, parted, host = named.strip().rstrip("/").lower().rpartition("://")
    host = HUB if host in _HUBS else host
    return (scheme if parted else "https"), host


def _named(registry: str) -> Sequence[str]:
    """How the operator named this registry: its schemes."""
    found = [place_of(one) for one in settings.MLED_IMAGE_REGISTRIES]
    return [scheme for scheme, host in found if host == registry]


def is_taken(registry: str) -> bool:
    """Whether images come from there: any public registry, unless the operator named those that do."""
    return bool(_named(registry)) or not settings.MLED_IMAGE_REGISTRIES


def is_operators(registry: str) -> bool:
    """Whether the operator named it, so that it may lie in a closed network."""
    return bool(_named(registry))


def base_of(registry: str) -> str:
    """Where it answers: by https, unless the operator named it with http://."""
    host = "registry-1.docker.io" if registry == HUB else registry
    return f"{'http' if 'http' in _named(registry) else 'https'}://{host}"


def goes_plain(url: str) -> bool:
    """Whether the operator named this very place with http://."""
    scheme, _, rest = url.partition("://")
    return scheme == "http" and "http" in _named(rest.partition("/")[0].lower())
