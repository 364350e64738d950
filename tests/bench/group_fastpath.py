"""Packets through the switch between network namespaces: CPU time a small packet, TCP, request and response; ours beside
ovs-vswitchd's user-space datapath and bare forwarders, in turns in one run. Needs root.

CPU is that of the switch's process(es) divided by the packets that arrived, in us; kpps is what arrived while the generator sent all
it could (its own limit shows in the fastest rows). The peer's AF_XDP ports poll: its CPU time there includes turns without a packet. TCP is one stream, with the senders' offloads where the switch can carry them.
Limits: a forwarder by rings, by AF_XDP, or with virtio-net headers for TCP and latency; for Geneve two relays that send frames as UDP datagrams without
reading them, and without the headers, checksums and segments that a tunnel has to make.
cached_*: forwarding threads without the kernel (tests/bench/threads.c), of which rates need two processors that nobody else wants."""
import os, shutil, subprocess, time
from fastpath_net import MACHINES, TAG, Net, Ours, Peer, address, geneve, inside, l2, l2_xdp, mac, pipeline, tunnel_address
from harness import Folder, cpu_seconds, median, row, rows_of
import topology

FLOWS = (1, 1000, 100000)


class Measure:
    """Figures of one set-up: a dictionary of lists that later turns extend."""

    def __init__(self, build, quick):
        self.program = os.path.join(build, "tests", "bench_packet")
        self.quick = quick
        self.seconds = 1 if quick else 3
        self.figures = {}

    def add(self, name, value):
        self.figures.setdefault(name, []).append(value)

    def get(self, name):
        return median(self.figures[name]) if name in self.figures else None

    def tool(self, name, args, **kw):
        return subprocess.Popen(inside(name, [self.program] + args), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)

    def finish(self, p, seconds):
        out, err = p.communicate(timeout=seconds + 30)
        if p.returncode:
            raise RuntimeError(err)
        return [float(x) for x in out.split()]

    def generator(self, flows, seconds, to):
        return self.tool("gen", ["gen", MACHINES[0][1], "-c", "0", "-f", str(flows), "-d", str(seconds), "-s", mac(0), "-t", to,
                                 "-S", address(0), "-T", address(1), "-p", "53"])

    def arrived(self):
        with subprocess.Popen(inside("sink", ["cat", "/sys/class/net/%s/statistics/rx_packets" % MACHINES[1][1]]), text=True, stdout=subprocess.PIPE) as p:
            return int(p.communicate()[0])

    def packets(self, name, flows, to, switches):
        """Of flows that have all been seen before: the first packet of each is group switch's to measure."""
        gen = self.generator(flows, self.seconds + 61, to)
        start, end = self.arrived(), time.time() + 60
        time.sleep(0.5)
        while self.arrived() - start < 2 * flows and time.time() < end:
            time.sleep(0.1)
        before = sum(cpu_seconds(s.process.pid) for s in switches)
        n, rate = self.finish(self.tool("sink", ["count", MACHINES[1][1], "-d", str(self.seconds)]), self.seconds)
        used = sum(cpu_seconds(s.process.pid) for s in switches) - before
        gen.terminate()
        self.finish(gen, self.seconds)
        if n < 1000:
            raise RuntimeError("%s: only %d packets arrived" % (name, n))
        self.add("%s_cpu_%d" % (name, flows), used / n * 1e6)
        self.add("%s_kpps_%d" % (name, flows), rate / 1e3)

    def wait_listening(self, proto, port):
        end = time.time() + 10
        while not subprocess.run(inside("sink", ["ss", "-Hln" + proto, "sport = :%d" % port]), text=True, stdout=subprocess.PIPE).stdout:
            if time.time() > end:
                raise RuntimeError("the server did not start")
            time.sleep(0.02)

    def stream(self, name):
        server = self.tool("sink", ["tcp-serve", "-a", address(1), "-p", "8080", "-d", str(self.seconds)])
        self.wait_listening("t", 8080)
        client = self.tool("gen", ["tcp-send", "-a", address(1), "-p", "8080"])
        self.add("tcp_" + name, self.finish(server, self.seconds)[0])
        client.terminate()
        client.wait()

    def latency(self, name, runs):
        server = self.tool("sink", ["rr-serve", "-c", "0", "-a", address(1), "-p", "53"])
        self.wait_listening("u", 53)
        for _ in range(runs):
            middle, high, n = self.finish(self.tool("gen", ["rr-send", "-c", "0", "-a", address(1), "-p", "53", "-d", "0.4"]), 1)
            if n:
                self.add("rr_" + name, middle / 1e3)
                self.add("rr_p99_" + name, high / 1e3)
        server.terminate()
        server.wait()


