"""What opens a private repository: a secret of the project, given to git for that one server and kept nowhere else.

It stands in no address, no word of a command, no file and no helper of the operator's: git asks a helper of one line,
which reads it from its own environment, and only where the server that asks is the one of the repository.
"""

import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kernel.digests import sha256_hex
from kernel.errors import Invalid

ANY_USER: Final = "x-token-auth"  # beside a token: Bitbucket wants this name, others take any
SHOWN_AS: Final = "***"
_NO_HOME: Final = "/nonexistent"  # curl asks the system's list of users where there is none at all
_HELPER: Final = (
    """!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$MLED_GIT_USER" "$MLED_GIT_WORD"; }; f"""
)


@dataclass(frozen=True, slots=True)
class GitKey:
    """site: scheme, host and port for which alone it is good; name: of the secret; of: whose it is, so that nobody else
    is served from what was fetched by it."""

    site: str
    name: str
    user: str
    word: str = field(repr=False)
    of: str

    def opens(self, address: str) -> bool:
        """Whether it is for this address."""
        return site_of(address) == self.site

    def variables(self) -> Mapping[str, str]:
        """What git is told. Helpers of the operator are left out: one that keeps what worked would keep this. Their
        home is, too: what its .netrc says of the server would be tried before this. Their proxies stay."""
        return {
            "HOME": _NO_HOME,
            "GIT_CONFIG_GLOBAL": _operators_config(),
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "credential.helper",
            "GIT_CONFIG_VALUE_0": "",
            "GIT_CONFIG_KEY_1": f"credential.{self.site}.helper",
            "GIT_CONFIG_VALUE_1": _HELPER,
            "MLED_GIT_USER": self.user,
            "MLED_GIT_WORD": self.word,
        }

    @property
    def header(self) -> str:
        """As a server of files of Git LFS reads it."""
        return f"Basic {b64encode(f'{self.user}:{self.word}'.encode()).decode()}"

    def hidden(self, text: str) -> str:
        """What git or a server said, without the secret, also where it tells a header as it got it."""
        return text.replace(self.header.partition(" ")[2], SHOWN_AS).replace(self.word, SHOWN_AS)


def _operators_config() -> str:
    """The file of configuration that git reads where HOME is the operator's."""
    home = Path(os.environ.get("HOME") or os.devnull)
    own, beside = home / ".gitconfig", home / ".config" / "git" / "config"
    return str(beside if beside.is_file() and not own.is_file() else own)


def git_key(address: str, *, name: str, value: str, of: str) -> GitKey:
    """The key for the server of this address: 'user:password', or a token alone. Raises Invalid."""
    user, colon, word = value.strip().partition(":")
    if not colon:
        user, word = ANY_USER, user
    site = site_of(address)
    if not site.startswith(("https://", "http://")):
        raise Invalid(f"The secret '{name}' opens addresses of https, not this one.", field="repository.secret")
    if not user or not word or any(sign in value.strip() for sign in "\r\n\0"):
        hint = "It holds user:password, or a token, in one line. Set it again on the page Secrets."
        raise Invalid(f"The secret '{name}' is nothing that opens a repository.", hint=hint, field="repository.secret")
    return GitKey(site=site, name=name, user=user, word=word, of=of)


def site_of(address: str) -> str:
    """Scheme, host and port of an address; '' for one by ssh in its short form."""
    if "://" not in address:
        return ""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


def mirror_name(address: str, key: GitKey | None) -> str:
    """The folder of what was fetched. What a secret opened is one's who has that secret, and no other project's."""
    return f"{sha256_hex((f'{address} {key.of}' if key else address).encode())}.git"
