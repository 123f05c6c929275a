"""Which scalers have the same target: two that act would take each other's orders for a person's, for ever."""

from collections.abc import Mapping, Sequence

from doorbuster_operator.ports import Json
from doorbuster_operator.reconcilers.objects import Manifest


def older_rivals(manifests: Sequence[Manifest]) -> Mapping[str, str]:
    """Return for each scaler that may not act the name of the one that acts instead.

    Args:
        manifests: all scalers of one namespace. Of those with the same target the oldest acts; of those made in the
            same second the first by name.
    """
    acting: dict[str, str] = {}
    rivals: dict[str, str] = {}
    for manifest in sorted(manifests, key=_age_and_name):
        name, target = _text_at(manifest, "metadata", "name"), _text_at(manifest, "spec", "targetRef", "name")
        if target and acting.setdefault(target, name) != name:
            rivals[name] = acting[target]
    return rivals


def _age_and_name(manifest: Manifest) -> tuple[str, str]:
    # The API server's times sort as texts.
    return _text_at(manifest, "metadata", "creationTimestamp"), _text_at(manifest, "metadata", "name")


def _text_at(manifest: Manifest, *path: str) -> str:
    value: Json = manifest
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""
