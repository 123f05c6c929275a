"""The consumer groups: one process each, one file each."""
