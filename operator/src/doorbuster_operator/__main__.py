"""The operator: `python -m doorbuster_operator`, told by its environment, until SIGTERM."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

import structlog

from doorbuster_operator.ports import OperatorError
from doorbuster_operator.settings import UnusableSettings, described, read_settings

TEXT = """\
Sizes consumers by what arrives, what waits and what one replica can do.
It looks at every ConsumerScaler of its namespaces each few seconds, and says in its status why it did what it did."""
MORE = """\
environment variables:
{variables}

Metrics are at /metrics and liveness at /healthz. SIGTERM ends it within a few seconds. It exits with 0 when it was
asked to end, with 1 after an error, with 2 when the environment makes no sense."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until SIGTERM; exits with 2 when the environment makes no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m doorbuster_operator",
        description=TEXT,
        epilog=MORE.format(variables=described()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(arguments)
    try:
        settings = read_settings()
    except UnusableSettings as error:
        sys.stderr.write(f"{error}\nAll variables: {parser.prog} --help\n")
        sys.exit(2)
    # Not before: they take a second, which `--help` needn't.
    from doorbuster_operator.handlers import assembly, logs, process  # noqa: PLC0415

    logs.configure(settings.log_level)
    log = structlog.get_logger()
    try:
        with assembly.connected(settings) as (namespaces, leadership):
            asyncio.run(process.run(settings, namespaces, leadership))
    except (OperatorError, OSError) as error:
        log.error("operator_cannot_run", problem=str(error))  # noqa: TRY400  # the sentence says all
        sys.exit(1)
    except Exception:
        log.exception("operator_crashed")
        sys.exit(1)


if __name__ == "__main__":
    main()
