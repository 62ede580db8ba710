"""One work of the PyTorch baseline as a process that waits between measurements.

    python benches/baseline/worker.py bag --width 256 --threads 2

When the work is built it prints one JSON line that describes it: versions, threads, parameter counts. For every line `N` on
standard input it then runs N iterations and prints one JSON line with the seconds of each. End of input ends it.
"""

import argparse
import gc
import json
import sys
import time

import torch

from works import bag, decoder, generate, memory, mixture_of_experts, peer, table_step, top_k

WORKS = {
    "bag": bag,
    "table_step": table_step,
    "top_k": top_k,
    "memory": memory,
    "peer": peer,
    "moe": mixture_of_experts,
    "decoder": decoder,
    "generate": generate,
}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="work", required=True)
    for name, module in WORKS.items():
        command = commands.add_parser(
            name, help=module.__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        command.add_argument("--threads", type=int, default=2, help="threads of one operation")
        command.add_argument("--mode", choices=["eager", "compile"], default="eager", help="as written or compiled")
        module.add_options(command)
    return parser.parse_args(arguments)


def seconds(step, iterations: int) -> list[float]:
    """The seconds of each iteration, without pauses of the garbage collector."""
    measured = []
    gc.disable()
    for _ in range(iterations):
        start = time.perf_counter()
        step()
        measured.append(time.perf_counter() - start)
    gc.enable()
    return measured


def report(**fields) -> None:
    print(json.dumps(fields), flush=True)


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    work = WORKS[options.work].build(options)
    report(
        torch=torch.__version__,
        python=sys.version.split()[0],
        threads=torch.get_num_threads(),
        mode=options.mode,
        parameters=work.parameters,
        table_parameters=work.table_parameters,
    )
    for line in sys.stdin:
        report(seconds=seconds(work.step, int(line)))


if __name__ == "__main__":
    main()
