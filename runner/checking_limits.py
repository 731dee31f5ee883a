"""How much is wanted, and what only some projects allow: resources, network, secrets."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from kernel.errors import Invalid
from runner.checking_code import Asking
from runner.checking_secrets import no_secret, secrets_gone
from runner.models import RunnerRules
from runner.queries.rules import rules_of
from runner.recipes import Resources
from runner.schemas import Kind, Parameter

SECRETS_MAX: Final = 50
NO_NETWORK: Final = "This project does not allow its jobs the network."
_LEAST: Final = {"cpus": 0.1, "memory_mb": 64, "disk_mb": 16, "seconds": 1, "processes": 8, "gpus": 0}
_MOST: Final = {"processes": 4096, "gpus": 64}
_BY_RULES: Final = {
    "cpus": "cpus_max", "memory_mb": "memory_mb_max", "disk_mb": "disk_mb_max", "seconds": "seconds_max",
}  # fmt: skip


def resources_of(asking: Asking) -> Resources:
    """What it may use: what is said, else the defaults, within the project's rules."""
    said = asking.said("resources") or {}
    if not isinstance(said, Mapping):
        asking.attempt(_no_resources)
        said = {}
    rules = rules_of(asking.project)
    found: dict[str, Any] = {name: _within(rules, name, value) for name, value in asdict(Resources()).items()}
    for name, value in said.items():
        if value is None or value == "":
            continue
        checked = asking.attempt(partial(_resource, rules, str(name), value))
        if checked is not None:
            found[str(name)] = checked
    return Resources(**found)


def _no_resources() -> None:
    raise Invalid("Resources are an object of names and numbers.", hint='{"memory_mb": 4096}', field="resources")


def most_of(rules: RunnerRules, name: str) -> float:
    """The most of a resource that the project allows one job."""
    return float(getattr(rules, _BY_RULES[name])) if name in _BY_RULES else float(_MOST[name])


def _within(rules: RunnerRules, name: str, value: float) -> float:
    most = most_of(rules, name)
    return value if value <= most else (most if name == "cpus" else int(most))


def beyond_rules(rules: RunnerRules, *, has_network: bool, resources: Resources) -> str:
    """Why what was launched once may not be launched any more, as the project's rules are by now; '' where it may."""
    if has_network and not rules.allows_network:
        return NO_NETWORK
    for name, value in asdict(resources).items():
        if name in _BY_RULES and value > (most := most_of(rules, name)):
            return f"{name}: {value:,.10g} is over the most that this project allows, {most:,g}."
    return ""


def _resource(rules: RunnerRules, name: str, said: Any) -> float:
    field = f"resources.{name[:40]}"
    if name not in _LEAST:
        raise Invalid(f"'{name[:40]}' is no resource.", hint=f"There is {', '.join(_LEAST)}.", field=field)
    kind = Kind.NUMBER if name == "cpus" else Kind.INTEGER
    try:
        value: float = Parameter(name, kind, least=_LEAST[name]).value_of(said)
    except Invalid as error:
        raise Invalid(error.message, field=field) from None
    most = most_of(rules, name)
    if value > most:
        ruled = name in _BY_RULES
        whose = "this project allows" if ruled else "there is"
        what = f"{name}: {value:,.10g} is over the most that {whose}, {most:,g}."
        raise Invalid(what, hint="A manager of the project can change its rules." if ruled else "", field=field)
    return value


def network_of(asking: Asking) -> bool:
    """Whether it reaches the network, which the project's rules have to allow."""
    said = asking.said("network")
    if said is None:
        return False
    wanted = asking.attempt(lambda: _flag(said))
    if wanted and not rules_of(asking.project).allows_network:
        asking.attempt(_no_network)
    return bool(wanted)


def _flag(said: Any) -> bool:
    try:
        return bool(Parameter("network", Kind.FLAG).value_of(said))
    except Invalid as error:
        raise Invalid(error.message, field="network") from None


def _no_network() -> None:
    raise Invalid(
        NO_NETWORK,
        hint="Give it what it needs as an input or a package; or a manager of the project changes its rules.",
        field="network",
    )


def secrets_of(asking: Asking) -> tuple[str, ...]:
    """The names of the secrets that it is given."""
    said = asking.said("secrets") or []
    if not isinstance(said, list | tuple) or len(said) > SECRETS_MAX or any(not isinstance(one, str) for one in said):
        asking.attempt(_no_secrets)
        return ()
    names = sorted(set(said))
    for name in secrets_gone(asking.project, names):
        asking.attempt(partial(_no_secret, name))
    return tuple(names)


def _no_secrets() -> None:
    raise Invalid(f"Secrets are a list of at most {SECRETS_MAX} names.", field="secrets")


def _no_secret(name: str) -> None:
    raise no_secret(name, "secrets")
