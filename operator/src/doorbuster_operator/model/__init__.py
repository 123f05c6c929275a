"""Values that everything else speaks in: what is wanted, what was seen, what was decided. No input or output."""
