#!/usr/bin/env python3
"""The same packets through weft-switchd and through Debian's ovs-vswitchd with its userspace connection tracker: every packet gets the
same ct_state (counted by a flow for each), and both remember the same connections. Dummy ports, no root needed by the switches."""
import os, random, shutil, signal, socket, struct, subprocess, sys, tempfile, time

BIN = os.environ["WEFT_BIN"]
STATES = ["new", "est", "rel", "rpl", "inv"]
COMBINATIONS = [("new",), ("new", "rel"), ("est",), ("est", "rpl"), ("rel",), ("rel", "rpl"), ("inv",)]
SEED = int(os.environ.get("SEED", "1"))


def csum(b):
    b += b"\0" * (len(b) % 2)
    s = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def ip(src, dst, proto, payload):
    h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, 0, 64, proto, 0, socket.inet_aton(src), socket.inet_aton(dst))
    return h[:10] + struct.pack("!H", csum(h)) + h[12:] + payload


def with_csum(src, dst, proto, segment, at):
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!BBH", 0, proto, len(segment))
    return segment[:at] + struct.pack("!H", csum(pseudo + segment) or 0xFFFF) + segment[at + 2:]


def tcp(src, dst, sport, dport, flags, seq, ack, payload=b"", win=1000, scale=None):
    opt = b"" if scale is None else struct.pack("!BBBB", 3, 3, scale, 1)
    seg = struct.pack("!HHIIHHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (20 + len(opt)) // 4 << 12 | flags, win, 0, 0) + opt + payload
    return ip(src, dst, 6, with_csum(src, dst, 6, seg, 16))


def udp(src, dst, sport, dport, payload=b"hello"):
    seg = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    return ip(src, dst, 17, with_csum(src, dst, 17, seg, 6))


def icmp(src, dst, kind, code, rest, payload=b""):
    m = struct.pack("!BBHI", kind, code, 0, rest) + payload
    return ip(src, dst, 1, m[:2] + struct.pack("!H", csum(m)) + m[4:])


def frame(packet):
    return (b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0" + packet).hex()


FIN, SYN, RST, ACK = 1, 2, 4, 16
C, S = "10.0.0.1", "10.0.0.2"


def conversation(r, sport):
    """A TCP connection from C to S with its life."""
    seq, out = [r.getrandbits(32), r.getrandbits(32)], []
    scales = (r.choice([None, 2, 7]), r.choice([None, 3]))

    def say(side, flags, payload=b""):
        args = (C, S, sport, 80) if side == 0 else (S, C, 80, sport)
        scale = scales[side] if flags & SYN else None
        out.append(tcp(*args, flags, seq[side], seq[1 - side] if flags & ACK else 0, payload, scale=scale))
        seq[side] += len(payload) + bool(flags & SYN) + bool(flags & FIN)

    say(0, SYN)
    if r.random() < 0.1:
        return out
    if r.random() < 0.1:
        seq[1] = 0
        say(1, RST | ACK)
        return out
    say(1, SYN | ACK)
    say(0, ACK)
    for _ in range(r.randrange(6)):
        side = r.randrange(2)
        say(side, ACK, b"x" * r.randrange(900))
        say(1 - side, ACK)
    if r.random() < 0.2:  # far outside of the window
        out.append(tcp(C, S, sport, 80, r.choice([ACK, RST | ACK]), seq[0] + (1 << 30), seq[1], b"x"))
    end = r.random()
    if end < 0.2:
        say(r.randrange(2), RST | ACK)
    elif end < 0.7:
        first = r.randrange(2)
        say(first, FIN | ACK)
        say(1 - first, ACK)
        say(1 - first, FIN | ACK)
        say(first, ACK)
    return out


def damaged(r, packet):
    b = bytearray(packet)
    b[r.randrange(len(b) - 4) + 4] ^= 1 << r.randrange(8)
    return bytes(b)


def scenario(r):
    out = []
    for i in range(100):
        kind = r.random()
        if kind < 0.45:
            whole = conversation(r, 1000 + i)
            out += whole[3:] if len(whole) > 8 and r.random() < 0.3 else whole  # taken up under way
        elif kind < 0.6:
            out += [udp(C, S, 2000 + i, 53), udp(S, C, 53, 2000 + i), udp(C, S, 2000 + i, 53)][: 1 + r.randrange(3)]
        elif kind < 0.7:
            out += [icmp(C, S, 8, 0, i << 16), icmp(S, C, 0, 0, i << 16)][: 1 + r.randrange(2)]
        elif kind < 0.8:
            sent = udp(C, S, 3000 + i, 9)
            out += [sent, icmp(S, C, 3, 3, 0, sent[:28]), icmp("10.0.0.9", C, 11, 0, 0, sent)]
        elif kind < 0.85:
            out.append(icmp(S, C, 3, 3, 0, udp(C, S, 4000 + i, 9)[:28]))
        elif kind < 0.9:
            out.append(udp(S, C, 5000 + i, 53))
        else:
            out.append(damaged(r, r.choice([udp(C, S, 6000 + i, 53), icmp(C, S, 8, 0, i << 16)])))
    return out


class Switch:
    def __init__(self, name, top):
        self.name, self.dir, self.pids = name, os.path.join(top, name), []
        os.mkdir(self.dir)
        self.env = dict(os.environ, OVS_RUNDIR=self.dir, OVS_DBDIR=self.dir, OVS_LOGDIR=self.dir, WEFT_RUNDIR=self.dir, WEFT_DBDIR=self.dir)
        self.ctl = os.path.join(self.dir, "ctl")
        db = os.path.join(self.dir, "db.sock")
        if name == "ours":
            self.start([f"{BIN}/weft-switchd", f"--db={self.dir}/conf.db", f"--unixctl={self.ctl}", "--enable-dummy"])
        else:
            self.run("ovsdb-tool", "create", f"{self.dir}/conf.db", "/usr/share/openvswitch/vswitch.ovsschema")
            self.start(["ovsdb-server", f"--remote=punix:{db}", f"--unixctl={self.dir}/dbctl", f"{self.dir}/conf.db"])
            self.wait(lambda: os.path.exists(db))
            self.start(["ovs-vswitchd", f"--unixctl={self.ctl}", "--enable-dummy", "--disable-system", f"unix:{db}"])
        self.wait(lambda: os.path.exists(db) and os.path.exists(self.ctl))
        self.vsctl = ["ovs-vsctl", f"--db=unix:{db}", "--timeout=10"]
        self.wait(lambda: not subprocess.run([*self.vsctl, "--no-wait", "init"], env=self.env, capture_output=True).returncode)
        ports = [a for n in (1, 2) for a in ("--", "add-port", "br0", f"p{n}", "--", "set", "interface", f"p{n}", "type=dummy", f"ofport_request={n}")]
        self.run(*self.vsctl, "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy" if name != "ours" else "datapath_type=netdev", "fail_mode=secure", *ports)

    def start(self, command):
        log = open(os.path.join(self.dir, os.path.basename(command[0]) + ".out"), "w")
        self.pids.append(subprocess.Popen(command, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    def run(self, *command, stdin=None):
        p = subprocess.run(command, env=self.env, input=stdin, text=True, capture_output=True, timeout=60)
        if p.returncode:
            sys.exit(f"{self.name}: {' '.join(command)}: {p.stderr}")
        return p.stdout

    def appctl(self, *args):
        return self.run("ovs-appctl", "-t", self.ctl, *args)

    def wait(self, what):
        end = time.monotonic() + 20
        while not what():
            if time.monotonic() > end:
                sys.exit(f"{self.name}: waited in vain")
            time.sleep(0.05)

    def counters(self):
        self.appctl("revalidator/wait")
        out = {}
        for line in self.run("ovs-ofctl", "-OOpenFlow15", "dump-flows", "br0").splitlines():
            if "cookie=" in line:
                words = dict(w.split("=", 1) for w in line.replace(",", " ").split() if "=" in w)
                out[int(words["cookie"], 16)] = int(words["n_packets"])
        return out

    def stop(self):
        for p in self.pids:
            p.send_signal(signal.SIGTERM)
        for p in self.pids:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        return self.pids[0].returncode


def flows():
    """Flow 1 counts all; flow 100 + i what C sent with combination i, flow 200 + i what others sent."""
    yield "cookie=1,table=0,priority=1,ip,actions=ct(table=1,zone=5)"
    for who, source, priority in ((1, f"nw_src={C},", 6), (2, "", 5)):
        for i, states in enumerate(COMBINATIONS):
            match = "".join(("+" if s in states else "-") + s for s in STATES) + "+trk"
            action = "ct(commit,zone=5,exec(set_field:9->ct_mark))" if who == 1 and "new" in states else "drop"
            yield f"cookie={100 * who + i},table=1,priority={priority},{source}ip,ct_state={match},actions={action}"
    yield "cookie=9,table=1,priority=0,actions=drop"


def name_of(cookie):
    return "all" if cookie == 1 else "other" if cookie == 9 else f"{'client' if cookie < 200 else 'others'} {'+'.join(COMBINATIONS[cookie % 100])}"


def main():
    r = random.Random(SEED)
    packets = scenario(r)
    top = tempfile.mkdtemp(prefix="weft-ct-peers.")
    switches, failed = [], False
    try:
        for name in ("ours", "peer"):
            switches.append(Switch(name, top))
        for s in switches:
            s.run("ovs-ofctl", "-OOpenFlow15", "add-flows", "br0", "-", stdin="\n".join(flows()) + "\n")
        # All come in on one port: what one side says must not overtake the other.
        for i in range(0, len(packets), 50):
            for s in switches:
                s.appctl("netdev-dummy/receive", "p1", *[frame(p) for p in packets[i : i + 50]])
        for s in switches:
            s.wait(lambda: s.counters().get(1) == len(packets))
        ours, peer = (s.counters() for s in switches)
        for cookie in sorted(set(ours) | set(peer)):
            same = ours.get(cookie) == peer.get(cookie)
            failed |= not same
            print(f"{'ok   ' if same else 'FAIL '} {name_of(cookie)}: {ours.get(cookie)} packets" + ("" if same else f", the peer counts {peer.get(cookie)}"))
        a, b = (sorted(s.appctl("dpctl/dump-conntrack").split("\n")) for s in switches)
        if a == b:
            print(f"ok    {len(a) - 1} connections")
        else:
            failed = True
            print("FAIL  connections\n" + "\n".join(["- " + x for x in a if x not in b] + ["+ " + x for x in b if x not in a]))
    finally:
        for s in switches:
            if s.stop() not in (0, -signal.SIGTERM) and s.name == "ours":
                failed = True
                print("FAIL  weft-switchd ended badly:\n" + open(os.path.join(s.dir, "weft-switchd.out")).read()[-4000:])
        shutil.rmtree(top)
    print(f"seed {SEED}: " + ("FAILED" if failed else "passed"))
    return failed


if __name__ == "__main__":
    sys.exit(main())
