"""The kind ConsumerScaler as the chart `operator` installs it, and the schemas in it."""

from tests.unit.charts.rendering import OPERATOR, Manifest, rendered


def kind() -> Manifest:
    """The definition of the kind."""
    manifests = rendered("local", chart=OPERATOR)
    (only,) = (manifest for manifest in manifests if manifest["kind"] == "CustomResourceDefinition")
    return only


def schema_of(part: str) -> Manifest:
    schema: Manifest = kind()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][part]
    return schema


def levels(schema: Manifest, path: str) -> list[tuple[str, Manifest]]:
    """Every schema in the schema, with where it is."""
    below = [
        *((f"{path}.{name}", each) for name, each in schema.get("properties", {}).items()),
        *((f"{path}[]", each) for each in [schema.get("items")] if each),
    ]
    return [(path, schema), *(level for name, each in below for level in levels(each, name))]
