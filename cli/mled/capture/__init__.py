"""What a run was done with, collected without typing: code, packages, machine, console and how much it used.

    mled run --experiment baseline -- python train.py --lr 0.1

or, in a script that logs with MLflow, inside its run:

    from mled.capture import capture
    capture()
"""

from mled.capture.script import capture

__all__ = ["capture"]
