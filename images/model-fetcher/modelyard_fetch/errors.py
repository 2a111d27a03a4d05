"""What can go wrong, in the words that the operator acts on."""


class FetchError(Exception):
    """What a person has to know, with the one word that programs act on."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class BusyError(Exception):
    """The server did not answer as it should, which may be over in a moment."""


class UsageError(Exception):
    """The command line asks for something that this program does not do."""
