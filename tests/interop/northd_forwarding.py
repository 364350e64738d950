#!/usr/bin/env python3
"""Random networks compiled by weft-northd and by Debian's ovn-northd from the same commands; random packets traced through both
southbound databases by Debian's ovn-trace must end in the same ports with the same headers. Flows are not compared: the two
compilers divide the work differently.

    northd_forwarding.py [SEED [NETWORKS [PACKETS]]]
"""
import ipaddress, os, random, re, shutil, subprocess, sys, tempfile, time
from libnetworks import Network, Packet

BIN = os.environ["WEFT_BIN"]
SCHEMAS = "/usr/share/ovn"


class Side:
    """A northd with its databases, and ovn-trace on its SB."""

    def __init__(self, folder):
        self.dir = folder
        self.running = []
        os.mkdir(folder)
        self.env = dict(os.environ)
        for v in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR"):
            for p in ("WEFT_", "OVN_", "OVS_"):
                self.env[p + v] = folder
        self.nb, self.sb = "unix:%s/ovnnb_db.sock" % folder, "unix:%s/ovnsb_db.sock" % folder

    def start(self, *args, wait=None):
        out = open(os.path.join(self.dir, os.path.basename(args[0]) + ".out"), "a")
        self.running.append(subprocess.Popen(args, env=self.env, cwd=self.dir, stdout=out, stderr=out, stdin=subprocess.DEVNULL))
        end = time.time() + 30
        while wait and not os.path.exists(os.path.join(self.dir, wait)):
            if time.time() > end or self.running[-1].poll() is not None:
                sys.exit("FAIL  %s did not start: %s" % (args[0], open(out.name).read()))
            time.sleep(0.01)

    def nbctl(self, *args):
        r = subprocess.run(("ovn-nbctl", "--db=" + self.nb, "--timeout=30") + args, env=self.env, text=True, capture_output=True)
        if r.returncode:
            sys.exit("FAIL  ovn-nbctl in %s: %s" % (self.dir, r.stderr))

    def sbctl(self, *args):
        r = subprocess.run(("ovn-sbctl", "--db=" + self.sb, "--timeout=30") + args, env=self.env, text=True, capture_output=True)
        if r.returncode:
            sys.exit("FAIL  ovn-sbctl %s: %s" % (" ".join(args), r.stderr))
        return r.stdout.strip()

    def learn(self, learned):
        """Rows as controllers write them: ("MAC_Binding", ROUTER, PORT, IP, MAC) and ("FDB", SWITCH, PORT, MAC)."""
        for table, datapath, port, *rest in learned:
            if table == "MAC_Binding":
                uuid = self.sbctl("--bare", "--columns=_uuid", "find", "Datapath_Binding", "external_ids:name=" + datapath)
                self.sbctl("create", table, "datapath=" + uuid, "logical_port=" + port, 'ip="%s"' % rest[0], 'mac="%s"' % rest[1])
            else:
                dp = self.sbctl("--bare", "--columns=tunnel_key", "find", "Datapath_Binding", "external_ids:name=" + datapath)
                key = self.sbctl("--bare", "--columns=tunnel_key", "find", "Port_Binding", "logical_port=" + port)
                self.sbctl("create", table, "dp_key=" + dp, "port_key=" + key, 'mac="%s"' % rest[0])

    def trace(self, packet):
        # A process for each packet: as a daemon ovn-trace 23.03 crashes now and then.
        def run(*options):
            r = subprocess.run(("ovn-trace", "--db=" + self.sb, "--minimal", *packet.connections, *options, packet.datapath, packet.microflow()),
                               env=self.env, text=True, capture_output=True)
            if r.returncode or "parsing" in r.stderr:
                sys.exit("FAIL  ovn-trace on %s: %s%s" % (packet.microflow(), r.stdout, r.stderr))
            return r.stdout
        text = run("--select-id=1")
        if "select:" not in text:
            return outcome(packet, text)
        # Among equal next hops: which has which number does not matter.
        one, two = outcome(packet, text), outcome(packet, run("--select-id=2"))
        return sorted(one + ["or"] + two) if one or two else []

    def stop(self):
        for p in reversed(self.running):
            p.terminate()
        for p in self.running:
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()


class Ours(Side):
    def begin(self):
        self.start(BIN + "/weft-northd", "-vconsole:off", wait="ovnsb_db.sock")


class Peer(Side):
    def begin(self):
        for name in ("nb", "sb"):
            db = "%s/%s.db" % (self.dir, name)
            subprocess.run(("ovsdb-tool", "create", db, "%s/ovn-%s.ovsschema" % (SCHEMAS, name)), check=True, env=self.env)
            self.start("ovsdb-server", "-vconsole:off", "--remote=punix:%s/ovn%s_db.sock" % (self.dir, name),
                       "--unixctl=%s/%s.ctl" % (self.dir, name), db, wait="ovn%s_db.sock" % name)
        self.start("ovn-northd", "-vconsole:off", "--ovnnb-db=" + self.nb, "--ovnsb-db=" + self.sb, "--unixctl=%s/northd.ctl" % self.dir)


# --- What ovn-trace --minimal says, as a sorted list of "port: headers"

def plain(field, value):
    """A value as an address or a number, however it was printed."""
    value = value.strip()
    if not re.fullmatch(r"0x[0-9a-f]+", value):
        return value
    n = int(value, 16)
    if field in ("eth.src", "eth.dst", "arp.sha", "arp.tha"):
        return ":".join("%02x" % (n >> s & 255) for s in range(40, -8, -8))
    return ".".join(str(n >> s & 255) for s in (24, 16, 8, 0)) if n > 0xffff else str(n)


