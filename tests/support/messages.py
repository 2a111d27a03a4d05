"""What a person reads of bad input, as it was read and accepted: --update-golden writes what is said now."""

import re
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[1] / "golden" / "messages"


class Messages:
    """The messages of one file by kind, field and what was wrong with it."""

    def __init__(self, name: str, is_update: bool) -> None:
        self._file = FOLDER / f"{name}.yaml"
        self._is_update = is_update
        self.known: dict[str, dict[str, dict[str, str]]] = {}
        if self._file.exists():
            self.known = yaml.safe_load(self._file.read_text()) or {}
        self._said: dict[tuple[str, str, str], str] = {}

    def check(self, kind: str, field: str, why: str, said: str) -> None:
        """Fails where it is not what it was."""
        text = _readable(said)
        self._said[kind, field, why] = text
        if not self._is_update:
            known = self.known.get(kind, {}).get(field, {}).get(why)
            assert text == known, f"{kind} {field}: {why}: if this is better, write it down with --update-golden"

    def check_that_there_are_no_others(self) -> None:
        """Fails where the file has messages that nothing says any more; for the last test, when all have run."""
        stale = sorted(key for key in self._keys() if key not in self._said)
        assert not stale or self._is_update, f"nothing says these any more; --update-golden takes them out: {stale}"

    def keep(self) -> None:
        """Write them down, if that is wanted."""
        if not self._is_update:
            return
        kept: dict[str, dict[str, dict[str, str]]] = {}
        for (kind, field, why), text in sorted(self._said.items()):
            kept.setdefault(kind, {}).setdefault(field, {})[why] = text
        FOLDER.mkdir(exist_ok=True)
        self._file.write_text(yaml.safe_dump(kept, width=110, allow_unicode=True))

    def _keys(self) -> list[tuple[str, str, str]]:
        return [
            (kind, field, why) for kind, fields in self.known.items() for field, ways in fields.items() for why in ways
        ]


def _readable(said: str) -> str:
    """Without the object's name, which kubectl says first, and with long values cut."""
    text = re.sub(r'^\w+\.modelyard\.io "[^"]*" is invalid: ', "", said)
    if text.startswith("[") and text.endswith("]"):
        # The API server goes through fields in no certain order.
        text = f"[{', '.join(sorted(re.split(r', (?=spec|<nil>|metadata)', text[1:-1])))}]"
    return re.sub(r"(.)\1{20,}", r"\1\1\1…", text)
