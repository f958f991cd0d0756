"""The stage of one room in a browser page."""

import re
from typing import Any

from playwright.sync_api import Error, Locator, Page

METRICS = "Real-time metrics"
WAREHOUSE = "Warehouse loader"

# Waits for a promise of the page; a promise that does not resolve within a minute fails the test.
WITHIN_A_MINUTE = """(name) => {
    const [hook, offset] = name.split(":");
    const broken = new Promise((_, reject) => setTimeout(() => reject(new Error(`${name} was never reached`)), 60_000));
    return Promise.race([window.offsetscope[hook](Number(offset)), broken]);
}"""

# Keeps every sentence of the live region: while time runs, the next may come before the test looks.
RECORD_ANNOUNCEMENTS = """() => {
    if (window.said) return;
    const place = document.querySelector('[data-part="narration"]');
    window.said = [place?.textContent];
    if (place) new MutationObserver(() => window.said.push(place.textContent)).observe(place, {childList: true});
}"""
HAS_ANNOUNCED = "(words) => window.said.some((sentence) => sentence.includes(words))"
IS_PAUSED = "() => document.querySelector('[data-stage]').dataset.paused === 'true'"
STEPS_AT_MOST = 400

TAKES_THE_FOCUS = "(node) => { node.focus(); return document.activeElement === node; }"


