"""Rooms that get a history over the API before a page is opened on them."""

from typing import Any

from playwright.sync_api import Page

from tests.browser.pages.stage import Stage


def api(stage: Stage, path: str = "", **query: object) -> Any:
    answer = stage.page.request.get(f"{stage.base_url}/api/rooms/{stage.room}{path}", params=query)
    return answer.json()


class RoomControl:
    """A room that is controlled over the API, without a page and without waits for a picture."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        made = page.request.post(f"{base_url}/api/rooms", data={"paused": True}).json()
        self.room, self.key = made["room"], made["presenter_key"]
        self.address = f"{base_url}/api/rooms/{self.room}/commands"

    def command(self, command: str, **fields: object) -> int:
        """Send a command; return the virtual time at which it was applied."""
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = self.page.request.post(self.address, data={"command": command, **fields}, headers=headers)
        assert answer.ok, answer.text()
        return int(answer.json()["applied_at_us"])

    def run_until(self, at_us: int) -> None:
        """Run the room at speed 16 until then, and pause it; without a viewer this costs little."""
        self.command("clock", action="speed", speed=16)
        self.command("clock", action="resume")
        address = self.address.removesuffix("/commands")
        while self.page.request.get(address).json()["clock"]["now_us"] < at_us:
            pass
        self.command("clock", action="pause")
        self.command("clock", action="speed", speed=1)

    def show(self, stage: Stage, query: str = "") -> Stage:
        """Open its page as the presenter."""
        cookie = {"name": f"presenter-{self.room}", "value": self.key, "url": stage.base_url}
        self.page.context.add_cookies([cookie])
        return stage.open(f"/rooms/{self.room}{query}")

    def step_until(self, at_us: int) -> None:
        while self.command("clock", action="step") < at_us:
            pass


def mark_us(stage: Stage, kind: str) -> int:
    return int(next(one["at_us"] for one in api(stage, "/journal/notable")["moments"] if one["kind"] == kind))
