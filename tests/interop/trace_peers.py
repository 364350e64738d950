#!/usr/bin/env python3
"""Random packets through random networks: what weft-trace prints, detailed, in summary and minimal, is what Debian's ovn-trace prints, over the southbound
database of weft-northd and over that of ovn-northd. The first line (the packet), the NB rows of flows and
lines about logs differ and are left out.

    trace_peers.py [SEED [NETWORKS [PACKETS]]]
"""
import os, random, re, shutil, subprocess, sys, tempfile
from northd_forwarding import Network, Ours, Packet, Peer

TRACE = os.path.join(os.environ["WEFT_BIN"], "weft-trace")
FORMS = ("--detailed", "--summary", "--minimal")


def lines_of(side, tool, form, packet):
    r = subprocess.run((tool, "--db=" + side.sb, "--select-id=1", form, *packet.connections, packet.datapath, packet.microflow()), env=side.env, text=True, capture_output=True)
    # ct_dnatin_czone is how the peer writes ct_dnat_in_czone; it does not answer dns_lookup, which is 0 to the packet all the same.
    return [re.sub(r", NB row [0-9a-f-]+$", "", re.sub(r"\b(ct_[ds]nat)in_czone", r"\1_in_czone", line)) for line in (r.stdout + r.stderr).splitlines()
            if not re.match(r"#|\s*(LOG:|log\(|-+$|/\* assuming 0 \*/|\*\*\* dns_lookup action not implemented;?$)", line)]


def without_matches(lines):
    """Of flows with one priority that all match, either tool may take any."""
    return [re.sub(r"^( *\d+\. \S+) .*, (priority \d+), uuid .*", r"\1 \2", line) for line in lines]


def one_network(folder, seed, n_packets):
    rnd = random.Random(seed)
    net = Network(rnd)
    sides = [Ours(folder + "/ours"), Peer(folder + "/peer")]
    different = n = 0
    try:
        for side in sides:
            side.begin()
            side.nbctl("--wait=sb", *net.commands)
        for k in range(n_packets):
            packet = Packet(net, rnd)
            for side in sides:
                form = FORMS[k % 3]
                ours, theirs = lines_of(side, TRACE, form, packet), lines_of(side, "ovn-trace", form, packet)
                n += 1
                if ours == theirs or without_matches(ours) == without_matches(theirs):
                    continue
                different += 1
                first = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
                print("FAIL  network %d, SB of %s, %s %s %s" % (seed, side.dir, form, " ".join(packet.connections), packet.microflow()))
                print("  ours   " + "\n         ".join(ours[max(0, first - 3):first + 4]))
                print("  theirs " + "\n         ".join(theirs[max(0, first - 3):first + 4]))
        print("%s    network %d: %d traces, %d differ" % ("FAIL" if different else "ok", seed, n, different), flush=True)
    finally:
        for side in sides:
            side.stop()
        for name in ("/ours", "/peer"):
            shutil.rmtree(folder + name, ignore_errors=True)
    return different


def main():
    first, networks, packets = (int(a) for a in (sys.argv[1:] + ["1", "3", "16"][len(sys.argv) - 1:]))
    if not shutil.which("ovn-northd") or not shutil.which("ovn-trace"):
        print("skipped: ovn-northd and ovn-trace are not installed")
        return 0
    folder = tempfile.mkdtemp(prefix="weft-trace-")
    try:
        different = sum(one_network(folder, seed, packets) for seed in range(first, first + networks))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("passed" if not different else "FAILED: %d traces" % different)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
