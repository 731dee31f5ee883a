"""Where packages come from: what the operator told uv, else what they told pip, in uv's words."""

import configparser
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from socket import SOCK_STREAM, getaddrinfo
from typing import Final
from urllib.parse import urlsplit

_OF_UV: Final = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_CONFIG_FILE",
)
_OPTIONS: Final = ("index-url", "extra-index-url", "find-links", "trusted-host", "cert", "no-index")
_OF_PYPI: Final = ("pypi.org", "files.pythonhosted.org")
_PASSWORD: Final = re.compile(r"UV_INDEX_(\w+)_(?:USERNAME|PASSWORD)")
_TRUE: Final = ("1", "true", "yes", "on")


@cache
def index_variables() -> dict[str, str]:
    """Variables by which uv finds packages, on top of those that this process has."""
    if any(os.environ.get(name) for name in _OF_UV):
        return {}
    return in_words_of_uv(_of_pip())


def has_own_index() -> bool:
    """Whether packages come from elsewhere than where a lock says that they were found."""
    told = index_variables()
    return any(os.environ.get(name) or told.get(name) for name in _OF_UV[:5] if name != "UV_FIND_LINKS")


def in_words_of_uv(options: Mapping[str, str]) -> dict[str, str]:
    """Options of pip as variables of uv. pip takes the best version of all indexes, so that uv has to as well."""
    told: dict[str, str] = {}
    if options.get("index-url"):
        told["UV_DEFAULT_INDEX"] = options["index-url"].split()[0]
    if options.get("extra-index-url"):
        told["UV_INDEX"] = " ".join(options["extra-index-url"].split())
    if options.get("find-links"):
        told["UV_FIND_LINKS"] = ",".join(options["find-links"].split())
    if options.get("trusted-host"):
        told["UV_INSECURE_HOST"] = " ".join(options["trusted-host"].split())
    if options.get("no-index", "").lower() in _TRUE:
        told["UV_NO_INDEX"] = "1"
    if options.get("cert") and not os.environ.get("SSL_CERT_FILE"):
        told["SSL_CERT_FILE"] = options["cert"]
    if "UV_INDEX" in told or "UV_DEFAULT_INDEX" in told:
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return told


def _of_pip() -> dict[str, str]:
    """What pip would be told here: its files from the widest to the nearest, then its variables."""
    found: dict[str, str] = {}
    for path in _files():
        read = configparser.RawConfigParser(strict=False)
        try:
            read.read(path, encoding="utf-8")
        except (OSError, configparser.Error, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if read.has_section(section):
                found |= {name: value for name, value in read.items(section) if name in _OPTIONS}
    for name in _OPTIONS:
        if value := os.environ.get(f"PIP_{name.replace('-', '_').upper()}"):
            found[name] = value
    return found


def _files() -> Iterator[Path]:
    named = os.environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    yield Path("/etc/xdg/pip/pip.conf")
    yield Path("/etc/pip.conf")
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    yield Path.home() / ".pip" / "pip.conf"
    yield home / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if named:
        yield Path(named)


def _address(word: str) -> str:
    """Of an index that has a name, as in internal=https://…, what follows it."""
    name, _, address = word.partition("=")
    return address if address and "/" not in name else word


def networks_of_indexes(variables: Mapping[str, str]) -> list[str]:
    """The addresses of the indexes, which may lie in a closed network: whoever runs this machine chose them."""
    words = [word for name in _OF_UV for word in variables.get(name, "").replace(",", " ").split()]
    own = any(variables.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_NO_INDEX"))
    hosts = {urlsplit(_address(word)).hostname for word in words} | (set() if own else set(_OF_PYPI))
    found: set[str] = set()
    for host in hosts - {None}:
        with suppress(OSError):
            found |= {str(one[4][0]).partition("%")[0] for one in getaddrinfo(host, None, type=SOCK_STREAM)}
    return sorted(found)


def local_folders(variables: Mapping[str, str]) -> list[Path]:
    """Folders and files of this machine that the variables name, which a build has to see."""
    words = [
        word
        for name in (*_OF_UV, "SSL_CERT_FILE", "SSL_CERT_DIR")
        for word in variables.get(name, "").replace(",", " ").split()
    ]
    places = [Path(_address(word).removeprefix("file://")) for word in words]
    return [place for place in places if place.is_absolute() and place.exists()]


def operators_settings() -> dict[str, str]:
    """The file in which the operator told uv, by name: then uv reads no settings of the project that it works on, which
    could have it execute a Python of their own."""
    if os.environ.get("UV_CONFIG_FILE"):
        return {}
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    for place in (home / "uv" / "uv.toml", Path("/etc/xdg/uv/uv.toml"), Path("/etc/uv/uv.toml")):
        if place.is_file():
            return {"UV_CONFIG_FILE": str(place)}
    return {"UV_NO_CONFIG": "1"}


def passwords_for_others(variables: Mapping[str, str], project_file: bytes) -> set[str]:
    """Variables with the password of an index whose name the project gives to an address of its own."""
    try:
        indexes = tomllib.loads(project_file.decode()).get("tool", {}).get("uv", {}).get("index", [])
        told = {_as_variable(str(one["name"])): str(one["url"]) for one in indexes if "name" in one and "url" in one}
    except (ValueError, AttributeError, TypeError):
        return {name for name in variables if _PASSWORD.fullmatch(name)}
    own: dict[str, str] = {}
    for word in " ".join(variables.get(name, "") for name in ("UV_INDEX", "UV_DEFAULT_INDEX")).split():
        own[_as_variable(word.partition("=")[0])] = _address(word)
    others = {name for name, url in told.items() if _place(url) != _place(own.get(name, ""))}
    return {name for name in variables if (found := _PASSWORD.fullmatch(name)) and found[1] in others}


def _as_variable(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
