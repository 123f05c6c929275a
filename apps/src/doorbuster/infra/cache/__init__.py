"""Copies of what MySQL knows, nearer to who reads: bytes in the process and in Redis, with bounds and versions (R6)."""
