"""northd: cold start, full recompute, one more port, one more ACL, one more address in a set of 10,000, one backend of a VIP, memory; ours hosting its databases beside ovn-northd with its two servers."""
import os, shutil, time
from harness import Connection, Folder, cpu_seconds, median, peak_mb, row
import topology

SCHEMAS = "/usr/share/ovn"


class Central:
    """A northd and its databases: start(), then conn to NB and SB."""

    nb_socket, sb_socket = "ovnnb_db.sock", "ovnsb_db.sock"

    def __init__(self, folder):
        self.folder = folder

    def connect(self):
        self.nb = Connection(self.folder.file(self.nb_socket))
        self.sb = Connection(self.folder.file(self.sb_socket))


class Ours(Central):
    def __init__(self, folder, build):
        super().__init__(folder)
        self.program = os.path.join(build, "bin", "weft-northd")
        self.appctl = os.path.join(build, "bin", "weft-appctl")

    def start_empty(self):
        self.northd = self.folder.start([self.program, "-vconsole:off", "--unixctl=" + self.folder.file("northd.ctl")], self.sb_socket)

    def prepare(self, n):
        """NB filled, SB empty, northd not running."""
        self.start_empty()
        self.connect()
        topology.fill(self.nb, n)
        self.folder.stop(self.northd)
        for f in os.listdir(self.folder.path):
            if f.startswith("sb.db") or f.endswith(".sock"):
                os.unlink(self.folder.file(f))

    def cold(self):
        self.start_empty()

    def recompute(self):
        self.folder.run([self.appctl, "-t", self.folder.file("northd.ctl"), "inc-engine/recompute"])

    def pids(self):
        return [self.northd.pid]


class Peer(Central):
    def start_servers(self):
        self.servers = []
        for name, sock in (("nb", self.nb_socket), ("sb", self.sb_socket)):
            db = self.folder.file(name + ".db")
            self.folder.run(["ovsdb-tool", "create", db, "%s/ovn-%s.ovsschema" % (SCHEMAS, name)])
            self.servers.append(self.folder.start(["ovsdb-server", "-vconsole:off", "--remote=punix:" + self.folder.file(sock),
                                                   "--unixctl=" + self.folder.file(name + ".ctl"), db], sock))

    def prepare(self, n):
        self.start_servers()
        self.connect()
        topology.fill(self.nb, n)

    def cold(self):
        self.northd = self.folder.start(["ovn-northd", "-vconsole:off", "--unixctl=" + self.folder.file("northd.ctl"),
                                         "--ovnnb-db=unix:" + self.folder.file(self.nb_socket), "--ovnsb-db=unix:" + self.folder.file(self.sb_socket)])

    def recompute(self):
        self.folder.run(["ovs-appctl", "-t", self.folder.file("northd.ctl"), "inc-engine/recompute"])

    def pids(self):
        return [self.northd.pid] + [s.pid for s in self.servers]


def sync(nb, number):
    """Raises nb_cfg and waits until northd has written sb_cfg: all before is in SB then."""
    nb.transact(topology.DB, [{"op": "update", "table": "NB_Global", "where": [], "row": {"nb_cfg": number}}])
    while True:
        m = nb.notification()
        for r in m["params"][1].get("NB_Global", {}).values():
            if r.get("new", {}).get("sb_cfg", -1) >= number:
                return


def watch_cfg(nb):
    nb.call("monitor", topology.DB, "cfg", {"NB_Global": {"columns": ["sb_cfg"], "select": {"initial": False, "insert": False, "delete": False}}})


def add_port(central, i, p):
    """Seconds from sending the transaction to the Port_Binding row's arrival at a client of SB."""
    name = topology.port_row(i, p)["name"]
    started = time.perf_counter()
    central.nb.transact(topology.DB, topology.add_port_ops(i, p))
    while True:
        rows = central.sb.notification()["params"][1].get("Port_Binding", {})
        if any(r.get("new", {}).get("logical_port") == name for r in rows.values()):
            return time.perf_counter() - started


def watch(central, table):
    """Changes of a table of SB, by the difference: {"update2": ...} notifications."""
    central.sb.call("monitor_cond", "OVN_Southbound", table, {table: [{"select": {"initial": False}}]})


def change(central, ops, table, is_there):
    """Seconds from sending the operations to NB until a client of SB has a change of TABLE that IS_THERE accepts."""
    started = time.perf_counter()
    central.nb.transact(topology.DB, ops)
    while True:
        rows = central.sb.notification()["params"][1].get(table, {})
        if any(is_there(r) for r in rows.values()):
            return time.perf_counter() - started


def add_acl(central, i, k):
    match = "outport == \"lp-%d-3\" && tcp.dst == %d" % (i, 1000 + k)
    acl = topology.insert("ACL", {"direction": "to-lport", "priority": 1000 + k, "match": match, "action": "allow-related"}, "a")
    link = {"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", "ls%d" % i]], "mutations": [["acls", "insert", topology.ref("a")]]}
    return change(central, [acl, link], "Logical_Flow", lambda r: match.split(" && ")[1] in r.get("insert", {}).get("match", ""))


