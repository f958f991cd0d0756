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

    def step_until(self, at_us: int) -> None:
        while self.do("clock", action="step") < at_us:
            pass


def mark_us(stage: Stage, kind: str) -> int:
    return int(next(one["at_us"] for one in api(stage, "/journal/notable")["moments"] if one["kind"] == kind))
