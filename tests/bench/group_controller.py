"""controller: one real hypervisor with the 20 machines of the first switch, every other switch on a hypervisor of its own that is
only a row; cold start, full recompute, one port more here and elsewhere, flows, memory; beside ovn-controller with ovs-vswitchd on the
same southbound database, which is our northd's. Ports are dummies, so that only the control plane is measured. Then, as root, two real
machines: how long the controller's answers take while it is idle and while it computes everything again (answer_*), and steady traffic
while it is killed and started again (restart_*: the limit is the loss when nobody is killed)."""
import os, re, shutil, time
from harness import Connection, Folder, cpu_seconds, median, peak_mb, row
import answers, group_northd, restarts, topology

SB, CONF = "OVN_Southbound", "Open_vSwitch"


class Hypervisor:
    """A switch with its database, and the controller that drives it."""

    def __init__(self, folder, bin_dir, machines=None):
        self.folder, self.machines = folder, machines
        self.tool = lambda ours, peer: os.path.join(bin_dir, ours) if bin_dir else peer  # noqa: E731
        self.appctl = self.tool("weft-appctl", "ovs-appctl")
        self.ofctl = self.tool("weft-ofctl", "ovs-ofctl")
        self.ours = bool(bin_dir)

    def start_switch(self, sb_socket):
        f = self.folder
        switchd = [self.tool("weft-switchd", "ovs-vswitchd"), "--enable-dummy" + ("" if self.machines else "=override"), "-vconsole:off", "--unixctl=" + f.file("switchd.ctl")]
        if not self.ours:
            f.run(["ovsdb-tool", "create", f.file("conf.db"), "/usr/share/openvswitch/vswitch.ovsschema"])
            f.start(["ovsdb-server", "-vconsole:off", "--remote=punix:" + f.file("db.sock"), "--unixctl=" + f.file("conf.ctl"), f.file("conf.db")], "db.sock")
            switchd += ([] if self.machines else ["--disable-system"]) + ["unix:" + f.file("db.sock")]
        self.switchd = f.start(switchd, "db.sock")
        vsctl = [self.tool("weft-vsctl", "ovs-vsctl"), "--retry", "--timeout=60", "--db=unix:" + f.file("db.sock")]
        f.run(vsctl + ["--no-wait", "init"])
        f.run(vsctl + ["set", "open", ".", "external_ids:system-id=hv0", "external_ids:hostname=hv0", "external_ids:ovn-remote=unix:" + sb_socket,
                       "external_ids:ovn-encap-type=geneve", "external_ids:ovn-encap-ip=127.0.0.1", "external_ids:ovn-monitor-all=false"])
        f.run(vsctl + ["add-br", "br-int", "--", "set", "bridge", "br-int", "fail-mode=secure"] + (["datapath_type=netdev"] if self.machines else []))
        self.conf = Connection(f.file("db.sock"))
        self.conf.transact(CONF, sum([self.vif(p) for p in range(20)], []))
        self.conf.call("monitor", CONF, "i", {"Interface": {"columns": ["name", "external_ids"], "select": {"initial": False}}})

    def vif(self, p):
        """Operations that plug in machine P of the first switch."""
        real = self.machines and p < 2
        name = self.machines.device(p) if real else "v%d" % p
        return [topology.insert("Interface", {"name": name, "type": "" if real else "dummy", "external_ids": ["map", [["iface-id", "lp-0-%d" % p]]]}, "i" + name),
                topology.insert("Port", {"name": name, "interfaces": topology.ref("i" + name)}, "p" + name),
                {"op": "mutate", "table": "Bridge", "where": [["name", "==", "br-int"]], "mutations": [["ports", "insert", topology.ref("p" + name)]]}]

    def start_controller(self):
        name = self.tool("weft-controller", "ovn-controller")
        self.controller = self.folder.start([name, "-vconsole:off", "unix:" + self.folder.file("db.sock")])
        self.control = self.folder.file("%s.%d.ctl" % (os.path.basename(name), self.controller.pid))

    def recompute(self):
        self.folder.run([self.appctl, "-t", self.control, "inc-engine/recompute"])

    def n_flows(self):
        return int(re.search(r"flow_count=(\d+)", self.folder.run([self.ofctl, "dump-aggregate", "unix:" + self.folder.file("br-int.mgmt")])).group(1))

    def n_flows_at_rest(self):
        """Tunnels to other hypervisors may still be in the making when the machines here are up."""
        last, n = -1, self.n_flows()
        while n != last:
            time.sleep(0.5)
            last, n = n, self.n_flows()
        return n

    def wait_installed(self, name):
        while True:
            for r in self.conf.notification()["params"][1].get("Interface", {}).values():
                n = r.get("new", {})
                if n.get("name") == name and ["ovn-installed", "true"] in n.get("external_ids", ["map", []])[1]:
                    return