# Answers that an ACL's reject or a router makes. An answer to an answer is not compared: a router of theirs makes one (RFC 1122 3.2.2 says not to).
ANSWERS = ("icmp4", "icmp6", "tcp_reset", "sctp_abort")


def made_by(action, state):
    """The packet that a nested action begins with."""
    if action in ("clone", "ct_next", "ct_commit_nat", "ct_lb_mark", "select"):
        return dict(state)
    if action.startswith(("ct_dnat", "ct_snat")):
        return {**state, **dict(pair.split("=") for pair in re.findall(r"ip[46]\.(?:src|dst)=[0-9a-f.:]+", action))}
    packet = {k: v for k, v in state.items() if k.startswith("eth.") or k == "ignored"}
    packet["made by"] = action
    if action.startswith("nd_na"):  # of the solicitation; a flow may say it again
        packet["nd.target"] = str(ipaddress.ip_address(state["nd.target"]))
    if action == "nd_ns":  # theirs has the solicited-node group in the flow, ours leaves it to the controller; ovn-trace shows what the flow says
        packet["ignored"] = True
    if action in ANSWERS and state.get("made by") in ANSWERS:
        packet["ignored"] = True
    if action == "arp":
        packet.update({"arp.tha": "00:00:00:00:00:00", "arp.sha": state["eth.src"]})
    return packet


def outcome(packet, text):
    stack, found, opened = [dict(packet.fields)], [], []
    for line in text.splitlines():
        line = re.sub(r"/\*.*?\*/", "", line).strip()
        if not line or line.startswith(("#", "*** ", "put_dhcp_opts(")) or re.match(r"LOG: |-+$|;$|(ct_next\(.*\)|ct_[ds]nat\w*(\(.*\))?|ct_lb_mark|ct_commit_nat|clone) ?;$", line):
            continue
        m = re.fullmatch(r'output\("([^"]*)"\);', line)
        assign = re.fullmatch(r"([\w.]+(?:\[[^\]]*\])?) = (.*);", line)
        opens = re.fullmatch(r"(ct_[ds]nat\w*(?:\(.*\))?|select(?=:)|\w+)(?::.*|\(.*\))? *\{", line)
        nothing = re.fullmatch(r"(\w+);", line)
        state = stack[-1]
        if m:
            if state.get("made by") == "icmp4" and "ip4.src" in state:  # a router with several addresses answers from any of them, ours from that in the sender's network
                state["ip4.src"] = re.sub(r"^10\.1\.", "10.0.", state["ip4.src"])
            if not state.get("ignored") and m.group(1) not in packet.dead_ends:
                found.append("%s: %s" % (m.group(1), " ".join("%s=%s" % kv for kv in sorted(state.items()))))
        elif assign and re.match(r"x*reg\d", assign.group(1)):
            continue  # a register, which no packet carries
        elif assign:
            state[assign.group(1)] = plain(*assign.groups())
        elif line == "ip.ttl--;":
            state["ip.ttl"] = str(int(state.get("ip.ttl", "0")) - 1)
        elif opens:
            stack.append(made_by(opens.group(1), state))
            opened.append((opens.group(1), len(found)))
        elif line == "};" or nothing and nothing.group(1) in ANSWERS:
            if line == "};":
                state, (action, n) = stack.pop(), opened.pop()
            else:
                state, action, n = made_by(nothing.group(1), state), nothing.group(1), len(found)
            if action in ANSWERS and n == len(found) and not state.get("ignored"):
                found.append("%s that reaches nobody" % action)
        else:
            sys.exit("FAIL  ovn-trace says: %s" % line)
    return sorted(found)


# --- Both sides at once; trace_peers.py too

def one_network(folder, seed, n_packets, compare):
    """COMPARE(seed, sides, packet, k) is called for packet K and tells how many comparisons it made, and how many of them failed."""
    rnd = random.Random(seed)
    net = Network(rnd)
    sides = [Ours(folder + "/ours"), Peer(folder + "/peer")]
    n = different = 0
    try:
        for s in sides:
            s.begin()
            s.nbctl("--wait=sb", *net.commands)
            s.learn(net.learned)
        for k in range(n_packets):
            more, failed = compare(seed, sides, Packet(net, rnd), k)
            n, different = n + more, different + failed
        if different:
            print("  " + " ".join(net.commands).replace(" -- ", "\n  "))
        print("%s    network %d: %d of %d packets compared, %d differ" % ("FAIL" if different else "ok", seed, n, n_packets, different), flush=True)
    finally:
        for s in sides:
            s.stop()
            shutil.rmtree(s.dir, ignore_errors=True)
    return different


def forwarding(seed, sides, packet, k):
    """Counts the packets that arrive somewhere."""
    ours, theirs = sides[0].trace(packet), sides[1].trace(packet)
    if ours != theirs:
        print("FAIL  network %d: %s\n  ours   %s\n  theirs %s" % (seed, packet.microflow(), "\n         ".join(ours) or "drop", "\n         ".join(theirs) or "drop"))
    return bool(theirs), ours != theirs


def main(compare, defaults):
    first, networks, packets = (int(a) for a in (sys.argv[1:] + defaults[len(sys.argv) - 1:]))
    if not shutil.which("ovn-northd") or not shutil.which("ovn-trace"):
        print("skipped: ovn-northd and ovn-trace are not installed")
        return 0
    folder = tempfile.mkdtemp(prefix="weft-%s-" % compare.__name__)
    try:
        different = sum(one_network(folder, seed, packets, compare) for seed in range(first, first + networks))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("passed" if not different else "FAILED: %d packets" % different)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(forwarding, ["1", "8", "40"]))
