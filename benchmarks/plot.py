"""The figures as one picture: a bar a contender, its median, and a line for the middle half of the rounds."""

from html import escape
from typing import Any

WIDTH = 900
LEFT = 240
RIGHT = 130
BAR = 16
ROW = 24
HEAD = 46
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #222 } .title { font-weight: 600; font-size: 15px }
.small { font-size: 11px; fill: #666 } .bar { fill: #9db4c8 } .ours { fill: #2b6cb0 } .middle { stroke: #222 }
.met { fill: #2f855a } .missed { fill: #c53030 } .page { fill: #fff }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .small { fill: #999 } .bar { fill: #4a5b6c } .ours { fill: #63a4e0 } .middle { stroke: #eee }
  .met { fill: #68d391 } .missed { fill: #fc8181 } .page { fill: #161a1e }
}
"""


def plot(report: dict[str, Any]) -> str:
    """A whole SVG document, light or dark as the reader's system is."""
    parts: list[str] = []
    y = 28
    machine = report["machine"]
    parts.append(_text(16, y, "Offsetscope: the log beside others", "title"))
    where = f"{machine['python']} ({machine['build']}), {machine['processor']}, {machine['file_system']}, "
    parts.append(_text(16, y + 18, where + report["measured_at"][:10], "small"))
    y += 44
    for comparison in report["comparisons"]:
        parts.append(_chart(comparison, y))
        y += HEAD + ROW * len(comparison["contenders"])
    parts.append(_text(16, y + 14, "Goals", "title"))
    for goal in report["goals"]:
        y += 20
        parts.append(_goal(goal, y + 14))
    height = y + 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Bars: how many messages a second each store takes and gives back">\n<style>{STYLE}</style>\n'
        f'<rect class="page" width="{WIDTH}" height="{height}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _chart(comparison: dict[str, Any], top: int) -> str:
    contenders = comparison["contenders"]
    most = max(figures["rate"]["high"] for figures in contenders.values())
    scale = (WIDTH - LEFT - RIGHT) / most
    parts = [_text(16, top + 14, f"{comparison['title']} ({comparison['unit']} a second)", "title")]
    for row, (name, figures) in enumerate(contenders.items()):
        y = top + HEAD - 20 + row * ROW
        rate = figures["rate"]
        kind = "ours" if name.startswith("log") or name == comparison["held_against"] else "bar"
        width = max(1.0, rate["median"] * scale)
        low, high = LEFT + rate["low"] * scale, LEFT + rate["high"] * scale
        middle = y + BAR / 2
        parts.append(_text(LEFT - 8, y + 13, name, "", anchor="end"))
        parts.append(f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"/>')
        parts.append(f'<path class="middle" d="M{low:.1f} {middle}H{high:.1f}"/>')
        parts.append(_text(round(max(high, LEFT + width)) + 8, y + 13, f"{rate['median']:,.0f}", "small"))
    return "\n".join(parts)


def _goal(goal: dict[str, Any], y: int) -> str:
    verdict = "met" if goal["met"] else "missed"
    text = f"{verdict}: {goal['text']}: {goal['found']:.3g} (wanted {goal['wanted']:.3g})"
    return _text(24, y, text, verdict)


def _text(x: int, y: int, text: str, kind: str, *, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
