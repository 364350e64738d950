"""The incremental engine alone, on a synthetic program of 50,000 ports (tests/bench/engine.c)."""
import json, os, subprocess
from harness import row


def run(build, quick):
    program = os.path.join(build, "tests", "bench_engine")
    out = subprocess.run([program] + (["--quick"] if quick else []), check=True, text=True, stdout=subprocess.PIPE).stdout
    return [row(r["name"], r["unit"], r["ours"]) for r in map(json.loads, out.splitlines())]
