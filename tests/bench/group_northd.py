"""northd: cold start, full recompute and memory, without and with policy (port security, ten ACLs on a group of all ports, a group of 100 load balancers on every switch), and one change more: a port, an ACL, an address in a set of 10,000, a backend of a VIP, a route among 10,000, a chassis; ours hosting its databases beside ovn-northd with its two servers. For each change the time until a client of SB has it, and the CPU time of the central processes, databases included."""
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


def fill(nb, n, policy):
    topology.fill(nb, n, secure=policy)
    if policy:
        topology.fill_policy(nb, n, group=True)


class Ours(Central):
    def __init__(self, folder, build):
        super().__init__(folder)
        self.program = os.path.join(build, "bin", "weft-northd")
        self.appctl = os.path.join(build, "bin", "weft-appctl")

    def start_empty(self, *options):
        self.northd = self.folder.start([self.program, "-vconsole:off", "--unixctl=" + self.folder.file("northd.ctl"), *options], self.sb_socket)

    def prepare(self, n, policy):
        """NB filled and not written back to, SB empty, northd not running."""
        self.start_empty("--dry-run")
        self.connect()
        fill(self.nb, n, policy)
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

    def prepare(self, n, policy):
        self.start_servers()
        self.connect()
        fill(self.nb, n, policy)

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


def come_to_rest(nb, number, timeout=120):
    """Waits until hv_cfg, of no hypervisors, has come to a number: after a start all ports have been told then that they are up or down."""
    end = time.time() + timeout
    while nb.transact(topology.DB, [{"op": "select", "table": "NB_Global", "where": [], "columns": ["hv_cfg"]}])[0]["rows"][0]["hv_cfg"] < number:
        if time.time() > end:
            raise RuntimeError("hv_cfg did not reach %d" % number)
        time.sleep(0.02)


def repeat(central, reps, change):
    """Median in ms of change(k), which returns seconds, for k = 0..reps - 1, and the CPU time of each in ms."""
    before = sum(cpu_seconds(p) for p in central.pids())
    times = [change(k) * 1e3 for k in range(reps)]
    return median(times), (sum(cpu_seconds(p) for p in central.pids()) - before) * 1e3 / reps


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
    """One ACL more on a switch that has one, one address more in a set of 10,000."""
    addresses = ["10.%d.%d.%d" % (100 + k // 65536, k // 256 % 256, k % 256) for k in range(10000)]
    watch(central, "Address_Set")
    change(central, [topology.insert("Address_Set", {"name": "big", "addresses": ["set", addresses]}, "s")], "Address_Set", lambda r: "insert" in r)
    address = repeat(central, reps, lambda k: add_address(central, k))
    central.sb.call("monitor_cancel", "Address_Set")
    watch(central, "Logical_Flow")
    for i in range(min(n, 7)):
        add_acl(central, i, 0)
    return repeat(central, reps, lambda k: add_acl(central, k % min(n, 7), 1 + k)), address


def set_backend(central, k):
    vip, backend = "30.0.0.%d:80" % (k % 100), "10.16.0.10:%d" % (8080 + k)
    vips = [["vips", "delete", ["set", [vip]]], ["vips", "insert", ["map", [[vip, backend]]]]]
    ops = [{"op": "mutate", "table": "Load_Balancer", "where": [["name", "==", "lb"]], "mutations": vips}]
    return change(central, ops, "Logical_Flow", lambda r: "backends=" + backend + ")" in r.get("insert", {}).get("actions", ""))


def measure_lb(central, n, reps):
    """One backend of one of the 100 VIPs of a load balancer on the first switches. Logical_Flow is watched."""
    vips = [["30.0.0.%d:80" % i, "10.16.0.10:8080"] for i in range(100)]
    ops = [topology.insert("Load_Balancer", {"name": "lb", "protocol": "tcp", "vips": ["map", vips]}, "lb")]
    for i in range(min(n, 20)):
        ops.append({"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", "ls%d" % i]], "mutations": [["load_balancer", "insert", topology.ref("lb")]]})
    change(central, ops, "Logical_Flow", lambda r: "backends=10.16.0.10:8080)" in r.get("insert", {}).get("actions", ""))
    return repeat(central, reps, lambda k: set_backend(central, 1 + k))


def add_route(central, k):
    prefix = "11.%d.%d.0/24" % (k >> 8, k & 255)
    ops = [topology.insert("Logical_Router_Static_Route", {"ip_prefix": prefix, "nexthop": "100.64.0.2"}, "r"),
           {"op": "mutate", "table": "Logical_Router", "where": [["name", "==", "cr"]], "mutations": [["static_routes", "insert", topology.ref("r")]]}]
    return change(central, ops, "Logical_Flow", lambda r: "ip4.dst == " + prefix in r.get("insert", {}).get("match", ""))


