"""The switch beside ovs-vswitchd: flow-mods, memory a flow, look-ups, first packets of a 40-table pipeline, megaflows that a port scan and
random sources leave behind, and what traffic pays for a controller that edits one flow a millisecond. Rates of flow-mods are a second of wall
time; the rest is CPU time. Look-ups, hits and the tick are of tests/bench/switch.c, which has no peer."""
import os, random, shutil, signal, socket, subprocess, time
import group_northd, topology
from harness import Connection, Folder, median, row, rows_of
from switches import MODIFY_STRICT, Switch, flow_mod, frame, mac, pipeline

PEER = shutil.which("ovs-vswitchd") and os.path.exists("/usr/share/openvswitch/vswitch.ovsschema")
KINDS = (True, False) if PEER else (True,)


def on_each(build, fn, **how):
    """What FN(switch) says for ours and for the peer; None without one."""
    out = []
    for ours in KINDS:
        with Folder("switch") as folder:
            out.append(fn(Switch(folder, build, ours, **how)))
    return out + [None] * (2 - len(out))


# ---- flow-mods ----

def timed(switch, fn):
    cpu, start = switch.cpu(), time.time()
    fn()
    return time.time() - start, switch.cpu() - cpu


def flow_mods(switch, n, repeat):
    of = switch.openflow()
    mods = [flow_mod(i, i) for i in range(n)]
    singles, wrapped = b"".join(mods), of.wrapped(mods)  # not the servers' time
    figures = {k: [] for k in ("single", "single_cpu", "bundle", "bundle_cpu")}
    rss = None
    for kind in ("single", "bundle"):
        for _ in range(repeat):
            before = switch.rss()
            wall, cpu = timed(switch, lambda: (of.sock.sendall(singles), of.barrier(3)) if kind == "single" else of.bundle(wrapped))
            assert switch.n_flows() == n
            if rss is None:
                rss = (switch.rss() - before) / n
            figures[kind].append(n / wall)
            figures[kind + "_cpu"].append(cpu * 1e6 / n)
            switch.ofctl("del-flows", "br0")
    return {**{k: median(v) for k, v in figures.items()}, "rss": rss}


def flow_mod_rows(build, quick):
    n = 20000 if quick else 100000
    ours, peer = on_each(build, lambda s: flow_mods(s, n, 1 if quick else 3))
    names = (("flowmod_single", "/s", "single", True), ("flowmod_single_cpu", "us", "single_cpu", False), ("flowmod_bundle", "/s", "bundle", True),
             ("flowmod_bundle_cpu", "us", "bundle_cpu", False), ("rss_per_flow", "bytes", "rss", False))
    return [row(name, unit, ours[key], peer and peer[key], more_is_better=more) for name, unit, key, more in names]


# ---- first packets ----

def misses(switch, n):
    switch.ofctl("add-flows", "br0", "-", text="\n".join(pipeline()))
    new = [frame(mac(i + 1), mac(1 << 20), "10.0.0.1", "10.0.0.2").hex() for i in range(n)]
    switch.receive("p1", new[:90])
    assert len(switch.megaflows()) >= 90
    new, costs = new[90:], []
    n = len(new)
    for frames in ([new[0]] * n, new):  # the same way in for both; the difference is what a first packet costs
        cpu = switch.cpu_main()
        switch.receive("p1", frames)
        costs.append((switch.cpu_main() - cpu) * 1e6 / n)
    return costs[1] - costs[0]


# ---- megaflows of a real pipeline ----

def real_pipeline(build, n):
    """Flows, groups and tunnel options that our northd and controller make of N switches with ACLs and load balancers, ports p1 to p4 bound."""
    with Folder("pipeline") as folder:
        northd = group_northd.Ours(folder, build)
        northd.start_empty()
        northd.connect()
        topology.fill(northd.nb, n)
        topology.fill_policy(northd.nb, n)
        switch = Switch(folder, build, True)
        remote = "unix:" + folder.file(northd.sb_socket)
        switch.vsctl("set", "open_vswitch", ".", "external_ids:system-id=h", "external_ids:ovn-remote=" + remote, "external_ids:ovn-encap-type=geneve",
                     "external_ids:ovn-encap-ip=127.0.0.1", "external_ids:ovn-bridge=br0")
        for k, (i, p) in enumerate(BOUND):
            switch.vsctl("set", "interface", "p%d" % (k + 1), "external_ids:iface-id=lp-%d-%d" % (i, p))
        folder.start([os.path.join(build, "bin", "weft-controller"), "-vconsole:off", "--unixctl=" + folder.file("controller.ctl"), "unix:" + folder.file("db.sock")])
        switch.wait(lambda: switch.vsctl("find", "interface", "external_ids:ovn-installed=true").count('ovn-installed="true"') == len(BOUND))
        flows = [line.strip() for line in switch.ofctl("--no-names", "--no-stats", "dump-flows", "br0").splitlines() if "actions=" in line]
        groups = [line.strip() for line in switch.ofctl("--no-names", "dump-groups", "br0").splitlines() if "group_id=" in line]
        return [f for f in flows if "meter" not in f], groups


BOUND = ((0, 0), (0, 1), (1, 0), (1, 1))  # switch and port of p1 to p4


