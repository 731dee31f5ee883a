"""Ways to execute a command apart from MLED, behind one interface: `contract.py` says which."""

from functools import cache

from django.conf import settings

from kernel.errors import Invalid
from runner.executors.contract import Ended, Execution, Executor, Order, Usage
from runner.executors.shim import INSIDE

__all__ = ["INSIDE", "Ended", "Execution", "Executor", "Order", "Usage", "chosen"]


def chosen() -> Executor:
    """The executor of this machine's workers: MLED_EXECUTOR, 'sandbox' unless somebody set 'plain'. Raises Invalid."""
    return _made(settings.MLED_EXECUTOR)


@cache
def _made(name: str) -> Executor:
    from runner.executors.plain import Plain
    from runner.executors.sandbox import Sandbox

    if name == "sandbox":
        return Sandbox()
    if name == "plain":
        return Plain()
    raise Invalid(f"MLED_EXECUTOR is '{name[:40]}', and there are 'sandbox' and 'plain'.", field="MLED_EXECUTOR")
