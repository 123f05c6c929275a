"""What a run stands on: the local cluster and what it is asked, the load as a process, waits with an end.

Only this package and those above it know the local cluster.
"""
