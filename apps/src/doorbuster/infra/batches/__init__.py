"""Commands and messages in batches: one transaction, exactly one effect (R1, R3, R7)."""
