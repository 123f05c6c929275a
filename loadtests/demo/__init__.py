"""`make demo`: a flash sale on the local cluster, against a consumer that is too slow, with the operator or without.

Reads from the top down: `__main__` is the command line, `course` the steps; what they stand on is `loadtests.rig`.
What is decided is pure: `plan`, `observation`, `gathering`.
"""
