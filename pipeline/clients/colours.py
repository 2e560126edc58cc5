"""Colours: read as CSS and HTML write them, laid over each other, compared (WCAG 2.2), turned over in lightness."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import tinycss2.color4


@dataclass(frozen=True, slots=True)
class Colour:
    """An sRGB colour; red, green and blue from 0 to 255, alpha from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def over(self, below: Colour) -> Colour:
        """Return what is seen of this colour on top of an opaque one (Compositing 1, 5.1)."""
        if self.alpha >= 1:
            return self
        mixed = (
            one * self.alpha + other * (1 - self.alpha)
            for one, other in zip(self.channels, below.channels, strict=True)
        )
        return Colour(*mixed)

    @property
    def channels(self) -> tuple[float, float, float]:
        """Red, green and blue."""
        return self.red, self.green, self.blue

    @property
    def luminance(self) -> float:
        """Return the relative luminance, from 0 to 1 (WCAG 2.2, "relative luminance")."""
        red, green, blue = (_linear(channel / 255) for channel in self.channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def __str__(self) -> str:
        """Write it as #RRGGBB, with two digits more if it is not opaque."""
        digits = "".join(f"{round(channel):02X}" for channel in self.channels)
        return f"#{digits}" if self.alpha >= 1 else f"#{digits}{round(self.alpha * 255):02X}"


BLACK, WHITE, NOTHING = Colour(0, 0, 0), Colour(255, 255, 255), Colour(0, 0, 0, 0)


@lru_cache(maxsize=4096)
def ratio(one: Colour, other: Colour) -> float:
    """Return the contrast of two opaque colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    dark, light = sorted((one.luminance, other.luminance))
    return (light + 0.05) / (dark + 0.05)


@lru_cache(maxsize=4096)
def css_colour(text: str) -> Colour | None:
    """Read a colour as CSS writes it; None for what is none, or none that can be computed (currentColor, var())."""
    found = tinycss2.color4.parse_color(text.strip())
    if found is None or isinstance(found, str):
        return None
    try:
        red, green, blue, alpha = (min(1.0, max(0.0, channel or 0.0)) for channel in found.to("srgb"))
    except NotImplementedError:
        return None
    return Colour(red * 255, green * 255, blue * 255, alpha)


def html_colour(text: str) -> Colour | None:
    """Read a colour as a `bgcolor` attribute writes it: a name, or six digits with or without # (HTML, 2.3.6)."""
    text = text.strip()
    found = css_colour(text) if text.startswith("#") or text.isalpha() else None
    return found or css_colour(f"#{text.lstrip('#')}")


def inverted(colour: Colour, lightest: float) -> Colour:
    """Return the colour with its lightness turned over, hue and alpha kept: CIELAB's L becomes `lightest` - L."""
    lightness, a, b = _to_lab(colour)
    red, green, blue = _from_lab(max(0.0, min(lightest - lightness, 100.0)), a, b)
    return Colour(red, green, blue, colour.alpha)


# CIELAB with the white of D50, from and to sRGB (CSS Color 4, 10.2 and 18: sample code's constants).
_WHITE = (0.9642956764295677, 1.0, 0.8251046025104602)
_TO_XYZ = (
    (0.4360657, 0.3851515, 0.1430784),
    (0.2224932, 0.7168870, 0.0606169),
    (0.0139239, 0.0970812, 0.7140994),
)
_FROM_XYZ = (
    (3.1341359, -1.6173863, -0.4906619),
    (-0.9787955, 1.9162544, 0.0334427),
    (0.0719550, -0.2289768, 1.4053860),
)
_EDGE, _SLOPE = 216 / 24389, 24389 / 27


def _to_lab(colour: Colour) -> tuple[float, float, float]:
    linear = tuple(_linear(channel / 255) for channel in colour.channels)
    x, y, z = (
        sum(factor * channel for factor, channel in zip(row, linear, strict=True)) / white
        for row, white in zip(_TO_XYZ, _WHITE, strict=True)
    )
    x, y, z = (value ** (1 / 3) if value > _EDGE else (_SLOPE * value + 16) / 116 for value in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _from_lab(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    y = (lightness + 16) / 116
    cubes = (y + a / 500, y, y - b / 200)
    xyz = [
        (cube**3 if cube**3 > _EDGE else (116 * cube - 16) / _SLOPE) * white
        for cube, white in zip(cubes, _WHITE, strict=True)
    ]
    red, green, blue = (
        _encoded(sum(factor * value for factor, value in zip(row, xyz, strict=True))) * 255
        for row in _FROM_XYZ
    )
    return red, green, blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _encoded(channel: float) -> float:
    channel = min(1.0, max(0.0, channel))
    return channel * 12.92 if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055
