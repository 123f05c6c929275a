"""What runs on this machine: the engine, the registry, the cluster and what is installed in it."""
