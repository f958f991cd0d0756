"""The outcome of a command as a sentence for people."""

from collections.abc import Mapping
from typing import Any

from webapp.room.answers import Applied

# They name only required fields of the command.
SENTENCES: Mapping[str, str] = {
    "produce": "The producer is sending.",
    "set_producer": "The producer has its new settings.",
    "add_topic": "The topic {topic} was added.",
    "corrupt": "One byte at offset {offset} was flipped on disk; no consumer has noticed it yet.",
    "set_link": "The link between {from} and {to} has changed.",
    "heal_links": "Every link works again.",
    "set_disk": "The disk of broker {broker} has changed.",
    "freeze_consumer": "{consumer} is suspended for {duration_ms} ms.",
    "expire_session": "The registry ends the session of {client}.",
    "set_mirror": "The mirrors use their new setting from their next batch on.",
    "crash_loader": "The loader crashed; it will read again what it had not stored.",
    "start_loader": "The loader is back, and continues from the offsets in the warehouse.",
    "add_broker": "A broker joins.",
    "stop_broker": "Broker {broker} flushes its logs and stops.",
    "crash_broker": "Broker {broker} crashed; its unflushed messages are lost.",
    "start_broker": "Broker {broker} is back.",
    "add_group": "The group {group} was added.",
    "add_consumer": "A consumer joins {group}.",
    "stop_consumer": "{consumer} commits, releases its partitions and stops.",
    "crash_consumer": "{consumer} crashed; the registry notices when its session expires.",
    "remove_consumer": "{consumer} is no longer listed.",
    "pause_consumer": "{consumer} is paused, and stays a member.",
    "resume_consumer": "{consumer} is reading again.",
    "set_consumer": "{consumer} has its new settings.",
    "seek": "{group} continues reading partition {partition} at another offset.",
    "commit": "Bookmarks are being stored.",
    "reset": "The room is back at its first state.",
    "fork": "A new room begins here.",
}
CLOCK_SENTENCES: Mapping[str, str] = {
    "pause": "Time is paused.",
    "resume": "Time runs.",
    "toggle": "Time is paused, or runs again.",
    "step": "One step.",
    "speed": "Time runs at speed {speed}.",
}


def succeeded(fields: Mapping[str, Any], applied: Applied) -> dict[str, Any]:
    """Return the context of the outcome fragment for an applied command."""
    command = str(fields["command"])
    template = CLOCK_SENTENCES.get(str(fields.get("action"))) if command == "clock" else SENTENCES.get(command)
    sentence = (template or "Done.").format_map(fields)
    return {"ok": True, "command": command, "message": sentence, "remedy": "", **applied.as_json()}