def add_address(central, k):
    address = "10.200.%d.%d" % (k >> 8, k & 255)
    ops = [{"op": "mutate", "table": "Address_Set", "where": [["name", "==", "big"]], "mutations": [["addresses", "insert", address]]}]
    return change(central, ops, "Address_Set", lambda r: r.get("modify", {}).get("addresses") == address)


def measure_firewall(central, n, reps):
    """Medians in ms: one ACL more on a switch that has one, one address more in a set of 10,000."""
    addresses = ["10.%d.%d.%d" % (100 + k // 65536, k // 256 % 256, k % 256) for k in range(10000)]
    watch(central, "Address_Set")
    change(central, [topology.insert("Address_Set", {"name": "big", "addresses": ["set", addresses]}, "s")], "Address_Set", lambda r: "insert" in r)
    times = [add_address(central, k) * 1e3 for k in range(reps)]
    central.sb.call("monitor_cancel", "Address_Set")
    watch(central, "Logical_Flow")
    for i in range(min(n, 7)):
        add_acl(central, i, 0)
    return median([add_acl(central, k % min(n, 7), 1 + k) * 1e3 for k in range(reps)]), median(times)


def set_backend(central, k):
    vip, backend = "30.0.0.%d:80" % (k % 100), "10.16.0.10:%d" % (8080 + k)
    vips = [["vips", "delete", ["set", [vip]]], ["vips", "insert", ["map", [[vip, backend]]]]]
    ops = [{"op": "mutate", "table": "Load_Balancer", "where": [["name", "==", "lb"]], "mutations": vips}]
    return change(central, ops, "Logical_Flow", lambda r: "backends=" + backend + ")" in r.get("insert", {}).get("actions", ""))


def measure_lb(central, n, reps):
    """Median in ms: one backend of one of the 100 VIPs of a load balancer on the first switches. Logical_Flow is watched."""
    vips = [["30.0.0.%d:80" % i, "10.16.0.10:8080"] for i in range(100)]
    ops = [topology.insert("Load_Balancer", {"name": "lb", "protocol": "tcp", "vips": ["map", vips]}, "lb")]
    for i in range(min(n, 20)):
        ops.append({"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", "ls%d" % i]], "mutations": [["load_balancer", "insert", topology.ref("lb")]]})
    change(central, ops, "Logical_Flow", lambda r: "backends=10.16.0.10:8080)" in r.get("insert", {}).get("actions", ""))
    return median([set_backend(central, 1 + k) * 1e3 for k in range(reps)])


def measure(central, n, reps):
    figures = {}
    central.prepare(n)
    started = time.perf_counter()
    central.cold()
    central.connect()
    watch_cfg(central.nb)
    sync(central.nb, 1)
    figures["cold"] = time.perf_counter() - started
    times = []
    for k in range(max(3, reps // 6)):
        started = time.perf_counter()
        central.recompute()
        sync(central.nb, 2 + k)
        times.append((time.perf_counter() - started) * 1e3)
    figures["recompute"] = median(times)
    central.nb.call("monitor_cancel", "cfg")
    central.sb.call("monitor", "OVN_Southbound", "pb", {"Port_Binding": {"columns": ["logical_port"], "select": {"initial": False, "delete": False, "modify": False}}})
    times = [add_port(central, (k * 13) % n, 40 + k) * 1e3 for k in range(reps)]
    figures["add_port"] = median(times)
    figures["rss"] = sum(peak_mb(p) for p in central.pids())
    central.sb.call("monitor_cancel", "pb")
    figures["acl"], figures["address"] = measure_firewall(central, n, reps)
    figures["backend"] = measure_lb(central, n, reps)
    return figures


def one_size(build, n, reps, with_peer):
    with Folder("ours") as folder:
        ours = measure(Ours(folder, build), n, reps)
    peer = {}
    if with_peer:
        with Folder("peer") as folder:
            peer = measure(Peer(folder), n, reps)
    names = (("cold", "cold_%d", "s"), ("recompute", "recompute_%d", "ms"), ("add_port", "add_port_%d", "ms"), ("acl", "acl_%d", "ms"), ("backend", "vip_backend_%d", "ms"), ("rss", "rss_central_%d", "MB"))
    rows = [row(name % n, unit, ours[key], peer.get(key)) for key, name, unit in names]
    return rows + ([row("address_in_10000", "ms", ours["address"], peer.get("address"))] if n <= 100 else [])


def run(build, quick):
    with_peer = shutil.which("ovn-northd") is not None and os.path.exists(SCHEMAS + "/ovn-nb.ovsschema")
    if quick:
        return one_size(build, 20, 6, with_peer)
    return one_size(build, 100, 30, with_peer) + one_size(build, 500, 30, False)
