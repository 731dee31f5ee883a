"""Lists of packages are read tolerantly, and nothing in them runs."""

import time

import pytest

from experiments.compare.packages import change_of, is_list, merged, normal, packages_in, python_in

CONDA = """\
name: mlflow-env
channels:
- conda-forge
dependencies:
- python=3.11.9
- pip<=24.0
- conda-forge::numpy=1.26.4=py311h64a7726_0
- pip:
  - mlflow==3.1.0
  - scikit_learn==1.5.2
"""
UV = """\
version = 1
[[package]]
name = "torch"
version = "2.6.0"
[[package]]
name = "Local_Thing"
source = { editable = "." }
"""


def test_a_requirements_file_with_all_that_people_write_into_one():
    text = (
        "# comment\n-r other.txt\n--index-url https://example.org\n\nnumpy==2.4.6\n"
        "Pandas[excel] >= 2.0 ; python_version > '3.9'\n"
        "torch @ https://example.org/torch-2.whl\n-e git+https://example.org/a.git@abc#egg=my_pkg\nscipy\n"
        "pillow==13.0 \\\n    --hash=sha256:abc\nnot a package line at all!\n"
    )
    assert packages_in("model/requirements.txt", text) == {
        "numpy": "2.4.6",
        "pandas": ">= 2.0",
        "torch": "https://example.org/torch-2.whl",
        "my-pkg": "git+https://example.org/a.git@abc",
        "scipy": "",
        "pillow": "13.0",
    }


def test_conda_and_pip_items_of_one_file():
    found = packages_in("conda.yaml", CONDA)
    assert found == {
        "python": "3.11.9", "pip": "<=24.0", "numpy": "1.26.4", "mlflow": "3.1.0", "scikit-learn": "1.5.2",
    }  # fmt: skip
    assert python_in(CONDA) == "3.11.9"


def test_python_env_says_its_python_and_what_only_builds_is_left_out():
    text = "python: 3.11.4\nbuild_dependencies:\n- setuptools==70\ndependencies:\n- -r requirements.txt\n"
    assert python_in(text) == "3.11.4"
    assert packages_in("python_env.yaml", text) == {}
    assert python_in("nothing here") == ""


def test_locks_of_uv_poetry_and_pixi():
    assert packages_in("uv.lock", UV) == {"torch": "2.6.0", "local-thing": ""}
    assert packages_in("pixi.lock", "packages:\n- kind: conda\n  name: zlib\n  version: 1.3.1\n") == {"zlib": "1.3.1"}


@pytest.mark.parametrize(
    "text", ["[[package", "package = 3", "[[package]]\nname = 3", "\x00\x01", "[" * 50_000, "a" * 500_000]
)
def test_what_is_broken_gives_nothing_and_no_error(text):
    for name in ("uv.lock", "poetry.lock", "conda.yaml", "requirements.txt", "pixi.lock", "python_env.yaml"):
        began = time.process_time()
        assert all(len(key) <= 100 for key in packages_in(name, text))
        assert time.process_time() - began < 10


def test_only_names_of_lists_are_lists():
    assert [is_list(path) for path in ("a/requirements-dev.txt", "pip_freeze.txt", "Conda.yaml", "uv.lock")] == [
        True
    ] * 4
    assert not is_list("notes.txt")
    assert packages_in("notes.txt", "numpy==1") == {}


def test_a_lock_holds_before_what_was_asked_for():
    lists = [
        ("conda.yaml", {"numpy": "1"}),
        ("requirements.txt", {"numpy": ">=1", "six": ""}),
        ("uv.lock", {"numpy": "2"}),
    ]
    assert merged(lists) == {"numpy": "2", "six": ""}
    assert normal("Foo__Bar.baz") == "foo-bar-baz"


def test_what_became_of_a_package_is_said_in_a_word():
    pairs = [
        ("1.9", "1.10"),
        ("2.0", "1.10"),
        (None, "1"),
        ("1", None),
        ("1", "1"),
        ("1.0rc1", "1.0"),
        (">=1", "1"),
        ("1.0", "1"),
    ]
    said = [change_of(old, new) for old, new in pairs]
    assert said == ["newer", "older", "added", "removed", "", "changed", "changed", "changed"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "-e " + "#&" * 200_000),
        ("conda.yaml", "- a" + " " * 400_000 + "b"),
        ("pixi.lock", "\n" * 400_000),
        ("uv.lock", "version = " + "1" * 5_000),
    ],
)
def test_a_list_that_was_made_to_be_slow_or_to_break_names_nothing(name, text):
    started = time.process_time()
    assert packages_in(name, text) in ({}, {"a": ""})
    assert python_in(text) == ""
    assert time.process_time() - started < 15


def test_a_package_with_very_many_hashes_is_read():
    hashes = "".join(f" \\\n    --hash=sha256:{number:064x}" for number in range(80))
    assert packages_in("requirements.txt", f"numpy==2.4.6{hashes}\nscipy==1.18.0\n") == {
        "numpy": "2.4.6",
        "scipy": "1.18.0",
    }
