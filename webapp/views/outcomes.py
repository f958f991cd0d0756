"""What became of an act, in a sentence."""

from collections.abc import Mapping
from typing import Any

from webapp.answers import Applied

# They name only fields that the command cannot do without.
SENTENCES: Mapping[str, str] = {
    "produce": "The producer sends.",
    "set_producer": "The producer has its new settings.",
    "add_topic": "The topic {topic} is there.",
    "corrupt": "One byte at offset {offset} was flipped on disk; nobody knows yet.",
    "set_link": "The link between {from} and {to} is not what it was.",
    "heal_links": "Every link is fine again.",
    "set_disk": "The disk of broker {broker} is not what it was.",
    "freeze_consumer": "{consumer} stands still for {duration_ms} ms.",
    "expire_session": "The registry ends the session of {client}.",
    "set_mirror": "The mirrors work with their new setting from their next batch on.",
    "crash_loader": "The loader crashed; what it had not stored it will read again.",
    "start_loader": "The loader is back, and goes on from what the warehouse holds.",
    "add_broker": "A broker joins.",
    "stop_broker": "Broker {broker} flushes and goes.",
    "crash_broker": "Broker {broker} crashed; what it had not flushed is gone.",
    "start_broker": "Broker {broker} is back.",
    "add_group": "The group {group} is there.",
    "add_consumer": "A consumer joins {group}.",
    "stop_consumer": "{consumer} commits, releases what it owns and goes.",
    "crash_consumer": "{consumer} crashed; the registry notices when its session runs out.",
    "remove_consumer": "{consumer} is no longer listed.",
    "pause_consumer": "{consumer} works no further, and stays a member.",
    "resume_consumer": "{consumer} works again.",
    "set_consumer": "{consumer} has its new settings.",
    "seek": "{group} reads partition {partition} on from another place.",
    "commit": "Bookmarks are being stored.",
    "reset": "Everything is back at the start.",
    "fork": "A new room begins here.",
}
CLOCK_SENTENCES: Mapping[str, str] = {
    "pause": "Time stands.",
    "resume": "Time runs.",
    "toggle": "Time runs or stands, whichever it did not.",
    "step": "One step.",
    "speed": "Time runs at speed {speed}.",
}


def succeeded(fields: Mapping[str, Any], applied: Applied) -> dict[str, Any]:
    """The context of the outcome fragment after a command that was applied."""
    command = str(fields["command"])
    template = CLOCK_SENTENCES.get(str(fields.get("action"))) if command == "clock" else SENTENCES.get(command)
    sentence = (template or "Done.").format_map(fields)
    return {"ok": True, "command": command, "message": sentence, "remedy": "", **applied.as_json()}
