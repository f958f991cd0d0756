"""The labels of form fields, read from the templates.

The engine's errors name fields as programs do. A person knows a field by its label, so errors shown to people use the
labels, on the page and, without script, on the error page.
"""

import re
from collections.abc import Mapping
from functools import cache
from html.parser import HTMLParser

from webapp.paths import resource_directory

COMMAND = re.compile(r'controls(?: }})?/(\w+)"|verb\(room, "(\w+)"\)')
WRITTEN_NAME = re.compile(r"_")
QUOTED = re.compile(r"'([^']*)'")

Labels = dict[str, dict[str, str]]


class _Forms(HTMLParser):
    """A parser of a template's source that finds the commands of each form and the labels of its fields."""

    def __init__(self, labels: Labels) -> None:
        super().__init__()
        self._labels = labels
        self._commands: set[str] = set()
        self._fields: dict[str, str] = {}
        self._field = ""
        self._words: list[str] = []
        self._is_in_words = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "form":
            self._commands, self._fields = set(), {}
        if tag in ("form", "button"):
            found = COMMAND.findall(self.get_starttag_text() or "")
            self._commands |= {one or other for one, other in found}
        if tag == "label":
            self._field, self._words = "", []
        if tag in ("input", "select"):
            self._field = dict(attrs).get("name") or ""
        self._is_in_words = tag == "span" and not self._words

    def handle_data(self, data: str) -> None:
        if self._is_in_words:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._is_in_words = False
        if tag == "label" and self._field and self._words:
            self._fields[self._field] = "".join(self._words).strip()
        if tag == "form":
            for command in self._commands:
                self._labels.setdefault(command, {}).update(self._fields)


@cache
def _labels() -> Labels:
    labels: Labels = {}
    for path in sorted(resource_directory("templates").rglob("*.html")):
        _Forms(labels).feed(path.read_text(encoding="utf-8"))
    return labels


def labels_of(command: str) -> Mapping[str, str]:
    """Return the labels of the command's fields, by the names that the API has for them."""
    return _labels().get(command, {})


def in_words_of_labels(text: str, command: str, field: str) -> str:
    """Return a sentence about ``field`` ("" if about none) of ``command`` with labels for names.

    A name inside the sentence is replaced only if it is spelled unlike an English word.
    """
    labels = labels_of(command)
    if field in labels and text.startswith(f"{field} "):
        text = labels[field] + text[len(field) :]
    for name in filter(WRITTEN_NAME.search, labels):
        text = re.sub(rf"\b{name}\b", labels[name], text)
    return QUOTED.sub(r"“\1”", text)
