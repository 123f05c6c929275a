"""The machine itself: what it has, what is missing, and how it is brought back to what it was."""
