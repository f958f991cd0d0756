"""A sequence diagram as SVG: who sent what to whom, time running down, every arrow as steep as it was slow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import atan2, degrees
from xml.sax.saxutils import escape

LANE_PIXELS = 250
MARGIN_PIXELS = 70
TOP_PIXELS = 64
PIXELS_PER_SECOND = 92.0
LONGEST_SHOWN_SECONDS = 1.25
STYLE = """
  text { font: 12px ui-sans-serif, system-ui, "DejaVu Sans", sans-serif; fill: #23272e }
  .lane { stroke: #b9ad92; stroke-dasharray: 3 4 }
  .who { font-weight: 600; font-size: 13px; text-anchor: middle }
  .time { font: 10px ui-monospace, "DejaVu Sans Mono", monospace; fill: #5d6168; white-space: pre }
  .arrow { stroke: #0067a3; stroke-width: 1.6; fill: none; marker-end: url(#head) }
  .label { text-anchor: middle; fill: #0b4a70 }
  .cut { text-anchor: middle; fill: #5d6168; font-style: italic }
  .note { fill: #7a3a00 }
  .dot { fill: #b8480a }
  @media (prefers-color-scheme: dark) {
    text { fill: #ece7db } .time, .cut { fill: #a8a294 } .label { fill: #8cc8f0 } .note { fill: #f0b07a }
    .arrow { stroke: #56b4e9 } #head path { fill: #56b4e9 }
  }
"""


HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z" fill="#0067a3"/></marker></defs>'
)


@dataclass(frozen=True, slots=True)
class Arrow:
    """A message: from one lane to another, between two virtual times."""

    source: str
    destination: str
    sent_us: int
    landed_us: int
    label: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened in one lane."""

    lane: str
    at_us: int
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What a diagram shows: its lanes from left to right, and what happened."""

    title: str
    lanes: Sequence[str]
    arrows: Sequence[Arrow]
    notes: Sequence[Note]


class Ruler:
    """Virtual time down the page; where nothing happens for long, the stretch is cut short and says so."""

    def __init__(self, moments_us: Sequence[int]) -> None:
        self._moments_us = sorted(set(moments_us))
        self._ys = [float(TOP_PIXELS)]
        self.cuts: list[tuple[float, float]] = []
        for earlier_us, later_us in pairwise(self._moments_us):
            seconds = (later_us - earlier_us) / 1_000_000
            shown = min(seconds, LONGEST_SHOWN_SECONDS)
            if seconds > shown:
                self.cuts.append((self._ys[-1] + shown * PIXELS_PER_SECOND / 2, seconds))
            self._ys.append(self._ys[-1] + shown * PIXELS_PER_SECOND)

    @property
    def end(self) -> float:
        """Where the last moment is."""
        return self._ys[-1]

    def y(self, at_us: int) -> float:
        """Where a moment is; it must be one of those given."""
        return self._ys[self._moments_us.index(at_us)]

    def seconds(self, at_us: int) -> float:
        """A moment in seconds since the first."""
        return (at_us - self._moments_us[0]) / 1_000_000


def draw(scene: Scene) -> str:
    """The scene as a complete SVG document; the first thing that happens is at the top."""
    moments_us = [note.at_us for note in scene.notes]
    moments_us += [at_us for arrow in scene.arrows for at_us in (arrow.sent_us, arrow.landed_us)]
    ruler = Ruler(moments_us)
    height = ruler.end + 40
    width = MARGIN_PIXELS + LANE_PIXELS * (len(scene.lanes) - 1) + 300

    def x(lane: str) -> float:
        return MARGIN_PIXELS + LANE_PIXELS * scene.lanes.index(lane)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{escape(scene.title)}</title><style>{STYLE}</style>",
        HEAD,
    ]
    for lane in scene.lanes:
        parts.append(f'<text class="who" x="{x(lane):.1f}" y="24">{escape(lane)}</text>')
        parts.append(f'<line class="lane" x1="{x(lane):.1f}" x2="{x(lane):.1f}" y1="36" y2="{height - 12:.1f}"/>')
    for y, seconds in ruler.cuts:
        parts.append(f'<text class="cut" x="{width / 2:.1f}" y="{y:.1f}">{seconds:.1f} s pass</text>')
    for arrow in scene.arrows:
        parts += _arrow(arrow, x(arrow.source), x(arrow.destination), ruler)
    for lane in scene.lanes:
        from_right = {one.landed_us for one in scene.arrows if one.destination == lane and x(one.source) > x(lane)}
        parts += _notes([note for note in scene.notes if note.lane == lane], x(lane), from_right, ruler)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _arrow(arrow: Arrow, left: float, right: float, ruler: Ruler) -> Iterator[str]:
    """A line with its words lying on it."""
    top, bottom = ruler.y(arrow.sent_us), ruler.y(arrow.landed_us)
    yield f'<line class="arrow" x1="{left:.1f}" y1="{top:.1f}" x2="{right:.1f}" y2="{bottom:.1f}"/>'
    slope = degrees(atan2(bottom - top, right - left))
    upright = slope - 180 if slope > 90 else slope
    middle = f"translate({(left + right) / 2:.1f} {(top + bottom) / 2:.1f}) rotate({upright:.1f})"
    yield f'<text class="label" transform="{middle}" y="15">{escape(arrow.label)}</text>'


def _notes(notes: Sequence[Note], x: float, from_right: set[int], ruler: Ruler) -> Iterator[str]:
    """The dots of one lane with their words and times; words lie neither on each other nor on an arrow that lands."""
    lowest = 0.0
    for note in sorted(notes, key=lambda one: one.at_us):
        at = ruler.y(note.at_us)
        line = max(at + 15 if note.at_us in from_right else at - 6, lowest + 15)
        lowest = line
        yield f'<circle class="dot" cx="{x:.1f}" cy="{at:.1f}" r="3.5"/>'
        time = f'<tspan class="time">{ruler.seconds(note.at_us):.2f} s  </tspan>'
        yield f'<text class="note" x="{x + 9:.1f}" y="{line:.1f}">{time}{escape(note.text)}</text>'
