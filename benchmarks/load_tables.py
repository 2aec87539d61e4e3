"""The tables of a load test: pictures a second and latencies, and the memory of the servers."""

import operator
import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.load_clients import Load

Loads = Mapping[int, Mapping[str, Sequence[Load]]]  # those of all rounds, by the number of clients and by the server


def clients(number: int) -> str:
    """Return a number of clients as text."""
    return f"{number} client{'s' if number > 1 else ''}"


def speeds_table(loads: Loads) -> list[str]:
    """Return a table of pictures a second and latencies; ratios are against the first server."""
    first = next(iter(next(iter(loads.values()))))
    lines = [
        f"| server | clients | pictures/s | x {first} | p50 s | p95 s | p99 s | cartoons | refused | peak MB |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for number, by_server in loads.items():
        peers = [load.pictures_per_sec for load in by_server[first]]
        for server, rounds in by_server.items():
            speeds = [load.pictures_per_sec for load in rounds]
            latencies = [secs for load in rounds for secs in load.latencies_secs]
            percentiles = " | ".join(f"{secs:.2f}" for secs in np.percentile(latencies, (50, 95, 99)))
            lines.append(
                f"| {server} | {number} | {statistics.median(speeds):.2f} | "
                f"{statistics.median(map(operator.truediv, speeds, peers)):.2f} | {percentiles} | {len(latencies)} | "
                f"{sum(load.num_refused for load in rounds)} | {_peak_bytes(rounds) / 1e6:,.0f} |"
            )
    return lines


def memory_table(loads: Loads, loaded_bytes: Mapping[str, int], megapixels: float) -> list[str]:
    """Return a table of the memory that requests take above the loaded server's, for each of those under way.

    Args:
      loads: the loads, with ascending numbers of clients.
      loaded_bytes: memory of each server before its first request.
      megapixels: size of the largest cartoon.
    """
    lines = [
        f"| server | loaded MB | {' | '.join(map(clients, loads))} |",
        f"| --- | --: |{' --: |' * len(loads)}",
    ]
    for server, before in loaded_bytes.items():
        above = [
            (_peak_bytes(by_server[server]) - before) / 1e6 / number / megapixels for number, by_server in loads.items()
        ]
        lines.append(f"| {server} | {before / 1e6:,.0f} | {' | '.join(f'{mb:,.0f}' for mb in above)} |")
    return ["MB more for each client and each million pixels of its largest cartoon:", "", *lines]


def _peak_bytes(rounds: Sequence[Load]) -> int:
    return max(load.peak_bytes for load in rounds)
