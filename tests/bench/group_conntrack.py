"""The connection tracker alone: cost of packets, longest call, memory (tests/bench/conntrack.c). CPU time, one thread."""
import json, os, subprocess
from harness import row


def run(build, quick):
    program = os.path.join(build, "tests", "bench_conntrack")
    out = subprocess.run([program] + (["--quick"] if quick else []), check=True, text=True, stdout=subprocess.PIPE).stdout
    return [row(r["name"], r["unit"], r["ours"]) for r in map(json.loads, out.splitlines())]
