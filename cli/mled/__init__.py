"""MLED from Python: `from mled import Client`."""

from mled.client import Client
from mled.problems import Away, NotAllowed, NotFound, NotSignedIn, Problem, Usage
from mled.version import __version__

__all__ = ["Away", "Client", "NotAllowed", "NotFound", "NotSignedIn", "Problem", "Usage", "__version__"]
