"""The panel of charts of a stage."""

from typing import Any

from playwright.sync_api import Locator

from tests.browser.pages.stage import Stage


class Charts:
    """The charts of lag and throughput: lines, a slider over each, and the same numbers as a table."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.root = stage.page.locator('[data-part="charts"]')

    def open(self) -> "Charts":
        self.root.locator("> summary").click()
        self.plots.nth(1).wait_for()
        return self

    @property
    def plots(self) -> Locator:
        """The areas where lines are drawn and clicked."""
        return self.root.locator(".u-over")

    @property
    def legends(self) -> Locator:
        return self.root.locator(".u-legend")

    @property
    def lag_slider(self) -> Locator:
        return self.root.get_by_role("slider", name="lag over time")

    @property
    def state(self) -> Locator:
        return self.root.locator('[data-part="chart-state"]')

    @property
    def numbers(self) -> Locator:
        return self.root.locator('[data-part="chart-table"]')

    def choose(self, what: str, value: str) -> None:
        self.root.locator(f'[data-part="{what}"]').select_option(value)

    def newest(self) -> dict[str, str]:
        """Return the first row of the table, by the names of its columns."""
        if self.numbers.get_attribute("open") is None:
            self.numbers.locator("summary").click()
            self.choose("span", "60")
        self.numbers.locator("tbody tr").first.wait_for()
        return dict(
            zip(
                self.numbers.locator("thead th").all_inner_texts(),
                self.numbers.locator("tbody tr").first.locator("th, td").all_inner_texts(),
                strict=True,
            )
        )

    def click_at(self, part_of_width: float) -> None:
        box: Any = self.plots.first.bounding_box()
        self.stage.page.mouse.click(box["x"] + box["width"] * part_of_width, box["y"] + box["height"] / 2)

    def inked(self) -> int:
        """Return how many pixels of the first chart are painted."""
        count: int = self.root.locator("canvas").first.evaluate(
            """(canvas) => {
                const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                return data.filter((value, index) => index % 4 === 3 && value > 0).length;
            }"""
        )
        return count
