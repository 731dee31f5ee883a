"""What a bundle says of itself to people, and to Docker."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

NOT_IN_IMAGES: Final = "again\n"  # what was done outside of Docker, which would be in the way inside


def readme(about: Mapping[str, Any]) -> str:
    """README.md."""
    return "\n".join(_readme(about)) + "\n"


def _readme(about: Mapping[str, Any]) -> Iterator[str]:
    run = about["run"]
    yield f"# {run['readable_id']} {run['name']}"
    yield ""
    yield f"A run of the project {run['project']} ({run['id']}), to be done again with Python 3.9 or newer and"
    yield "[uv](https://docs.astral.sh/uv/)" + (", and git:" if about["repository"] else ":")
    yield ""
    yield "    python rerun.py"
    yield ""
    yield "looks whether data and code are what they were, installs the packages, runs the command"
    yield ""
    yield f"    {shlex.join(about['words'])}"
    yield ""
    yield "and says of each metric whether it came out the same. Exit code 0: the same, or within tolerance;"
    yield "1: different; 2: something is missing; 3: data or code were altered. Nothing is sent anywhere. With Docker:"
    yield ""
    yield "    docker build -t again . && docker run --rm again"
    yield ""
    yield "The command runs with your rights: it is the word of whoever made the run. Look at it before."
    yield ""
    yield from _code(about)
    yield from _data(about)
    yield from _expected(about)


def _code(about: Mapping[str, Any]) -> Iterator[str]:
    yield "## Code and packages"
    yield ""
    repository = about["repository"]
    if repository:
        source = repository["bundle"] or repository["url"]
        changed = f", with {repository['patch']} applied" if repository["patch"] else ""
        yield f"- Commit `{repository['commit']}` of {source}{changed}."
        if repository["secret"]:
            yield f"- It was opened by the secret {repository['secret']}, which is in no bundle: git asks its"
            yield "  credential helper for yours, as for any private repository. An image has none: do without Docker."
    else:
        yield "- Its files are in `code/`."
    packages = about["environment"]
    if packages["kind"] == "image":
        yield f"- The image `{packages['image']}`, which has its packages. It needs Docker, and the image Python 3.9 as"
        yield "  `python`" + (" and git." if repository else ".")
    named = {"lock": "`environment/uv.lock`", "requirements": "`environment/requirements.txt`"}.get(packages["kind"])
    python = packages["python"] or "of any version"
    if packages["kind"] != "image":
        yield f"- Packages: {named or 'nothing says which were installed'}; Python {python}."
    if about["secrets"]:
        yield f"- It was given secrets, which are in no bundle: set {', '.join(about['secrets'])} before."
    if about["network"]:
        yield "- It had the network: what it fetched from there is not in this bundle."
    yield ""


def _data(about: Mapping[str, Any]) -> Iterator[str]:
    yield "## Data"
    yield ""
    if not about["data"]:
        yield "None from the catalogue."
    for one in about["data"]:
        if not one["digest"]:
            yield f"- `data/{one['name']}/`: {one['version']}. Ask for it who works there."
            continue
        size = sum(file["bytes"] for file in one["files"])
        count = len(one["files"])
        yield f"- `data/{one['name']}/`: {one['version']}, {count} files, {size:,} bytes, `{one['digest']}`."
        if one["is_inside"]:
            continue
        if one["files"]:
            yield "  They are not in this bundle. Download the version, or take your copy, and put each file there"
            yield "  under its path; `bundle.json` lists paths and SHA-256, and `python rerun.py --verify` looks."
        else:
            lay = one["source"] or "a place that is not recorded"
            yield f"  Its files were never stored in MLED; they lay at {lay}."
            yield "  Nothing but its digest, as the client computed it, says what they were."
    yield ""


def _expected(about: Mapping[str, Any]) -> Iterator[str]:
    yield "## What came out"
    yield ""
    if not about["expected"]:
        yield "Nothing was measured."
        return
    yield "| metric | value | allowed |"
    yield "| --- | --- | --- |"
    for one in about["expected"]:
        key = one["key"].replace("|", "\\|")
        yield f"| {key} | {one['then']} | {one['allowed']} |"


def dockerfile(about: Mapping[str, Any]) -> str:
    """Dockerfile."""
    if about["environment"]["kind"] == "image":
        return _on_image(about["environment"]["image"])
    python = about["environment"]["python"] or "3.11"
    programs = " git" if about["repository"] else ""
    lines = [
        f"FROM python:{python}-slim",
        f"RUN apt-get update && apt-get install -y --no-install-recommends libgomp1{programs} \\",
        "    && rm -rf /var/lib/apt/lists/* && pip install --no-cache-dir uv",
        "WORKDIR /bundle",
        "COPY . .",
        "RUN ln -s /bundle/data /inputs && python rerun.py --verify",
        'ENTRYPOINT ["python", "rerun.py"]',
    ]
    return "\n".join(lines) + "\n"


def _on_image(image: str) -> str:
    lines = [
        f"FROM {image}",
        "USER root",
        "WORKDIR /bundle",
        "COPY . .",
        f"ENV MLED_BUNDLE_IMAGE={image}",
        "RUN ln -s /bundle/data /inputs && python rerun.py --verify",
        'ENTRYPOINT ["python", "rerun.py"]',
    ]
    return "\n".join(lines) + "\n"