def measure_switch(m, name, build, kind, make, flows, hypervisors=1, **kw):
    """One turn of a switch: packets, then with addresses on the machines TCP and latency."""
    routed = make is pipeline
    with Net(hypervisors) as net, Folder("fastpath") as folder:
        switches = make(folder, build, kind, **kw)
        for f in flows:
            m.packets(name, f, topology.mac(3, 0, 0) if routed else mac(1), switches)
        if make is l2_xdp:
            return
        net.hosts(routed, kind.offloads)  # only now: without an address the sink drops packets early
        m.stream(name)
        m.latency(name, 3 if m.quick else 9)
        if name == "l2":
            before = sum(cpu_seconds(s.process.pid) for s in switches)
            time.sleep(1)
            m.add("idle_cpu", (sum(cpu_seconds(s.process.pid) for s in switches) - before) * 100)


def measure_bare(m):
    """Forwarders that only forward, in the switch's place."""
    with Net() as net:
        for mode, name in (("ring", "l2"), ("xdpdrv", "xdp_l2"), ("vnet", None)):
            p = m.tool("fwd", ["forward", "-m", mode, "-d", "600"] + [x[2] for x in MACHINES])
            time.sleep(0.3)
            gen = m.generator(1, m.seconds, mac(1))
            m.finish(gen, m.seconds)
            if mode == "vnet":
                net.hosts(False, True)
                m.stream("l2")
                m.latency("l2", 3 if m.quick else 9)
            p.terminate()
            cpu, rate = m.finish(p, 1)
            for n in FLOWS if name else ():  # it asks no frame for its flow
                m.add("%s_cpu_%d" % (name, n), cpu)


def measure_relays(m):
    """The barest tunnel between two hypervisors: frames in datagrams."""
    with Net(2) as net:
        net.underlay()
        for mode in ("ring", "vnet"):
            ends = [m.tool(home, ["relay", x[2], "-m", mode, "-d", "600", "-a", tunnel_address(i), "-T", tunnel_address(1 - i), "-p", "6081"])
                    for i, (x, home) in enumerate(zip(MACHINES, net.homes))]
            time.sleep(0.3)
            m.finish(m.generator(1, m.seconds, mac(1)), m.seconds)
            if mode == "vnet":
                net.hosts(False, True)
                m.stream("geneve")
                m.latency("geneve", 3 if m.quick else 9)
            for p in ends:
                p.terminate()
            cpu = sum(m.finish(p, 1)[0] for p in ends)
            if mode == "ring":
                m.add("geneve_cpu_1", cpu)


def run(build, quick):
    if os.geteuid():
        raise SystemExit("bench fastpath: needs root (network namespaces)")
    ours, peer, limit = (Measure(build, quick) for _ in range(3))
    has_peer = shutil.which("ovs-vswitchd")
    flows = FLOWS[::2] if quick else FLOWS
    for _ in range(1 if quick else 3):
        for name, make, f, hypervisors in (("l2", l2, flows, 1), ("pipeline", pipeline, flows, 1), ("xdp_l2", l2_xdp, flows, 1), ("geneve", geneve, flows[:1], 2)):
            measure_switch(ours, name, build, Ours, make, f, hypervisors)
            if has_peer:
                measure_switch(peer, name, build, Peer, make, f, hypervisors)
        measure_bare(limit)
        measure_relays(limit)
    rows = []
    figure = lambda name, unit, key, more=False: rows.append(row(name, unit, ours.get(key), peer.get(key), limit.get(key), more))
    for name, f in (("l2", flows), ("pipeline", flows), ("geneve", flows[:1])):
        for n in f:
            suffix = "" if n == 1 else "_%d" % n
            figure("af_packet_%s_cpu%s" % (name, suffix), "us", "%s_cpu_%d" % (name, n))
            figure("af_packet_%s_kpps%s" % (name, suffix), "kpps", "%s_kpps_%d" % (name, n), True)
        figure("tcp_" + name, "Gb/s", "tcp_" + name, True)
        figure("rr_" + name, "ms", "rr_" + name)
        figure("rr_p99_" + name, "ms", "rr_p99_" + name)
    for n in flows:
        suffix = "" if n == 1 else "_%d" % n
        figure("af_xdp_l2_cpu%s" % suffix, "us", "xdp_l2_cpu_%d" % n)
        figure("af_xdp_l2_kpps%s" % suffix, "kpps", "xdp_l2_kpps_%d" % n, True)
    growth = lambda m: m.get("l2_cpu_100000") / m.get("l2_cpu_1") if m.figures else None
    rows.append(row("flows_100k_vs_1", "times", growth(ours), growth(peer)))
    figure("idle_cpu", "%", "idle_cpu")
    return rows + rows_of(build, "bench_threads", *["--quick"] * quick)
