"""What can be wrong with a stored result; bad input raises the errors of :mod:`funcsim.errors`."""

from funcsim.errors import FuncsimError


class StoredResultError(FuncsimError):
    """A stored result is missing, or does not match its record."""
