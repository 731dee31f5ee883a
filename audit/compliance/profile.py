"""Profiles: which rules a project is asked, and how severely. Versioned data in the package, read once.

A profile says what it checks against; no profile says that anything complies with a law.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from audit.compliance.models import ProfileCopy
from audit.compliance.rules.engine import Severity
from kernel.digests import canonical_json, sha256_hex
from kernel.errors import Invalid

FOLDER = Path(__file__).parent / "profiles"
DEFAULT = "house"


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile. rules: key -> severity, in the order of the file; log_days and record_days: least retention."""

    name: str
    title: str
    version: str
    note: str
    record_days: int
    log_days: int
    rules: dict[str, Severity]
    digest: str


@cache
def profiles() -> dict[str, Profile]:
    """All profiles of the package by name."""
    found = (_read(path) for path in sorted(FOLDER.glob("*.yaml")))
    return {profile.name: profile for profile in found}


def _read(path: Path) -> Profile:
    text = path.read_bytes()
    data: dict[str, Any] = yaml.safe_load(text)
    return Profile(
        name=path.stem,
        title=data["title"],
        version=str(data["version"]),
        note=" ".join(data["note"].split()),
        record_days=int(data["retention"]["record_days"]),
        log_days=int(data["retention"]["log_days"]),
        rules={key: Severity(severity) for key, severity in data["rules"].items()},
        digest=sha256_hex(text),
    )


def profile_named(name: str) -> Profile:
    """A profile by its name. Raises Invalid with the names that there are."""
    found = profiles().get(name)
    if found is None:
        raise Invalid(f"There is no profile '{name[:40]}'.", hint=f"Use {', '.join(profiles())}.", field="profile")
    return found


def profile_of(name: str) -> Profile:
    """The profile that a project follows; the house's for one that names none that there is."""
    return profiles().get(name) or profiles()[DEFAULT]


def digest_of(profile: Profile, copy: ProfileCopy | None) -> str:
    """What an assessment names: the profile's digest, together with what the project added to it."""
    if copy is None:
        return profile.digest
    added = {name: getattr(copy, name) for name in ADDITIONS}
    return sha256_hex(canonical_json({"profile": profile.digest, "added": added}))


ADDITIONS = ("required_params", "required_tags", "required_metrics", "tolerances")
