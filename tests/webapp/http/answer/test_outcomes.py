"""The sentence that says what a command did."""

import re

import pytest

from engine.commands import COMMANDS
from engine.errors import InvalidCommand
from webapp.http.answer.outcomes import CLOCK_SENTENCES, SENTENCES, succeeded
from webapp.room.answers import Applied
from webapp.room.commands import ACTIONS, PARSERS, parse


def test_every_command_has_an_outcome_sentence() -> None:
    assert set(SENTENCES) == {*COMMANDS, *PARSERS} - {"clock"}
    assert set(CLOCK_SENTENCES) == {*ACTIONS, "speed"}


def test_an_outcome_names_what_the_command_named() -> None:
    fields = {"command": "crash_consumer", "group": "g", "consumer": "{x} <b>"}
    outcome = succeeded(fields, Applied(7, 99))
    assert outcome["message"].startswith("{x} <b> crashed;")
    assert (outcome["ok"], outcome["applied_at_us"], outcome["journal_offset"]) == (True, 7, 99)


@pytest.mark.parametrize("command", SENTENCES)
def test_an_outcome_uses_only_required_fields_of_its_command(command: str) -> None:
    named = re.findall(r"{(\w+)}", SENTENCES[command])
    for missing in named:
        given = dict.fromkeys(("group", "consumer", "topic", "broker", "partition", "offset", "client"), "1")
        given |= {"from": "producer", "to": "registry", "duration_ms": "5"}
        del given[missing]
        with pytest.raises(InvalidCommand) as refused:
            parse({"command": command, **given})
        assert refused.value.fields["field"] == missing