def other_hypervisors(sb, n):
    """Chassis hv1 to hv(N-1), rows only, and on each the machines of the switch of its number."""
    for low in range(1, n, 200):
        ops = []
        for i in range(low, min(n, low + 200)):
            ops.append(topology.insert("Encap", {"type": "geneve", "ip": "10.200.%d.%d" % (i // 250, 1 + i % 250), "chassis_name": "hv%d" % i,
                                                 "options": ["map", [["csum", "true"]]]}, "e%d" % i))
            ops.append(topology.insert("Chassis", {"name": "hv%d" % i, "hostname": "hv%d" % i, "encaps": topology.ref("e%d" % i)}, "c%d" % i))
        sb.transact(SB, ops)
    chassis = {r["name"]: r["_uuid"] for r in sb.transact(SB, [{"op": "select", "table": "Chassis", "where": [], "columns": ["_uuid", "name"]}])[0]["rows"]}
    ports = sb.transact(SB, [{"op": "select", "table": "Port_Binding", "where": [], "columns": ["_uuid", "logical_port"]}])[0]["rows"]
    found = [(r["_uuid"], re.match(r"lp-([1-9]\d*)-", r["logical_port"])) for r in ports]
    ops = [{"op": "update", "table": "Port_Binding", "where": [["_uuid", "==", uuid]], "row": {"chassis": chassis["hv" + m.group(1)], "up": True}} for uuid, m in found if m]
    for low in range(0, len(ops), 2000):
        sb.transact(SB, ops[low:low + 2000])


class Clock:
    """Rounds of nb_cfg: wait() returns when the hypervisors say that all before is in force."""

    def __init__(self, nb):
        self.nb, self.number = nb, 1
        nb.call("monitor", topology.DB, "cfg", {"NB_Global": {"columns": ["hv_cfg", "sb_cfg"], "select": {"initial": False, "insert": False, "delete": False}}})

    def wait(self, column="hv_cfg"):
        self.number += 1
        self.nb.transact(topology.DB, [{"op": "update", "table": "NB_Global", "where": [], "row": {"nb_cfg": self.number}}])
        while True:
            m = self.nb.notification()
            if any(r.get("new", {}).get(column, -1) >= self.number for r in m["params"][1].get("NB_Global", {}).values()):
                return


def bring_up(folder, build, n):
    """Central with the network in force in SB, the other hypervisors' rows in it. (central, clock)"""
    central = group_northd.Ours(folder, build)
    central.start_empty()
    central.connect()
    topology.fill(central.nb, n)
    topology.fill_policy(central.nb, n)
    clock = Clock(central.nb)
    clock.wait("sb_cfg")
    other_hypervisors(central.sb, n)
    clock.wait("sb_cfg")
    return central, clock


def one_more_port(hv, central, clock, reps):
    """Medians in ms: wall time from the interface's row to ovn-installed, the controller's CPU for it, its CPU for a port elsewhere."""
    wall, cpu, remote = [], [], []
    for k in range(reps):
        central.nb.transact(topology.DB, topology.add_port_ops(0, 40 + k))
        clock.wait()
        hv.conf.pending.clear()
        before, started = cpu_seconds(hv.controller.pid), time.perf_counter()
        hv.conf.transact(CONF, hv.vif(40 + k))
        hv.wait_installed("v%d" % (40 + k))
        wall.append((time.perf_counter() - started) * 1e3)
        clock.wait()
        cpu.append((cpu_seconds(hv.controller.pid) - before) * 1e3)
    for k in range(reps):
        before = cpu_seconds(hv.controller.pid)
        central.nb.transact(topology.DB, topology.add_port_ops(1, 40 + k))
        clock.wait()
        remote.append((cpu_seconds(hv.controller.pid) - before) * 1e3)
    return median(wall), median(cpu), median(remote)


def wait_up(hv, central):
    up = [{"op": "select", "table": "Port_Binding", "columns": ["up"], "where": [["logical_port", "==", "lp-0-19"]]}]
    while central.sb.transact(SB, up)[0]["rows"][0]["up"] is not True:
        if hv.controller.poll() is not None:
            raise RuntimeError("the controller ended: status %d" % hv.controller.returncode)
        time.sleep(0.02)


def measure(folder, build, n, reps, bin_dir):
    central, clock = bring_up(folder, build, n)
    hv_folder = Folder("hv")
    with hv_folder:
        hv = Hypervisor(hv_folder, bin_dir)
        hv.start_switch(folder.file(central.sb_socket))
        figures, started = {}, time.perf_counter()
        switch_before = cpu_seconds(hv.switchd.pid)
        hv.start_controller()
        wait_up(hv, central)
        clock.wait()
        figures["cold"] = time.perf_counter() - started
        figures["cold_cpu"] = cpu_seconds(hv.controller.pid)
        figures["switch_cpu"] = cpu_seconds(hv.switchd.pid) - switch_before
        figures["flows"] = hv.n_flows_at_rest()
        figures["lflows"] = len(central.sb.transact(SB, [{"op": "select", "table": "Logical_Flow", "where": [], "columns": ["_uuid"]}])[0]["rows"])
        wall, cpu = [], []
        for _ in range(max(3, reps // 4)):
            before, begun = cpu_seconds(hv.controller.pid), time.perf_counter()
            hv.recompute()
            clock.wait()
            wall.append((time.perf_counter() - begun) * 1e3)
            cpu.append((cpu_seconds(hv.controller.pid) - before) * 1e3)
        figures["recompute"], figures["recompute_cpu"] = median(wall), median(cpu)
        figures["port"], figures["port_cpu"], figures["remote_cpu"] = one_more_port(hv, central, clock, reps)
        figures["rss"], figures["switch_rss"] = peak_mb(hv.controller.pid), peak_mb(hv.switchd.pid)
    return figures


def measure_restarts(build, n, times, bin_dir):
    with Folder("central") as folder, restarts.Machines() as machines, Folder("hv") as hv_folder:
        central, clock = bring_up(folder, build, n)
        hv = Hypervisor(hv_folder, bin_dir, machines)
        hv.start_switch(folder.file(central.sb_socket))
        hv.start_controller()
        wait_up(hv, central)
        clock.wait()
        figures = {"flows": hv.n_flows(), "answers": answers.measure(hv, clock, machines, min(10, times))}
        return dict(restarts.measure(hv, clock, machines, times), **figures)


def restart_rows(build, n, times, with_peer):
    ours = measure_restarts(build, n, times, os.path.join(build, "bin"))
    peer = measure_restarts(build, n, max(2, times // 10), None) if with_peer else {}
    share = lambda f, key: f[key] / f["sent"] * 100 if f else None  # noqa: E731
    times = [row("answer_%s_%s_%d" % (when, name, n), "ms", ours["answers"][when][k], peer["answers"][when][k] if peer else None)
             for when in ("idle", "busy") for k, name in enumerate(("p50", "p99"))]
    return times + [row("restart_flows_%d" % n, "flows", ours["flows"], peer.get("flows")), row("restart_time_%d" % n, "s", ours["seconds"], peer.get("seconds")),
            row("restart_lost_packets_%d" % n, "%", share(ours, "lost"), share(peer, "lost"), share(ours, "lost_without")),
            row("restart_flow_mods_%d" % n, "messages", ours["mods"])]


NAMES = (("cold", "cold_start", "s"), ("cold_cpu", "cold_controller_cpu", "s"), ("switch_cpu", "cold_switch_cpu", "s"), ("recompute", "recompute", "ms"),
         ("recompute_cpu", "recompute_cpu", "ms"), ("port", "local_port_installed", "ms"), ("port_cpu", "local_port_cpu", "ms"),
         ("remote_cpu", "remote_port_cpu", "ms"), ("flows", "openflow_flows", "flows"), ("rss", "rss_controller", "MB"), ("switch_rss", "rss_switch", "MB"))


def one_size(build, n, reps, with_peer):
    results = []
    for bin_dir in [os.path.join(build, "bin")] + ([None] if with_peer else []):
        with Folder("central") as folder:
            results.append(measure(folder, build, n, reps, bin_dir))
    ours, peer = results[0], results[1] if with_peer else {}
    return [row("logical_flows_%d" % n, "flows", ours["lflows"])] + [row("%s_%d" % (name, n), unit, ours[key], peer.get(key)) for key, name, unit in NAMES]


def run(build, quick):
    with_peer = shutil.which("ovn-controller") is not None and shutil.which("ovs-vswitchd") is not None
    if quick:
        return one_size(build, 20, 4, with_peer) + (restart_rows(build, 20, 4, with_peer) if not os.geteuid() else [])
    rows = sum((one_size(build, n, 12, with_peer) for n in (100, 500, 1000)), [])
    return rows + (restart_rows(build, 400, 20, with_peer) if not os.geteuid() else [])
