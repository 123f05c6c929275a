"""The side of kopf: what is watched, the ticks, the probes."""
