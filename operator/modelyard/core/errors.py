"""What stops a decision: a question still open, something to wait for, something only a person can change."""

from modelyard.core.plan import Question


class Open(Exception):
    """A question has no answer yet, or several that can be asked side by side."""

    def __init__(self, question: Question, *others: Question) -> None:
        super().__init__(question, *others)
        self.question = question
        self.questions = (question, *others)


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