class Stage:
    """The stage of a room: its picture, controls and hooks; waits are for events of the page, never for time."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.base_url = base_url
        self.headers: dict[str, str] = {}

    # --- opening and waiting ---

    def open(self, path: str = "/") -> "Stage":
        """Open a page with a stage on it and wait until its picture has been drawn from the feed."""
        self.page.goto(self.base_url + path)
        self.settled()
        return self

    def open_room(self, scenario: str) -> "Stage":
        """Make a room of a scenario over the API, paused at its first state, and open its page."""
        answer = self.page.request.post(f"{self.base_url}/api/rooms", data={"scenario": scenario, "paused": True})
        made = answer.json()
        self.headers = {"Authorization": f"Bearer {made['presenter_key']}"}
        return self.open(f"/rooms/{made['room']}")

    def settled(self) -> None:
        self.page.wait_for_function("() => window.offsetscope")
        self.page.evaluate(RECORD_ANNOUNCEMENTS)
        self.page.evaluate(WITHIN_A_MINUTE, "settled")

    def drawn(self, journal_offset: int) -> None:
        self.page.evaluate(WITHIN_A_MINUTE, f"drawn:{journal_offset}")

    @property
    def root(self) -> Locator:
        return self.page.locator("[data-stage]")

    @property
    def room(self) -> str:
        return self.root.get_attribute("data-room") or ""

    # --- the room, over the API ---

    def facts(self) -> Any:
        return self.page.request.get(f"{self.base_url}/api/rooms/{self.room}").json()

    def command(self, command: str, **fields: object) -> Any:
        """Send a command over the JSON API with the page's own cookie, and wait until its effects are drawn."""
        answer = self.page.request.post(
            f"{self.base_url}/api/rooms/{self.room}/commands",
            data={"command": command, **fields},
            headers=self.headers,
        )
        applied = answer.json()
        if answer.ok:
            self.drawn(applied["journal_offset"])
        if answer.ok and fields.get("action") == "pause":
            self.page.wait_for_function(IS_PAUSED)  # a pause is not in the journal
        return applied

    def pause_time(self) -> "Stage":
        """Pause time by a step, so that the first command does not start a new room."""
        self.command("clock", action="step")
        return self

    def step_until(self, seen: Locator) -> None:
        """Step from instant to instant until something is shown; it stays shown, since time is paused."""
        for _ in range(STEPS_AT_MOST):
            if seen.count():
                return
            self.command("clock", action="step")
        raise AssertionError(f"{seen} was never shown")

    def at_speed(self, speed: float) -> "Stage":
        self.command("clock", action="speed", speed=speed)
        return self

    def resume_time(self) -> "Stage":
        self.command("clock", action="resume")
        return self

    def pause_room(self) -> None:
        """Pause the room, if this page may: a busy room would slow the next test."""
        address = f"{self.base_url}/api/rooms/{self.room}/commands"
        self.page.request.post(address, data={"command": "clock", "action": "pause"}, headers=self.headers)

    # --- where things are ---

    def named(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    def fact(self, name: str) -> Locator:
        return self.named(f"fact-{name}")

    def broker(self, number: int) -> Locator:
        return self.named(f"broker-{number}")

    def partition(self, partition: int, topic: str = "pageviews") -> Locator:
        return self.named(f"partition-{topic}-{partition}")

    def record(self, partition: int, offset: int, topic: str = "pageviews") -> Locator:
        return self.named(f"record-{topic}-{partition}@{offset}")

    def records(self, partition: int, topic: str = "pageviews") -> Locator:
        return self.partition(partition, topic).locator("[data-testid^='record-']")

    def offsets(self, partition: int) -> list[int]:
        return self.records(partition).evaluate_all("(nodes) => nodes.map((node) => Number(node.dataset.offset))")

    def bookmark(self, partition: int, group: str = METRICS, topic: str = "pageviews") -> Locator:
        return self.named(f"bookmark-{group}-{topic}-{partition}")

    def bookmark_at(self, partition: int, offset: int) -> Locator:
        """The bookmark, while it is at that offset; soon the next commit moves it."""
        return self.partition(partition).locator(f'.bookmark[data-testid*="{METRICS}"][data-offset="{offset}"]')

    def owner(self, partition: int, group: str = METRICS, topic: str = "pageviews") -> Locator:
        return self.named(f"owner-{group}-{topic}-{partition}")

    def group(self, group: str = METRICS) -> Locator:
        return self.named(f"group-{group}")

    def lag(self, group: str = METRICS) -> Locator:
        return self.group(group).locator(".group-behind")

    def trend(self, group: str = METRICS) -> Locator:
        return self.group(group).locator('[data-part="trend"]')

    def spark(self, group: str = METRICS) -> Locator:
        return self.group(group).locator('[data-part="spark"]')

    def consumer(self, name: str, group: str = METRICS) -> Locator:
        return self.named(f"consumer-{group}-{name}")

    def flights(self, kind: str = "") -> Locator:
        return self.page.locator(f".flight{f'[data-kind={kind}]' if kind else ''}")

    def ribbon(self, partition: int, group: str = METRICS, topic: str = "pageviews") -> Locator:
        return self.page.locator(f'[data-ribbon="{group}/{topic}-{partition}"]')

    def datacenter(self, name: str) -> Locator:
        return self.named(f"datacenter-{name}")

    def rows(self, partition: int, topic: str = "pageviews") -> Locator:
        """The rows of bookmarks below a tape, one for each group that reads it."""
        return self.partition(partition, topic).locator(".bookmark-row")

    def loader(self, name: str = "Loader") -> Locator:
        return self.named(f"loader-{name}")

    @property
    def bands(self) -> Locator:
        return self.page.locator(".band")

    @property
    def level(self) -> Locator:
        return self.page.locator('[data-part="level"]')

    @property
    def narration(self) -> Locator:
        return self.page.locator('[data-part="narration"]')

    def has_announced(self, words: str) -> None:
        """Wait until a sentence with these words has been announced since the page was opened."""
        try:
            self.page.wait_for_function(HAS_ANNOUNCED, arg=words)
        except Error:
            raise AssertionError(f"{words!r} was not announced: {self.page.evaluate('() => window.said')}") from None

    @property
    def outcome(self) -> Locator:
        return self.page.locator("#outcome .outcome")

    @property
    def registry(self) -> Locator:
        return self.page.locator("#registry")

    def node(self, path: str) -> Locator:
        return self.registry.locator(f'[data-path="{path}"]')

    @property
    def inspector(self) -> Locator:
        return self.page.locator("#inspector")

    @property
    def panel_outcome(self) -> Locator:
        """The response to a form of the inspector."""
        return self.inspector.locator("#panel-outcome")

    def close_inspector(self) -> None:
        self.inspector.get_by_role("button", name="close the inspector").click()

    def broken_link(self, one: str, other: str) -> Locator:
        """The mark of a link with a fault, half way between its ends."""
        return self.page.locator(f'[data-broken="{one} | {other}"], [data-broken="{other} | {one}"]')

    # --- what a person does ---

    @property
    def batch_send(self) -> Locator:
        return self.named("action-batch-send")

    @property
    def pause(self) -> Locator:
        return self.named("control-pause")

    @property
    def step(self) -> Locator:
        return self.named("control-step")

    @property
    def step_back(self) -> Locator:
        return self.named("control-step-back")

    @property
    def live(self) -> Locator:
        return self.named("control-live")

    @property
    def scrub(self) -> Locator:
        return self.named("control-scrub")

    @property
    def previous_mark(self) -> Locator:
        return self.named("control-previous-mark")

    @property
    def next_mark(self) -> Locator:
        return self.named("control-next-mark")

    @property
    def marks(self) -> Locator:
        return self.page.locator(".mark")

    @property
    def mark_label(self) -> Locator:
        return self.page.locator('[data-part="mark-label"]')

    @property
    def fork(self) -> Locator:
        return self.named("control-fork")

    @property
    def fork_progress(self) -> Locator:
        return self.root.locator(".fork-progress")

    @property
    def fork_form(self) -> Locator:
        return self.root.locator('[data-part="fork"]')

    @property
    def theme(self) -> Locator:
        return self.named("control-theme")

    @property
    def copy_link(self) -> Locator:
        return self.named("control-copy-link")

    @property
    def more(self) -> Locator:
        """The button that shows the rarely used controls on a narrow page."""
        return self.page.locator('[data-part="more-button"]')

    @property
    def time_bar(self) -> Locator:
        return self.page.locator('[data-part="time-bar"]')

    @property
    def character_keys(self) -> Locator:
        """The checkbox in the list of keys that switches character keys on and off."""
        return self.page.get_by_role("checkbox", name="letters, punctuation and Space act")

    def focus(self, control: Locator) -> None:
        """Focus a control once it can be focused; a disabled control would silently leave the focus where it was."""
        self.page.wait_for_function(TAKES_THE_FOCUS, arg=control.element_handle())

    def scrub_to(self, at_us: int) -> None:
        """Move the slider to a virtual time that is a whole number of milliseconds."""
        self.scrub.evaluate(
            "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", str(at_us // 1_000)
        )
        self.settled()

    @property
    def speed(self) -> Locator:
        return self.named("control-speed")

    def send_keyed(self, key: str, value: str) -> None:
        self.page.get_by_label("Partition key").fill(key)
        self.page.get_by_label("value", exact=True).fill(value)
        self.named("action-keyed-send").click()

    def press(self, consumer: str, verb: str, group: str = METRICS) -> None:
        self.consumer(consumer, group).get_by_role("button", name=verb).click()

    def add_consumer(self, group: str = METRICS) -> None:
        self.group(group).get_by_role("button", name="consumer").click()

    def drag_bookmark(self, partition: int, offset: int, group: str = METRICS) -> None:
        """Drag the flag with the mouse to the start of a message."""
        self.bookmark(partition, group).hover()  # waits until it no longer moves
        flag = self.bookmark(partition, group).bounding_box()
        target = self.record(partition, offset).bounding_box()
        assert flag
        assert target
        self.page.mouse.move(flag["x"] + flag["width"] / 2, flag["y"] + flag["height"] / 2)
        self.page.mouse.down()
        self.page.mouse.move(target["x"] + 2, flag["y"] + flag["height"] / 2, steps=6)
        self.page.mouse.up()

    @property
    def now(self) -> Locator:
        return self.page.locator('[data-part="now"]')

    def seconds(self) -> float:
        """Return the virtual time that is drawn, which must be below two minutes."""
        text = self.now.inner_text()
        return float(re.sub(r"[^0-9.]", "", text))

    def owners(self, group: str = METRICS) -> list[str]:
        """Return the owners of p0, p1 and p2."""
        return [self.owner(partition, group).get_attribute("data-consumer") or "" for partition in range(3)]
