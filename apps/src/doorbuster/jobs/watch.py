"""Looks after the open sagas: `python -m doorbuster.jobs.watch`. Replicas beyond the first stand by."""

from doorbuster.bootstrap import jobs


def main() -> None:
    """Run until SIGTERM."""
    jobs.run_process(jobs.watch)


if __name__ == "__main__":
    main()
