"""What stops a decision: a question still open, something to wait for, something only a person can change."""

from modelyard.core.plan import Question


class Open(Exception):
    """A question has no answer yet."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.question = question


class Waiting(Exception):
    """Another system must answer first; asking again later can help."""

    def __init__(self, reason: str, message: str, delay_seconds: float) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.delay_seconds = delay_seconds


class Stalled(Exception):
    """Nothing helps until a person changes something."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
