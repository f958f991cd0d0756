"""The states of the stage that are looked at, each brought about by the engine itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from docs.screenshots.room import Room

METRICS = "Real-time metrics"
# So far has a batch gone when it is over its tape, and its words are there, at the size in which the states are made.
OVER_ITS_TAPE_PX = 240
SLOWLY = 0.25
"""A speed at which also a busy machine draws the middle of a way."""


@dataclass(frozen=True, slots=True)
class State:
    """One picture: how a fresh room gets there, and what to type or click in each page that shows it."""

    bring_about: Callable[[Room], None]
    in_page: Callable[[Room], None] = lambda room: None
    scenario: str = "pageviews"
    path: str = ""


def at_rest(room: Room) -> None:
    """As everybody finds it."""


def mid_append(room: Room) -> None:
    """A batch on its way to its partition."""
    room.do("produce", topic="pageviews", count=3, size=180)
    room.run(SLOWLY)
    room.see_on_its_way(".flight[data-kind=batch]", OVER_ITS_TAPE_PX)
    room.run()
    room.pause()


def mid_pull(room: Room) -> None:
    """Bytes on their way to a consumer."""
    room.run(SLOWLY)
    room.see_on_its_way(".flight[data-kind=answer]")
    room.run()
    room.pause()


def mid_rebalance(room: Room) -> None:
    """A member that crashed was noticed; the others are between releasing and claiming."""
    room.run_for(3, speed=4)
    room.do("crash_consumer", group=METRICS, consumer="Metrics C")
    room.run(4)
    room.see('.consumer[data-state="rebalancing"]')
    room.pause()


def session_runs_out(room: Room) -> None:
    """A consumer crashed, and the registry has not noticed yet."""
    room.run()
    room.do("crash_consumer", group=METRICS, consumer="Metrics B")
    room.see(".countdown")
    room.run_for(2, speed=1)
    room.pause()


def paused(room: Room) -> None:
    """In the middle of everything, frozen."""
    room.do("set_producer", rate_per_second=6, batch_messages=3)
    room.run_for(6, speed=2)
    room.see_on_its_way(".flight[data-kind=batch]", OVER_ITS_TAPE_PX)
    room.pause()


def in_the_air(room: Room) -> None:
    """A batch, bytes that were read, and three commits on their way at once: the picture of the README."""
    room.do("produce", topic="pageviews", count=6, size=130)
    room.step_until(5_300_000)
    room.do("produce", topic="pageviews", count=3, size=130)
    room.step_until(6_100_000)


def behind(room: Room) -> None:
    """Consumers that cannot keep up for two minutes."""
    room.do("set_producer", rate_per_second=12, batch_messages=6)
    room.run_for(120)
    room.pause()


def high_rate(room: Room) -> None:
    """Far more messages than anybody could follow one by one; time goes on."""
    room.do("set_producer", rate_per_second=1_000, batch_messages=50, linger_ms=100)
    room.run_for(8, speed=1)


def broker_down(room: Room) -> None:
    """A broker crashed with bytes that it had not flushed."""
    room.run()
    room.do("produce", topic="pageviews", count=3, size=180)
    room.see('[data-testid^="record-"][data-flushed="false"]')
    room.do("crash_broker", broker=1)
    room.see('[data-testid="broker-1"][data-alive="false"]')
    room.run_for(1, speed=1)
    room.pause()


def empty(room: Room) -> None:
    """A topic without messages."""
    room.do("add_topic", topic="clicks", partitions=3)
    room.run_for(2, speed=2)
    room.pause()


def refused(room: Room) -> None:
    """A setting that the engine will not take, typed into the page."""
    room.page.locator('[data-part="producer"] [data-panel][href$="/producer"]').click()
    settings = room.page.locator("#inspector form.settings")
    settings.get_by_label("messages per second").fill("1000000000")
    settings.get_by_role("button", name="Apply").click()
    room.see("#outcome .outcome")


def message_selected(room: Room) -> None:
    """The bytes of a message in the inspector."""
    room.page.get_by_test_id("record-pageviews-0@215").click()
    room.see("#inspector table, #inspector pre")


def looking_back(room: Room) -> None:
    """The past, while the present has gone on."""
    room.page.get_by_test_id("control-scrub").focus()
    for _ in range(12):
        room.page.keyboard.press("ArrowLeft")
    room.settled()


def deployment(room: Room) -> None:
    """Two datacenters in the middle of their work."""
    room.run_for(100)
    room.run_for(4, speed=1)
    room.pause()


STATES: Mapping[str, State] = {
    "at-rest": State(at_rest),
    "mid-append": State(mid_append),
    "mid-pull": State(mid_pull),
    "mid-rebalance": State(mid_rebalance),
    "session-runs-out": State(session_runs_out),
    "paused": State(paused),
    "in-the-air": State(in_the_air),
    "looking-back": State(paused, in_page=looking_back),
    "behind": State(behind),
    "high-rate": State(high_rate),
    "broker-down": State(broker_down),
    "empty": State(empty),
    "refused": State(at_rest, in_page=refused),
    "message": State(at_rest, in_page=message_selected),
    "deployment": State(deployment, scenario="deployment"),
    "article": State(at_rest, path="/"),
    "embed": State(at_rest, path="/embed/pageviews"),
    "not-found": State(at_rest, path="/rooms/nowhere"),
}
