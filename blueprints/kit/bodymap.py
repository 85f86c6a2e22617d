"""The parts of the body that a mark can be placed on without a mouse, and where they lie in the outline's own units.

The template draws the outline in a viewBox of 200 × 440, once from the front and once from the back. Left and right are
the child's own: from the front the right arm is on the left of the picture.
"""

from typing import NamedTuple

WIDTH, HEIGHT = 200, 440
VIEWS = ("front", "back")


class Region(NamedTuple):
    """A named place: `x` and `y` are its middle."""

    key: str
    label: str
    view: str
    x: int
    y: int


# In the middle: how far down they lie.
_MIDDLE = {
    "front": (
        ("forehead", "Forehead", 22), ("face", "Face", 40), ("mouth", "Mouth and chin", 54),
        ("neck", "Neck, front", 72), ("chest", "Chest, middle", 115), ("abdomen", "Abdomen", 165),
        ("groin", "Groin", 212),
    ),
    "back": (
        ("head-back", "Back of the head", 32), ("neck-back", "Neck, back", 68),
        ("upper-back", "Upper back, middle", 110), ("lower-back", "Lower back", 165),
    ),
}
# On both sides: how far from the middle, how far down.
_PAIRED = {
    "front": (
        ("eye", "eye", 9, 34), ("cheek", "cheek", 14, 46), ("shoulder", "shoulder", 38, 92),
        ("chest-side", "side of the chest", 22, 112), ("upper-arm", "upper arm", 48, 130),
        ("elbow", "inside of the elbow", 54, 160), ("forearm", "forearm", 60, 188), ("wrist", "wrist", 65, 214),
        ("hand", "palm", 69, 236), ("hip", "hip", 26, 200), ("thigh", "thigh", 20, 260), ("knee", "knee", 20, 312),
        ("shin", "shin", 20, 356), ("foot", "foot", 22, 422),
    ),
    "back": (
        ("ear", "ear, from behind", 20, 40), ("shoulder-blade", "shoulder blade", 24, 105),
        ("upper-arm-back", "back of the upper arm", 48, 130), ("elbow-back", "elbow", 54, 160),
        ("forearm-back", "back of the forearm", 60, 188), ("hand-back", "back of the hand", 69, 236),
        ("buttock", "buttock", 18, 212), ("thigh-back", "back of the thigh", 20, 260),
        ("knee-back", "back of the knee", 20, 312), ("calf", "calf", 20, 352), ("heel", "heel", 20, 420),
    ),
}


def _all() -> list[Region]:
    found = []
    for view in VIEWS:
        found += [Region(key, label, view, WIDTH // 2, y) for key, label, y in _MIDDLE[view]]
        for key, label, away, y in _PAIRED[view]:
            for side, sign in (("right", -1), ("left", 1)):
                x = WIDTH // 2 + away * (sign if view == "front" else -sign)
                found.append(Region(f"{side}-{key}", f"{side.capitalize()} {label}", view, x, y))
    return found


REGIONS = _all()
_BY_KEY = {region.key: region for region in REGIONS}


def region(key: str) -> Region | None:
    """The region of that key, or None."""
    return _BY_KEY.get(key)


def regions(view: str) -> list[Region]:
    """The regions of one view; ValueError for a view that isn't there."""
    if view not in VIEWS:
        raise ValueError(f"there is no view {view!r} of the body")
    return [found for found in REGIONS if found.view == view]


def nearest_region(view: str, x: float, y: float) -> Region:
    """The region whose middle lies nearest to a point."""
    return min(regions(view), key=lambda found: (found.x - x) ** 2 + (found.y - y) ** 2)


def clamp(x: float, y: float) -> tuple[int, int]:
    """The point in whole units, moved onto the picture when it lies outside; ValueError for what is no number."""
    if x != x or y != y:  # NaN
        raise ValueError("a mark needs two numbers")
    return round(min(max(x, 0), WIDTH)), round(min(max(y, 0), HEIGHT))
