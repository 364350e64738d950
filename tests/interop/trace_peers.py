#!/usr/bin/env python3
"""Random packets through random networks: what weft-trace prints, detailed, in summary and minimal, is what Debian's ovn-trace prints, over the southbound
database of weft-northd and over that of ovn-northd. The first line (the packet), the NB rows of flows and
lines about logs differ and are left out.

    trace_peers.py [SEED [NETWORKS [PACKETS]]]
"""
import os, re, subprocess, sys
from northd_forwarding import main

TRACE = os.path.join(os.environ["WEFT_BIN"], "weft-trace")
FORMS = ("--detailed", "--summary", "--minimal")


def lines_of(side, tool, form, packet):
    r = subprocess.run((tool, "--db=" + side.sb, "--select-id=1", form, *packet.connections, packet.datapath, packet.microflow()), env=side.env, text=True, capture_output=True)
    # ct_dnatin_czone is how the peer writes ct_dnat_in_czone; it does not answer dns_lookup, which is 0 to the packet all the same.
    return [re.sub(r", NB row [0-9a-f-]+$", "", re.sub(r"\b(ct_[ds]nat)in_czone", r"\1_in_czone", line)) for line in (r.stdout + r.stderr).splitlines()
            if not re.match(r"#|\s*(LOG:|log\(|-+$|/\* assuming 0 \*/|\*\*\* dns_lookup action not implemented;?$)", line)]


def without_matches(lines):
    """Of flows with one priority that all match, either tool may take any; multicast, which meets no connection tracking, in ls_out_pre_lb too. Where a log was left out, an empty line may be left."""
    return [re.sub(r"^( *\d+\. \S+) .*, (priority \d+), uuid .*", r"\1 \2", line) for line in lines if line.strip() not in ("", "ct_clear;")]


def traces(seed, sides, packet, k):
    different = 0
    if packet.to_portless:
        return 0, 0  # of balanced addresses without a port ovn-trace finds hairpins for neither TCP nor UDP, though switches have a flow for each
    for side in sides:
        form = FORMS[k % 3]
        ours, theirs = lines_of(side, TRACE, form, packet), lines_of(side, "ovn-trace", form, packet)
        if ours == theirs or without_matches(ours) == without_matches(theirs):
            continue
        different += 1
        first = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
        print("FAIL  network %d, SB of %s, %s %s %s" % (seed, side.dir, form, " ".join(packet.connections), packet.microflow()))
        print("  ours   " + "\n         ".join(ours[max(0, first - 3):first + 4]))
        print("  theirs " + "\n         ".join(theirs[max(0, first - 3):first + 4]))
    return 1, different


if __name__ == "__main__":
    sys.exit(main(traces, ["1", "3", "16"]))
