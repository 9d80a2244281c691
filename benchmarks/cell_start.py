"""What confinement costs: a cell confined and ready at T3, against a bare fork of a zygote of the same kind.

    python benchmarks/cell_start.py [--cells 60]

Both zygotes have imported the same modules; cells are opened in turn, one of each, so that whatever else the machine
does meets both. Memory is what an idle cell holds for itself alone (Private_* of smaps_rollup; needs root).
"""

import argparse
import statistics
import time
from pathlib import Path

from grader.course import Course
from grader.sandbox.cell import Bounds
from grader.sandbox.warden import Warden


def opened(cells: Warden) -> tuple[float, int]:
    """Seconds until a cell is ready, and the bytes that it holds for itself (0 if that cannot be read)."""
    began = time.perf_counter()
    cell = cells.open(Bounds())
    seconds = time.perf_counter() - began
    try:
        lines = Path(f"/proc/{cell.pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        lines = []
    own = sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Private_"))
    cell.close()
    return seconds, own


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=60)
    n = parser.parse_args().cells
    about = Course.ours().about
    with Warden(about.packages, about.preload) as t3, Warden(about.packages, about.preload, at_most="T1") as t1:
        print(f"confined: {t3.confinement().tier}, bare: {t1.confinement().tier}")
        pairs = [(opened(t3), opened(t1)) for _ in range(n + 5)][5:]
    confined, bare = (sorted(p[i][0] * 1000 for p in pairs) for i in (0, 1))
    for name, times in (("confined", confined), ("bare fork", bare)):
        print(f"  {name:10} median {statistics.median(times):6.1f} ms   p95 {times[int(0.95 * len(times))]:6.1f} ms")
    extra = statistics.median(confined) - statistics.median(bare)
    ratio = statistics.median(confined) / statistics.median(bare)
    print(f"  confinement costs {extra:.1f} ms ({ratio:.2f} times the bare fork)")
    print(f"  an idle confined cell holds {statistics.median(p[0][1] for p in pairs) / (1 << 20):.1f} MiB of its own")


if __name__ == "__main__":
    main()
