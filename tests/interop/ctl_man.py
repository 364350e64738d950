#!/usr/bin/env python3
"""Every command and option that the ctl programs have stands in their manual page, and no other command does."""
import os
import re
import subprocess
import sys

BIN = os.environ.get("WEFT_BIN", "build/asan/bin")
SRC = os.environ.get("WEFT_SRC", ".")


def main():
    problems = 0
    for program in ("weft-nbctl", "weft-sbctl", "weft-vsctl", "weft-dbctl"):
        def ask(option):
            return subprocess.run([os.path.join(BIN, program), option], capture_output=True, text=True,
                                  check=True).stdout.splitlines()
        page = open(os.path.join(SRC, "docs/man", program + ".8")).read().replace("\\-", "-")
        has = {line.split("\t")[0] for line in ask("--commands")}
        body = page[page.index(".SH COMMANDS"):page.index(".SH OPTIONS")]
        says = set(re.findall(r"^(?:\[[^\n]*\] )?\\fB([^\\\n]+)\\fR", body, re.M))
        for name in sorted(has ^ says):
            print(f"{program}: {name} is {'not in the manual page' if name in has else 'not a command'}")
            problems += 1
        for option in ask("--options"):
            if option.rstrip("=") not in page:
                print(f"{program}: option {option} is not in the manual page")
                problems += 1
    print("manual pages of the ctl programs:", "%d problems" % problems if problems else "complete")
    return 1 if problems else 0


sys.exit(main())
