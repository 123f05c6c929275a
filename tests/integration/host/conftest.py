"""Only root on Linux starts an engine of its own, so only there is something to restore, and to collect."""

import os
import sys

collect_ignore = [] if sys.platform == "linux" and os.geteuid() == 0 else ["test_restore.py"]
