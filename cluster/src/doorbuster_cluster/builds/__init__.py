"""What is made on this machine where it can't be pulled: programs, file systems, jars and images."""
