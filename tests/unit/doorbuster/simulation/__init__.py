"""A small world around the real decisions: databases, topics and groups in memory, driven by one seed.

Buyers fight for units and for coupons. Everything that may go wrong between two effects goes wrong: crashes, lost and
repeated messages, reorders, late zombies.

To see what happened under a seed, with or without a planted defect:

    PYTHONPATH=apps/src:. .venv/bin/python -m tests.unit.doorbuster.simulation SEED [DEFECT]
"""
