"""What every process has: probes and metrics, an HTTP server, a clean end."""
