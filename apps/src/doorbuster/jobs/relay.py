"""Sends what waits in the outbox to Kafka: `python -m doorbuster.jobs.relay`. Replicas beyond the first stand by."""

from doorbuster.bootstrap import jobs


def main() -> None:
    """Run until SIGTERM."""
    jobs.run_process(jobs.relay)


if __name__ == "__main__":
    main()