def measure_routes(central, reps):
    """One route more on a router with 10,000. Logical_Flow is watched."""
    names = ["r%d" % k for k in range(10000)]
    ops = [topology.insert("Logical_Router_Static_Route", {"ip_prefix": "20.%d.%d.0/24" % (k >> 8, k & 255), "nexthop": "100.64.0.2"}, n) for k, n in enumerate(names)]
    ops.append({"op": "mutate", "table": "Logical_Router", "where": [["name", "==", "cr"]], "mutations": [["static_routes", "insert", ["set", [topology.ref(n) for n in names]]]]})
    change(central, ops, "Logical_Flow", lambda r: "ip4.dst == 20." in r.get("insert", {}).get("match", ""))
    return repeat(central, reps, lambda k: add_route(central, k))


def measure_chassis(central, n, reps):
    """A chassis comes and claims a port: until its port is up in NB."""
    central.nb.call("monitor_cond", topology.DB, "up", {"Logical_Switch_Port": [{"columns": ["up"], "select": {"initial": False}}]})

    def add(k):
        started = time.perf_counter()
        central.sb.transact("OVN_Southbound", [
            topology.insert("Encap", {"type": "geneve", "ip": "1.2.%d.%d" % (k >> 8, k & 255), "chassis_name": "hv%d" % k}, "e"),
            topology.insert("Chassis", {"name": "hv%d" % k, "encaps": topology.ref("e")}, "c"),
            {"op": "update", "table": "Port_Binding", "where": [["logical_port", "==", "lp-%d-1" % (k % n)]], "row": {"chassis": topology.ref("c"), "up": True}}])
        while not any(r.get("modify", {}).get("up") for r in central.nb.notification()["params"][1].get("Logical_Switch_Port", {}).values()):
            pass
        return time.perf_counter() - started

    return repeat(central, min(reps, n), add)


def measure_whole(central, n, reps, policy):
    """Cold start and full recompute until sb_cfg, and the memory after that."""
    figures = {}
    central.prepare(n, policy)
    started = time.perf_counter()
    central.cold()
    central.connect()
    watch_cfg(central.nb)
    sync(central.nb, 1)
    figures["cold"] = time.perf_counter() - started
    come_to_rest(central.nb, 1)
    times = []
    for k in range(max(3, reps // 6)):
        started = time.perf_counter()
        central.recompute()
        sync(central.nb, 2 + k)
        times.append((time.perf_counter() - started) * 1e3)
    figures["recompute"] = median(times)
    figures["rss"] = sum(peak_mb(p) for p in central.pids())
    return figures


def measure(central, n, reps):
    figures = measure_whole(central, n, reps, False)
    central.nb.call("monitor_cancel", "cfg")
    central.sb.call("monitor", "OVN_Southbound", "pb", {"Port_Binding": {"columns": ["logical_port"], "select": {"initial": False, "delete": False, "modify": False}}})
    figures["add_port"] = repeat(central, reps, lambda k: add_port(central, (k * 13) % n, 40 + k))
    central.sb.call("monitor_cancel", "pb")
    figures["acl"], figures["address"] = measure_firewall(central, n, reps)
    figures["backend"] = measure_lb(central, n, reps)
    figures["route"] = measure_routes(central, reps)
    central.sb.call("monitor_cancel", "Logical_Flow")
    figures["chassis"] = measure_chassis(central, n, reps)
    return figures


def both(build, with_peer, measure_one):
    """What measure_one(central) gives for ours, and for the peer."""
    with Folder("ours") as folder:
        ours = measure_one(Ours(folder, build))
    if not with_peer:
        return ours, {}
    with Folder("peer") as folder:
        return ours, measure_one(Peer(folder))


def one_size(build, n, reps, with_peer):
    rows = []
    for tag, one in (("", lambda c: measure(c, n, reps)), ("policy_", lambda c: measure_whole(c, n, reps, True))):
        ours, peer = both(build, with_peer, one)
        rows += [row(name % (tag, n), unit, ours[key], peer.get(key))
                 for key, name, unit in (("cold", "cold_%s%d", "s"), ("recompute", "recompute_%s%d", "ms"), ("rss", "rss_central_%s%d", "MB"))]
        rows += changes(ours, peer, n) if not tag else []
    return rows


def changes(ours, peer, n):
    rows = []
    for key, name in (("add_port", "add_port"), ("acl", "acl"), ("address", "address_in_10000"), ("backend", "vip_backend"), ("route", "route_in_10000"), ("chassis", "chassis")):
        for which, what in ((0, ""), (1, "_cpu")):
            rows.append(row("%s%s_%d" % (name, what, n), "ms", ours[key][which], peer[key][which] if peer else None))
    return rows


def run(build, quick):
    with_peer = shutil.which("ovn-northd") is not None and os.path.exists(SCHEMAS + "/ovn-nb.ovsschema")
    if quick:
        return one_size(build, 20, 6, with_peer)
    return one_size(build, 100, 30, with_peer) + one_size(build, 500, 30, False) + one_size(build, 1000, 30, False)
