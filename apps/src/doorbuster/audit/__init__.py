"""The auditor: reads the tables of all modules in one snapshot, and names what breaks an invariant (R21)."""