def count_megaflows(switch, real, n):
    flows, groups = real
    switch.ofctl("add-tlv-map", "br0", "{class=0x102,type=0x80,len=4}->tun_metadata0")
    switch.ofctl("add-groups", "br0", "-", text="\n".join(groups))
    switch.ofctl("add-flows", "br0", "-", text="\n".join(flows))
    address = lambda k: "%s.%d" % (topology.subnet(BOUND[k][0]), 10 + BOUND[k][1])
    hw = lambda k: bytes.fromhex(topology.mac(1, *BOUND[k]).replace(":", ""))
    gateway = bytes.fromhex(topology.mac(3, 0, 0).replace(":", ""))
    r, out = random.Random(1), {}
    for name, frames in (
            ("portscan", [frame(hw(0), gateway, address(0), address(2), 40000, 1 + port).hex() for port in range(n)]),
            ("sources", [frame(hw(0), gateway, "%d.%d.%d.%d" % (r.randrange(1, 200), r.randrange(256), r.randrange(256), r.randrange(1, 255)), address(2)).hex() for _ in range(n)])):
        switch.appctl("revalidator/purge")
        made, spent = set(), 0
        for i in range(0, n, 450):  # those that no packet hits for 10 s go, and both are slower than that on a busy machine
            cpu = switch.cpu_main()
            switch.receive("p1", frames[i:i + 450])
            spent += switch.cpu_main() - cpu
            made |= switch.megaflows()
        out[name] = len(made)
        out[name + "_cpu"] = spent * 1e6 / n
    return out


# ---- traffic while a controller edits ----

def edits(switch, seconds):
    """CPU a packet, with and without a controller that changes one flow a millisecond in a table that the traffic visits."""
    switch.ofctl("add-flows", "br0", "-", text="\n".join(pipeline()))
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind(("wbsw1a", 0))
    frames = [frame(mac(i + 1), mac(1 << 20), "10.0.0.1", "10.0.0.2") for i in range(64)]
    costs = []

    def forwarded():  # a device's own count of what it received has what the switch was too slow for
        with open("/sys/class/net/wbsw2a/statistics/rx_packets") as f:
            return int(f.read())

    for edit in (False, True, False, True):
        pid = editor(switch) if edit else 0
        for f in frames:
            sock.send(f)
        time.sleep(0.3)
        cpu, before, end = switch.cpu(), forwarded(), time.time() + seconds
        while time.time() < end:
            for f in frames:
                try:
                    sock.send(f)
                except OSError:
                    pass
        time.sleep(0.05)
        costs.append((switch.cpu() - cpu) * 1e6 / (forwarded() - before))
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return min(costs[0], costs[2]), min(costs[1], costs[3])


def editor(switch):
    of = switch.openflow()
    of.sock.sendall(flow_mod(1, 1, table=20))
    of.barrier(2)
    pid = os.fork()
    if pid:
        return pid
    try:
        due = time.time()
        for k in range(1 << 30):
            of.sock.sendall(flow_mod(k, 1, MODIFY_STRICT, k, table=20))
            due += 0.001
            time.sleep(max(0, due - time.time()))
    finally:
        os._exit(0)


def edit_rows(build, quick):
    if os.geteuid():
        return []
    out = []
    links = ["wbsw1", "wbsw2"]
    try:
        for name in links:
            subprocess.run(["ip", "link", "add", name, "type", "veth", "peer", "name", name + "a"], check=True)
            for end in (name, name + "a"):
                with open("/proc/sys/net/ipv6/conf/%s/disable_ipv6" % end, "w") as f:
                    f.write("1")
                subprocess.run(["ip", "link", "set", end, "up"], check=True)
        ours, peer = on_each(build, lambda s: edits(s, 1 if quick else 3), system=links)
    finally:
        for name in links:
            subprocess.run(["ip", "link", "del", name], stderr=subprocess.DEVNULL)
    slow = lambda pair: pair and (pair[1] / pair[0] - 1) * 100
    return [row("forward_cpu", "us", ours[0], peer and peer[0]), row("forward_while_edited_cpu", "us", ours[1], peer and peer[1]),
            row("slowdown_by_edits", "%", slow(ours), slow(peer))]


# ---- ours alone ----

def own_rows(build, quick, real):
    with Folder("lookup") as folder:
        with open(folder.file("flows"), "w") as f:
            f.write("\n".join(real[0]))
        return rows_of(build, "bench_switch", folder.file("flows"), *["--quick"] * quick)


def run(build, quick):
    rows = flow_mod_rows(build, quick)
    ours, peer = on_each(build, lambda s: misses(s, 2000 if quick else 20000))
    rows.append(row("miss_pipeline", "us", ours, peer))
    real = real_pipeline(build, 5 if quick else 60)
    n = 1000 if quick else 10000
    ours, peer = on_each(build, lambda s: count_megaflows(s, real, n))
    rows += [row("megaflows_portscan", "of %d packets" % n, ours["portscan"], peer and peer["portscan"]),
             row("megaflows_sources", "of %d packets" % n, ours["sources"], peer and peer["sources"]),
             row("portscan_cpu", "us", ours["portscan_cpu"], peer and peer["portscan_cpu"])]
    rows += edit_rows(build, quick)
    return rows + own_rows(build, quick, real)
