"""Exports the lag of all consumer groups, as kafka_exporter does: `python -m doorbuster.jobs.lag_exporter`."""

from doorbuster.bootstrap import jobs


def main() -> None:
    """Run until SIGTERM."""
    jobs.run_process(jobs.lag_exporter)


if __name__ == "__main__":
    main()
