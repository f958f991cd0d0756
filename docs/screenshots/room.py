"""A room of a running server, driven over its JSON API and looked at in a page."""

from dataclasses import dataclass
from typing import Any, Self

from playwright.sync_api import Page

# Goes on once the mark named has come far enough from where it was first seen: the middle of a way, not its start.
ON_ITS_WAY = """([selector, pixels]) => new Promise((resolve) => {
    const seen = new Map();
    const look = () => {
        for (const mark of document.querySelectorAll(selector)) {
            const {x, y} = mark.getBoundingClientRect();
            const first = seen.get(mark) ?? {x, y};
            seen.set(mark, first);
            if (Math.hypot(x - first.x, y - first.y) >= pixels) return resolve(true);
        }
        requestAnimationFrame(look);
    };
    look();
})"""

# Asks for the room's clock again and again until it is that late.
REACHED = """async ([address, until_us]) => {
    while ((await (await fetch(address)).json()).clock.now_us < until_us);
}"""


@dataclass(frozen=True, slots=True)
class Room:
    """One room: where it is, the key to change it, and a page that shows it."""

    base_url: str
    name: str
    presenter_key: str
    page: Page

    @classmethod
    def make(cls, base_url: str, page: Page, scenario: str = "pageviews") -> Self:
        """A new room whose time stands, with its stage open in ``page``, which may change it."""
        made = page.request.post(f"{base_url}/api/rooms", data={"scenario": scenario, "paused": True}).json()
        room = cls(base_url, made["room"], made["presenter_key"], page)
        page.context.add_cookies([{"name": f"presenter-{room.name}", "value": room.presenter_key, "url": base_url}])
        page.goto(room.address)
        room.settled()
        return room

    @property
    def address(self) -> str:
        """Where its stage is."""
        return f"{self.base_url}/rooms/{self.name}"

    def facts(self) -> dict[str, Any]:
        """What the engine holds."""
        facts: dict[str, Any] = self.page.request.get(f"{self.base_url}/api/rooms/{self.name}").json()
        return facts

    def do(self, command: str, **fields: object) -> int:
        """Give a command; what it did at once lies before the journal offset returned."""
        answer = self.page.request.post(
            f"{self.base_url}/api/rooms/{self.name}/commands",
            data={"command": command, **fields},
            headers={"Authorization": f"Bearer {self.presenter_key}"},
        )
        if not answer.ok:
            raise RuntimeError(answer.text())
        return int(answer.json()["journal_offset"])

    def run(self, speed: float = 1.0) -> None:
        """Let time pass."""
        self.do("clock", action="speed", speed=speed)
        self.do("clock", action="resume")

    def pause(self) -> None:
        """Let time stand, and wait until the page shows that."""
        offset = self.do("clock", action="pause")
        self.page.evaluate("(offset) => window.offsetscope.drawn(offset)", offset)
        self.settled()

    def settled(self) -> None:
        """Wait until the page says that it has drawn everything."""
        self.page.wait_for_function("() => window.offsetscope")
        self.page.evaluate("() => window.offsetscope.settled()")

    def caught_up(self) -> None:
        """Wait until the page shows the present; while time runs, something is always on its way."""
        if self.facts()["clock"]["paused"]:
            self.settled()
            return
        self.page.wait_for_function("() => window.offsetscope")
        self.page.evaluate("(offset) => window.offsetscope.drawn(offset)", self.facts()["journal"]["end_offset"])

    def see(self, selector: str) -> None:
        """Wait until the page shows such a thing."""
        self.page.wait_for_selector(selector, state="attached", timeout=60_000)

    def see_on_its_way(self, selector: str, pixels: int = 60) -> None:
        """Wait until such a mark has gone that far."""
        self.page.evaluate(ON_ITS_WAY, [selector, pixels])

    def step_until(self, at_us: int) -> None:
        """Step from instant to instant until then: the same room is the same picture each time."""
        while self.facts()["clock"]["now_us"] < at_us:
            self.do("clock", action="step")

    def run_for(self, seconds: float, speed: float = 16.0) -> None:
        """Let that much virtual time pass."""
        until_us = self.facts()["clock"]["now_us"] + int(seconds * 1_000_000)
        self.run(speed)
        self.page.evaluate(REACHED, [f"/api/rooms/{self.name}", until_us])
