"""Rooms that have lived before a page is opened on them."""

from typing import Any

from playwright.sync_api import Page

from tests.browser.pages.stage import Stage


def api(stage: Stage, path: str = "", **query: object) -> Any:
    answer = stage.page.request.get(f"{stage.base_url}/api/rooms/{stage.room}{path}", params=query)
    return answer.json()


class Teller:
    """Tells a room over the API what to do, and waits for nothing to be drawn."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        made = page.request.post(f"{base_url}/api/rooms", data={"paused": True}).json()
        self.room, self.key = made["room"], made["presenter_key"]
        self.address = f"{base_url}/api/rooms/{self.room}/commands"

    def do(self, command: str, **fields: object) -> int:
        """Give a command; returns the virtual time at which it was applied."""
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = self.page.request.post(self.address, data={"command": command, **fields}, headers=headers)
        assert answer.ok, answer.text()
        return int(answer.json()["applied_at_us"])

    def let_run(self, at_us: int) -> None:
        """Let it live at 16x until then, and stand still; nobody looks meanwhile, so it costs little."""
        self.do("clock", action="speed", speed=16)
        self.do("clock", action="resume")
        address = self.address.removesuffix("/commands")
        while self.page.request.get(address).json()["clock"]["now_us"] < at_us:
            pass
        self.do("clock", action="pause")
        self.do("clock", action="speed", speed=1)

    def show(self, stage: Stage, query: str = "") -> Stage:
        """Open its page in a browser that may change it."""
        cookie = {"name": f"presenter-{self.room}", "value": self.key, "url": stage.base_url}
        self.page.context.add_cookies([cookie])
        return stage.open(f"/rooms/{self.room}{query}")

    def step_until(self, at_us: int) -> None:
        while self.do("clock", action="step") < at_us:
            pass


def mark_us(stage: Stage, kind: str) -> int:
    return int(next(one["at_us"] for one in api(stage, "/journal/notable")["moments"] if one["kind"] == kind))
