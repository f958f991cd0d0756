"""Colours as people see them: contrast, distance, and what is left of both with a colour-vision deficiency."""

import math
from dataclasses import dataclass

Matrix = tuple[tuple[float, float, float], ...]

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
DEFICIENCIES: dict[str, Matrix] = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
# Linear sRGB to XYZ, and the white of D65.
TO_XYZ: Matrix = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE = (0.95047, 1.0, 1.08883)


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour as linear RGB, each from 0 to 1."""

    linear: tuple[float, float, float]

    @classmethod
    def of_hex(cls, text: str) -> "Colour":
        channels = [int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return cls((red, green, blue))

    def seen_with(self, deficiency: str) -> "Colour":
        red, green, blue = (min(1.0, max(0.0, c)) for c in _times(DEFICIENCIES[deficiency], self.linear))
        return Colour((red, green, blue))

    @property
    def luminance(self) -> float:
        return _times(TO_XYZ, self.linear)[1]

    def contrast(self, other: "Colour") -> float:
        """WCAG 2: 1 to 21."""
        light, dark = sorted((self.luminance, other.luminance), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    @property
    def lab(self) -> tuple[float, float, float]:
        def scaled(value: float) -> float:
            return math.cbrt(value) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116

        x, y, z = (scaled(c / w) for c, w in zip(_times(TO_XYZ, self.linear), WHITE, strict=True))
        return 116 * y - 16, 500 * (x - y), 200 * (y - z)

    def distance(self, other: "Colour") -> float:
        """CIEDE2000: about 1 is just noticeable, 10 is seen at a glance."""
        return ciede2000(self.lab, other.lab)


def _times(matrix: Matrix, vector: tuple[float, float, float]) -> tuple[float, float, float]:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def ciede2000(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """How far two colours in CIE Lab are apart."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_chroma = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1)) % 360, math.degrees(math.atan2(b2, a2)) % 360
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue_difference = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    hue = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * math.cos(math.radians(hue - 30))
        + 0.24 * math.cos(math.radians(2 * hue))
        + 0.32 * math.cos(math.radians(3 * hue + 6))
        - 0.20 * math.cos(math.radians(4 * hue - 63))
    )
    of_light = 1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2)
    of_chroma, of_hue = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    turned = math.sin(math.radians(60 * math.exp(-(((hue - 275) / 25) ** 2))))
    rotation = -2 * math.sqrt(chroma**7 / (chroma**7 + 25**7)) * turned
    parts = ((l2 - l1) / of_light, (c2 - c1) / of_chroma, hue_difference / of_hue)
    return math.sqrt(sum(part * part for part in parts) + rotation * parts[1] * parts[2])
