"""What can go wrong, in the words that the operator acts on."""


class SourceError(Exception):
    """What a person has to know; the message begins with the field of the TrainingJob that is to be corrected."""

    reason = "SourceFailed"


class WrongSourceError(SourceError):
    """What the TrainingJob names is not there: another attempt would not find it either."""

    reason = "SourceInvalid"


class ProjectError(SourceError):
    """The MLproject file and the TrainingJob's parameters do not fit."""

    reason = "ProjectInvalid"


class BusyError(SourceError):
    """The server did not answer as it should, which may be over in a moment."""
