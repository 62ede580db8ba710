"""Seconds of a sweep with its runs one after another on all threads, and with several processes of fewer threads each.

    python benches/jobs.py target/release/isoflop                                   # quick, each size, two processes
    python benches/jobs.py target/release/isoflop --size s --micro-batches 1 --rounds 3

Both ways execute the same runs, in turn in every round, each in a new folder: a time contains the preparation of the data, training and
evaluation. The ratio is that of the medians, one after another over several at once: above 1, `--jobs` is faster. Run nothing else at the
same time. Python 3.8 or later without packages.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isoflop", help="the program")
    parser.add_argument("--sweep", default="quick")
    parser.add_argument("--size", nargs="+", default=["s", "m", "l"], help="sizes of the sweep")
    parser.add_argument("--only", default="dense,memory+", help="blocks of the sweep")
    parser.add_argument("--seed", default="0,1", help="seeds of the sweep")
    parser.add_argument("--micro-batches", nargs="+", type=int, default=[1, 2], help="training.micro_batches")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of all processes together")
    parser.add_argument("--rounds", type=int, default=2)
    return parser.parse_args()


def seconds(options, size, micro_batches, jobs):
    """Seconds of the runs in a new folder."""
    with tempfile.TemporaryDirectory() as output:
        command = [options.isoflop, "sweep", options.sweep, "--size", size, "--only", options.only, "--seed", options.seed]
        command += ["--set", f"training.micro_batches={micro_batches}", "--threads", str(options.threads)]
        command += ["--output", output, "--no-report", "--quiet"]
        start = time.perf_counter()
        subprocess.run(command + ["--jobs", str(jobs)], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start


def main():
    options = parse()
    for micro_batches in options.micro_batches:
        for size in options.size:
            times = {1: [], options.jobs: []}
            for _ in range(options.rounds):
                for jobs, measured in times.items():
                    measured.append(seconds(options, size, micro_batches, jobs))
            one, several = (statistics.median(measured) for measured in times.values())
            rounds = [a / b for a, b in zip(*times.values())]
            print(
                f"{options.sweep} {size}, {options.only}, micro_batches {micro_batches}: one after another {one:.1f} s, "
                f"--jobs {options.jobs} {several:.1f} s, ratio {one / several:.2f} [{min(rounds):.2f}, {max(rounds):.2f}]",
                flush=True,
            )


if __name__ == "__main__":
    main()
