"""Writes every dashboard to the folder of the chart, or to the one that is named."""

import sys
from pathlib import Path

from doorbuster_dashboards.dashboards import texts

CHART_FOLDER = Path(__file__).parents[2] / "files" / "dashboards"


def main(folder: Path) -> None:
    """Write the dashboards as `<name>.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (folder / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else CHART_FOLDER)
