"""What to do, as functions of what was seen: no clock, no input or output."""
