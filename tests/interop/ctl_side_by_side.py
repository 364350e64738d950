#!/usr/bin/env python3
"""Runs the same command lines through a peer's tool and through ours, each on databases of its own, and compares exit status, output and messages (uuids, their order and time stamps apart).
The lines are in tests/interop/ctl_*.txt: "PROGRAM ARGUMENTS" as a shell would read them; "#" begins a comment."""
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

BIN = os.environ.get("WEFT_BIN", "build/asan/bin")
SRC = os.environ.get("WEFT_SRC", ".")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|row[0-9a-f_]{36}")
SCHEMAS = {
    "nb": "/usr/share/ovn/ovn-nb.ovsschema",
    "sb": "/usr/share/ovn/ovn-sb.ovsschema",
    "ovs": "/usr/share/openvswitch/vswitch.ovsschema",
}
NOT_COMPARED = ("ovsdb_idl|WARN", "ovn_dbctl|WARN", "ovs_vsctl|WARN", "socket_util|ERR", "db_ctl_base|ERR")
TOOLS = {"ovn-nbctl": "weft-nbctl", "ovn-sbctl": "weft-sbctl", "ovs-vsctl": "weft-vsctl"}


class Side:
    """A server with the three databases, and a folder with the tools to use on it. Everything is the peers', or the
    tools are ours, or tools and server are."""

    def __init__(self, top, name, ours, our_server=False):
        self.dir = os.path.join(top, name)
        os.mkdir(self.dir)
        self.bin = os.path.join(self.dir, "bin")
        os.mkdir(self.bin)
        for peer, weft in TOOLS.items():
            target = os.path.join(os.path.abspath(BIN), weft) if ours else f"/usr/bin/{peer}"
            os.symlink(target, os.path.join(self.bin, peer))
        self.sock = os.path.join(self.dir, "db.sock")
        files = []
        for db, schema in SCHEMAS.items():
            file = os.path.join(self.dir, db + ".db")
            tool = os.path.join(BIN, "weft-dbctl") if our_server else "ovsdb-tool"
            subprocess.run([tool, "create", file, schema], check=True)
            files.append(file)
        log = open(os.path.join(self.dir, "log"), "w")
        self.server = subprocess.Popen(
            [os.path.join(BIN, "weft-dbd") if our_server else "ovsdb-server", f"--remote=punix:{self.sock}", f"--unixctl={self.dir}/ctl", "--no-chdir", *files],
            stdout=log, stderr=log)
        for _ in range(100):
            if os.path.exists(self.sock):
                break
            time.sleep(0.05)
        self.env = dict(os.environ, OVN_NB_DB="unix:" + self.sock, OVN_SB_DB="unix:" + self.sock,
                        OVS_RUNDIR=self.dir)

    def run(self, words):
        words = [os.path.join(self.bin, words[0])] + words[1:]
        done = subprocess.run(words, env=self.env, capture_output=True, text=True, timeout=60)
        return done.returncode, self.normal(done.stdout), self.normal(done.stderr)

    def normal(self, text):
        text = UUID.sub("UUID", text.replace(self.dir, "DIR"))
        text = re.sub(r">[0-9a-f]{8}</a>", ">UUID</a>", text)
        # Log lines about a transaction error are followed by the message itself.
        lines = [re.sub(r"^\d{4}-\S+\|\d+\|", "", line) for line in text.splitlines()]
        lines = [line for line in lines if not line.startswith(NOT_COMPARED)]
        lines = [re.sub(r"First row, with.*", "", line) for line in lines]
        return sorted(lines)

    def stop(self):
        self.server.terminate()
        self.server.wait()


def compare(file, our_server):
    """How many lines there are and how many answers differ."""
    different = total = 0
    with tempfile.TemporaryDirectory(prefix="weft-ctl-") as top, ThreadPoolExecutor(2) as both:
        peer, ours = Side(top, "peer", False), Side(top, "ours", True, our_server)
        try:
            for number, line in enumerate(open(file), 1):
                words = shlex.split(line, comments=True)
                if not words:
                    continue
                total += 1
                a, b = both.map(lambda side: side.run(words), (peer, ours))
                if a != b:
                    different += 1
                    print(f"{os.path.basename(file)}:{number}: {line.strip()}")
                    for name, side in (("peer", a), ("ours", b)):
                        print(f"  {name}: status {side[0]}")
                        for text in side[1] + side[2]:
                            print(f"    {text}")
        finally:
            peer.stop()
            ours.stop()
    return total, different


def main():
    wanted = sys.argv[1:] or sorted(glob.glob(os.path.join(SRC, "tests/interop/ctl_*.txt")))
    failed = False
    for our_server in (False, True):
        total = different = 0
        for file in wanted:
            # What a command makes of its arguments does not depend on the server: ours gets the files on everything else.
            if our_server and "ctl_nbctl_" in file and not sys.argv[1:]:
                continue
            n, d = compare(file, our_server)
            total += n
            different += d
        print(f"{'weft-dbd' if our_server else 'ovsdb-server'}: {total} command lines, {different} different")
        failed = failed or different
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
