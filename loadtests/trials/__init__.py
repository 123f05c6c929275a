"""`make scenario`: a load of one of the source documents on the local cluster, judged by its own figures and limits.

Reads from the top down: `__main__` is the command line, `run` a whole run, `steps` what all scenarios do, then a module
for each kind of scenario. What is decided is pure: `catalogue`, `plan`, and the limits in `limits`.
"""
