"""What is wrong with the data or the parameters, in words for whoever started this."""


class Problem(Exception):
    """It cannot be trained; the words say why and what to do."""
