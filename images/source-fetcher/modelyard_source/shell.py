"""Values put into a command that a shell reads, so that the shell reads each as one word whatever it holds.

Quoting a value is enough only where the shell reads the command plainly. Where the command's author put the place into
quotes, or into a construct whose text is read anew, a quoted value can end the quotes: only plain values go there.
"""

import re
import shlex
import string
from collections.abc import Mapping

from modelyard_source.errors import ProjectError

_READ_ANEW = re.compile(r"`|<<|\(\(|\[\[|\$'|\beval\b|(^|\s)#")
"""Backquotes, here-documents, arithmetic, tests, ANSI quotes, eval and comments: quotes mean something else in them."""


class Context:
    """Where in a command one is: between words, in quotes, or after a backslash."""

    def __init__(self, command: str) -> None:
        self._is_read_anew = bool(_READ_ANEW.search(command))
        self._quote = ""
        self._is_escaped = False

    @property
    def is_plain(self) -> bool:
        """Whether quoting makes any value safe here."""
        return not (self._is_read_anew or self._quote or self._is_escaped)

    def read(self, text: str) -> None:
        """Goes on by some text."""
        for character in text:
            if self._is_escaped:
                self._is_escaped = False
            elif character == "\\" and self._quote != "'":
                self._is_escaped = True
            elif self._quote:
                self._quote = "" if character == self._quote else self._quote
            elif character in "'\"":
                self._quote = character


def filled_in(command: str, values: Mapping[str, str], further: Mapping[str, str]) -> str:
    """The command with {name} replaced by its value, and further values as options behind it, as MLflow does."""
    context, parts = Context(command), []
    try:
        pieces = list(string.Formatter().parse(command))
    except ValueError as error:
        raise ProjectError(
            f"MLproject: the command has a brace without its other ({error}): write {{{{ for a brace"
        ) from error
    for text, name, form, conversion in pieces:
        parts.append(text)
        context.read(text)
        if name is None:
            continue
        if name not in values or form or conversion:
            raise ProjectError(f"MLproject: the command uses {{{name}}}, which is no parameter of the entry point")
        parts.append(_word(name, values[name], context))
    options = [f"--{shlex.quote(name)} {_word(name, value, context)}" for name, value in further.items()]
    return " ".join(["".join(parts), *options])


def _word(name: str, value: str, context: Context) -> str:
    """The value as one word of the shell's."""
    word = shlex.quote(value)
    if word != value and not context.is_plain:
        raise ProjectError(
            f"spec.parameters: {name} has characters that need quotes, and the MLproject's command has it in quotes of "
            "its own, or in a construct that reads it anew: remove those there; values are quoted where they need it"
        )
    return word
