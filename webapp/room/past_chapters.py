"""A chapter of a journal in pieces for a reader, each with the time until which it is complete."""

import json

from engine.journal.checkpoint_index import CheckpointInterval
from engine.journal.journal import Journal
from webapp.errors import InvalidRequest
from webapp.room.answers import PastChapter


def past_chapter(
    journal: Journal, chapter: CheckpointInterval, now_us: int, max_bytes: int, *, from_offset: int
) -> PastChapter:
    """Return the checkpoint and whole events after it, or from an offset on, that fit in ``max_bytes``.

    ``now_us`` is the room's virtual time. Raises ``InvalidRequest`` for a ``from_offset`` after the chapter's end.
    """
    if from_offset > chapter.end_offset:
        raise InvalidRequest(
            f"{from_offset} is after the chapter, which ends at {chapter.end_offset}",
            "continue at the next_offset of the previous response",
            field="from_offset",
            end_offset=chapter.end_offset,
        )
    goes_on = from_offset > chapter.offset
    begin_offset = from_offset if goes_on else chapter.events_offset
    head = journal.read(chapter.offset, 0 if goes_on else chapter.events_offset - chapter.offset)
    rest = journal.read(begin_offset, min(max_bytes, chapter.end_offset - begin_offset))
    payloads = head.payloads + rest.payloads
    complete_until_us = now_us if chapter.is_last else chapter.end_at_us
    if rest.next_offset < chapter.end_offset:
        complete_until_us = json.loads(payloads[-1])["at_us"] if payloads else chapter.at_us
    return PastChapter(chapter, rest.next_offset, complete_until_us, payloads)
