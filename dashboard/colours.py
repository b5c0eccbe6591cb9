"""The colours of the plant's things, in one place. Okabe–Ito for what is named, quiet tones for the rest.

Green and red say better and worse, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

PLAN = "#0072B2"
MEASURED = "#56B4E9"
PV = "#E69F00"
BATTERY = "#009E73"
LIMIT = "#D55E00"
EVENT = "#CC79A7"


@dataclass(frozen=True)
class Inks:
    """The colours of charts and small HTML on one background."""

    page: str
    text: str
    soft: str  # second lines, axis labels
    faint: str  # words in blocked time
    border: str
    as_is: str
    night: str
    no_crew: str
    maintenance: str
    grid: str
    axis: str  # the zero line
    planned: str  # bars as planned
    past: str  # bars that are done
    accepted: str
    on_accepted: str
    hatch: str
    base_load: str
    groups: tuple[str, str, str]  # machine groups, quiet
    band: str
    day: str  # a day's saving under the cumulative line
    price: tuple[str, ...]
    carbon: tuple[str, ...]
    heat: tuple[str, ...]
    price_line: str
    better: str
    worse: str
    doubtful: str
    primary: str = PLAN

    def group(self, place: int) -> str:
        """The tone of the n-th machine group; from the third on they share one."""
        return self.groups[min(place, len(self.groups) - 1)]


LIGHT = Inks(
    page="#FFFFFF",
    text="#1B2127",
    soft="#5B6670",
    faint="#889099",
    border="#E3E6E9",
    as_is="#7D8790",
    night="#F4F5F7",
    no_crew="#E9ECEF",
    maintenance="#C3CAD0",
    grid="#EDEFF1",
    axis="#5B6670",
    planned="#DCE6EE",
    past="#ECF1F6",
    accepted="#6EAED1",
    on_accepted="#0B2A3D",
    hatch="#7FA0B6",
    base_load="#C9CFD5",
    groups=("#7FA9C6", "#A6C4D8", "#CBDDE8"),
    band="#3A434B",
    day="#8FBEDD",
    price=("#F6F2F7", "#D9C6E3", "#AD8CC6", "#7A539F", "#432371"),
    carbon=("#F7F3EC", "#E0D0B6", "#BC9D6F", "#8B6A3D", "#523918"),
    heat=("#F4F7F9", "#C6DDEC", "#7DB4D8", "#3585BB", "#06304F"),
    price_line="#7A539F",
    better="#1A7F4B",
    worse="#B3261E",
    doubtful="#A35200",
)

DARK = Inks(
    page="#14181C",
    text="#E6E9EC",
    soft="#9AA5AF",
    faint="#79838D",
    border="#2E353C",
    as_is="#9AA5AF",
    night="#1B2126",
    no_crew="#262D33",
    maintenance="#363D42",
    grid="#252C32",
    axis="#9AA5AF",
    planned="#2A3A47",
    past="#202A33",
    accepted="#0C4D73",
    on_accepted="#E6F1F8",
    hatch="#5F7C91",
    base_load="#4A545D",
    groups=("#34617F", "#4E7F9F", "#7FA8C2"),
    band="#C8D0D7",
    day="#2F6E98",
    price=("#232A31", "#4B3F72", "#8E5BA6", "#D48BC0", "#FBD3E4"),
    carbon=("#232A31", "#4E4538", "#86704F", "#C3A878", "#F1E2BF"),
    heat=("#1B2126", "#1F3F57", "#2C6A94", "#56A6D6", "#D3ECFA"),
    price_line="#B78AD0",
    better="#4FBF86",
    worse="#F08A80",
    doubtful="#E0A35A",
    primary="#1C7FBD",
)


def inks(theme: str | None) -> Inks:
    """The inks for a theme as the browser names it; light where it does not say."""
    return DARK if theme == "dark" else LIGHT


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def on_scale(value: float, low: float, high: float, scale: Sequence[str]) -> str:
    """The colour of a value on a scale of equally spaced stops; beyond the ends the end's colour."""
    share = 0.5 if high <= low else min(1.0, max(0.0, (value - low) / (high - low)))
    place = share * (len(scale) - 1)
    below = min(int(place), len(scale) - 2)
    rest = place - below
    mixed = (round(a + (b - a) * rest) for a, b in zip(rgb(scale[below]), rgb(scale[below + 1]), strict=True))
    return "#{:02X}{:02X}{:02X}".format(*mixed)


def lightness(colour: str) -> float:
    """Perceived lightness, 0 to 1 (relative luminance of sRGB, gamma 2.2)."""
    red, green, blue = ((part / 255) ** 2.2 for part in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable_on(colour: str) -> str:
    """Black or white, whichever stands out on a colour."""
    return "#FFFFFF" if lightness(colour) < 0.36 else "#1B2127"
