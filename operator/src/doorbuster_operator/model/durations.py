"""Durations as people write them in a manifest: `10s`, `1m30s`, `250ms`."""

import re

# Go's form, which Kubernetes users know, without the units that nobody scales by. The CRD has the same pattern.
PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """Return a duration in seconds.

    Raises:
        ValueError: the text is no duration.
    """
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} is no duration: write it like 10s, 1m30s or 250ms")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
