"""What can be wrong with what is stored for a table or figure; bad input raises the errors of funcsim."""

from funcsim.errors import FuncsimError


class StoredResultError(FuncsimError):
    """A stored result is missing, or does not match its record."""
