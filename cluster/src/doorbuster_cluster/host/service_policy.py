"""Keeps the services of packages stopped while they are installed.

Debian's maintainer scripts ask /usr/sbin/policy-rc.d, where there is one, before they start a service; 101 means that
they must not (invoke-rc.d's policy layer, deb-systemd-invoke(1p)).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
MARK = "# Written by doorbuster while it installs packages; delete it if no installation runs."
SCRIPT = f"#!/bin/sh\n{MARK}\nexit 101\n"


@contextmanager
def services_stay_stopped(policy: Path = POLICY) -> Iterator[None]:
    """Forbid packages to start services while the block runs; a policy of the machine's own comes back afterwards."""
    restore_policy(policy)
    if policy.exists():
        policy.rename(_kept(policy))
    policy.write_text(SCRIPT)
    policy.chmod(0o755)
    try:
        yield
    finally:
        restore_policy(policy)


def restore_policy(policy: Path = POLICY) -> None:
    """Take our policy away and put the machine's own back, also when the run that put it there was killed."""
    if policy.exists() and MARK in policy.read_text(errors="replace"):
        policy.unlink()
    if _kept(policy).exists() and not policy.exists():
        _kept(policy).rename(policy)


def _kept(policy: Path) -> Path:
    return policy.with_name(f"{policy.name}.before-doorbuster")
