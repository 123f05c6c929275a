"""Orders, and the saga that leads each of them to PAID or FAILED."""
