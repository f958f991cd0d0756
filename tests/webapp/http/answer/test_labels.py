"""Refusals use the labels of the form fields."""

import re

import pytest
from flask.testing import FlaskClient

from tests.webapp.support import make_room
from webapp.http.answer.labels import in_words_of_labels, labels_of

HTMX = {"HX-Request": "true"}
PANELS = [
    "add",
    "producer",
    "mirror?group=Mirror",
    "group?group=Mirror",
    "consumer?group=Real-time+metrics&consumer=Metrics+A",
    "trouble?address=broker:1",
    "trouble?address=consumer:Real-time+metrics/Metrics+A",
]
FORM = re.compile(r"<form.*?</form>", re.DOTALL)
FIELD = re.compile(r'<label[^>]*><span[^>]*>([^<]+)</span>\s*<(?:input|select)[^>]* ?name="(\w+)"')


@pytest.mark.parametrize("panel", PANELS)
def test_the_known_labels_match_those_of_the_rendered_forms(client: FlaskClient, panel: str) -> None:
    made = make_room(client, scenario="deployment", paused=True)
    shown = client.get(f"/rooms/{made.room}/panels/{panel}", headers=HTMX).text
    fields = 0
    for form in FORM.findall(shown):
        for command in set(re.findall(r'controls/(\w+)"', form)):
            for label, name in FIELD.findall(form):
                fields += 1
                assert labels_of(command)[name] == label, (command, name)
    assert fields, "the panel has fields"


def test_a_field_name_becomes_its_label_at_the_start_and_where_it_is_not_a_common_word() -> None:
    message = "linger_ms cannot be 'soon'"
    assert in_words_of_labels(message, "set_producer", "linger_ms") == "linger, ms cannot be “soon”"
    assert in_words_of_labels("keys cannot be -1", "set_producer", "keys") == "different keys cannot be -1"
    assert in_words_of_labels("give linger_ms, or keys", "set_producer", "") == "give linger, ms, or keys"
    assert in_words_of_labels("topic clicks exists", "add_topic", "") == "topic clicks exists"


def test_a_message_about_no_form_is_unchanged() -> None:
    assert in_words_of_labels("linger_ms is unknown", "", "linger_ms") == "linger_ms is unknown"
