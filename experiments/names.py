"""Names for runs that come without one: two plain words and a number, easy to say over a desk."""

import secrets


def _words(text: str) -> list[str]:
    return text.split()


_HOW = _words(
    """
    able amber ample bold brave brisk calm candid clear clever cool crisp deft eager early even fair fine firm
    fleet fond frank fresh gentle glad grand green handy hardy honest humble keen kind large late light lively
    loyal lucid mellow mild neat nimble noble patient plain proud quick quiet rapid ready rosy sharp silent
    smooth snug sober solid steady stout sunny swift tender thrifty tidy tranquil upbeat vivid warm wary wise
    witty young zesty
    """
)
_WHAT = _words(
    """
    alder anchor arrow aspen badger barley beacon beaver birch bison brook canyon cedar clover comet coral
    crane delta dove eagle ember falcon fern finch fjord forest gale garnet glacier grove harbor hawk hazel
    heron island ivy jay juniper kite lagoon lark laurel linden lynx maple marten meadow mesa moss oak ocean
    opal orchid osprey otter owl peak pebble pine plover prairie quail quartz raven reef ridge river robin
    sage salmon sequoia shore sparrow spruce stone stork summit swallow tern thistle tide trout tulip valley
    walnut willow wren
    """
)


def invented_name() -> str:
    """A name such as 'brisk-heron-412'. Names need not be unique."""
    return f"{secrets.choice(_HOW)}-{secrets.choice(_WHAT)}-{secrets.randbelow(1000)}"
