import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.repository import files, shown, text_of

# Debian's engine (20.10) builds without BuildKit; each of these needs it.
BUILDKIT_ONLY = {
    "option of RUN": re.compile(r"^\s*RUN\s+--", re.IGNORECASE),
    "option of COPY or ADD": re.compile(r"^\s*(COPY|ADD)\s.*--(chmod|link|parents|exclude|checksum)\b", re.IGNORECASE),
    "here-document": re.compile(r"^\s*(RUN|COPY|ADD)\b.*<<-?[\"']?\w", re.IGNORECASE),
    "directive": re.compile(r"^#\s*(syntax|check)\s*=", re.IGNORECASE),
    "automatic argument": re.compile(r"^\s*ARG\s+(TARGET|BUILD)(ARCH|OS|PLATFORM|VARIANT)\b", re.IGNORECASE),
}
DOCKERFILES = files("Dockerfile", "*.Dockerfile", "Containerfile")


def complaints(dockerfile: str) -> Iterator[str]:
    for line in re.sub(r"\\\n", " ", dockerfile).splitlines():
        yield from (f"{name}: {line.strip()}" for name, pattern in BUILDKIT_ONLY.items() if pattern.search(line))


@pytest.mark.parametrize(
    "line",
    [
        "RUN --mount=type=cache,target=/x true",
        "COPY --chmod=755 a /a",
        "COPY --from=x \\\n  --link a /a",
        "RUN <<EOF",
        "COPY <<'EOF' /etc/x",
        "# syntax=docker/dockerfile:1",
        "ARG TARGETARCH",
    ],
)
def test_syntax_of_buildkit_is_recognised(line: str) -> None:
    assert len(list(complaints(f"FROM x\n{line}\n"))) == 1


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=shown)
def test_a_dockerfile_needs_no_buildkit(dockerfile: Path) -> None:
    assert list(complaints(text_of(dockerfile))) == []


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=shown)
def test_a_dockerfile_fetches_nothing(dockerfile: Path) -> None:
    # Images are built without network: packages are in the base, everything else in the context.
    fetching = re.compile(r"\b(apt-get|apt|curl|wget|pip|npm|go) (update|install|get|-|http)")

    assert fetching.findall(text_of(dockerfile)) == []
