"""Run the benchmarks and print one table: `python -m tests.benchmarks [NAME…]`.

Absolute times say little on a shared machine, so each figure stands beside what plain git, or another
baseline, needed in the same run. GITMEM_CORPUS names a folder of real transcripts; without it they are made,
seeded, and the table says so.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks import (
    captures,
    databases,
    digest,
    embedding,
    erasing,
    false_positives,
    hooks,
    imports,
    mcp,
    million,
    readers,
    reads,
    redaction,
    sealed,
    sidecar,
    since,
    sizes,
    submodules,
    sync,
    vectors,
    why,
)
from tests.benchmarks.table import Row, show

BENCHMARKS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "import": imports.run,
    "capture": captures.run,
    "databases": databases.run,
    "hooks": hooks.run,
    "digest": digest.run,
    "size": sizes.run,
    "read": reads.run,
    "readers": readers.run,
    "redaction": redaction.run,
    "false-positives": false_positives.run,
    "embedding": embedding.run,
    "erasing": erasing.run,
    "mcp": mcp.run,
    "million": million.run,
    "sealed": sealed.run,
    "sidecar": sidecar.run,
    "since": since.run,
    "sync": sync.run,
    "submodules": submodules.run,
    "vectors": vectors.run,
    "why": why.run,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all, and print their rows as they come."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"no benchmark is named {unknown[0]}: there are {', '.join(BENCHMARKS)}")
    rows: list[Row] = []
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="gitmem-bench-") as folder:
            for row in BENCHMARKS[name](Path(folder)):
                print(f"… {row.what}: {row.measured:.4g} {row.unit}", file=sys.stderr, flush=True)
                rows.append(row)
    show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
