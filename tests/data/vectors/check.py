#!/usr/bin/env python3
"""check.py WEFT-LFLOW: holds the program to the vectors beside this file and prints the counts.

A record is lines "key: value" up to an empty line; "in" is the input. Records of the early dialect are passed over. Inputs
that occur several times have several right answers. An "error" is any error; "valid" any answer without one; "prereqs" is
compared where the record has it; the order of "out" lines of matches is free.
"""
import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
program = sys.argv[1]


def records(path):
    with open(path, encoding="utf-8") as f:
        for block in f.read().split("\n\n"):
            pairs = []
            for line in block.split("\n"):
                if line:
                    key, _, value = line.partition(":")
                    pairs.append((key, value[1:] if value.startswith(" ") else value))
            if pairs:
                yield pairs


def cases(kind):
    """(input line, expected pairs) of a file."""
    for rec in records(os.path.join(here, kind + ".txt")):
        if ("dialect", "early") in rec:
            continue
        if kind != "eval":
            yield rec[0][1], [p for p in rec[1:] if p[0] != "dialect"]
            continue
        packet, text = rec[0][1], None
        for key, value in rec[1:]:
            if key == "in":
                text = value
            else:
                yield packet + "\t" + text, [(key, value)]


def agrees(kind, want, got):
    has_error = any(k == "error" for k, _ in got)
    if want[0][0] == "error":
        return has_error
    if has_error:
        return False
    if want[0][0] == "valid":
        return bool(got)
    wanted = {k for k, _ in want}
    seen = [p for p in got if p[0] in wanted]
    return sorted(seen) == sorted(want) if kind == "matches" else seen == want


def main():
    failed = 0
    for kind in sorted(f[:-4] for f in os.listdir(here) if f.endswith(".txt")):
        wants = {}
        for text, want in cases(kind):
            wants.setdefault(text, []).append(want)
        run = subprocess.run([program, kind], input="".join(t + "\n" for t in wants), text=True, stdout=subprocess.PIPE,
                             check=True)
        answers = [[tuple(line.split(": ", 1)) if ": " in line else (line.rstrip(":"), "") for line in a.split("\n")]
                   for a in run.stdout.split("\n\n") if a]
        okay = 0
        for (text, want), got in zip(wants.items(), answers):
            if any(agrees(kind, w, got) for w in want):
                okay += 1
            else:
                print("%s: %s\n  want %s\n  got  %s" % (kind, text, want, got))
        print("%-12s %5d of %5d" % (kind, okay, len(wants)))
        failed += len(wants) - okay
    return failed != 0


sys.exit(main())
