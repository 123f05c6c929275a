"""What a command is told when it may not be done: no error, an answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A command that changed nothing, and why.

    Attributes:
        code: the fact in kebab-case; stable, clients compare it.
        detail: one sentence for a person.
        field: path of the field that is wrong, such as `lines[2].quantity`; None when no single field is.
    """

    code: str
    detail: str
    field: str | None = None
