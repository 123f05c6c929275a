"""ConsumerScalers as the API server gives them, and what is wrong with their specs."""

from collections.abc import Mapping

from pydantic import ValidationError

from doorbuster_operator.model.spec import ScalerSpec
from doorbuster_operator.ports import Json, OperatorError, ScalerObject

Manifest = Mapping[str, Json]
"""An object as the API server has it: metadata, spec, status."""


class InvalidSpec(OperatorError):
    """The spec makes no sense; the message names the field."""


class TargetShared(OperatorError):
    """An older scaler has the same target; the message names it."""


def scaler_in(manifest: Manifest) -> ScalerObject:
    """Return the object of a manifest; what the API server always fills in is taken for granted."""
    metadata = _mapping(manifest.get("metadata"))
    generation = metadata.get("generation")
    return ScalerObject(
        name=str(metadata["name"]),
        uid=str(metadata["uid"]),
        generation=generation if isinstance(generation, int) else 0,
        spec=_mapping(manifest.get("spec")),
        status=_mapping(manifest.get("status")),
    )


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def spec_of(scaler: ScalerObject) -> ScalerSpec:
    """Return the spec.

    Raises:
        InvalidSpec: it can't be used.
    """
    try:
        return ScalerSpec.model_validate(scaler.spec)
    except ValidationError as error:
        raise InvalidSpec(_complaint(error)) from error


def _complaint(error: ValidationError) -> str:
    """Return a sentence about the first thing that is wrong, and how many more there are."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    first = problems[0]
    field = ".".join(("spec", *(str(part) for part in first["loc"])))
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{field}: {first['msg'].removeprefix('Value error, ')}{more}."
