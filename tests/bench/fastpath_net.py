"""Namespaces and switches that group_fastpath.py measures: two machines, one or two switches between them, ours or the peer's."""
import os, subprocess, time
import topology
from harness import Connection

TAG = "wbench%d" % os.getpid()
MACHINES = (("gen", "g0", "f0", 0), ("sink", "g1", "f1", 1))  # namespace, its device, the switch's device, logical switch
PEER_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


def sh(text):
    return subprocess.run(["sh", "-ec", text], check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def inside(name, args):
    return ["ip", "netns", "exec", TAG + name] + args


def address(i):
    return "%s.10" % topology.subnet(i)


def mac(i):
    return topology.mac(1, i, 0)


def tunnel_address(i):
    return "172.31.7.%d" % (1 + i)


class Net:
    """Namespaces gen and sink; a switch in fwd, or with two hypervisors gen's in fwd and sink's in fwd2."""

    def __init__(self, hypervisors=1):
        self.names = ["gen", "sink", "fwd", "fwd2"][:2 + hypervisors]
        self.homes = ["fwd", "fwd2" if hypervisors == 2 else "fwd"]

    def __enter__(self):
        try:
            for n in self.names:
                sh("ip netns add {0}; ip -n {0} link set lo up; ip netns exec {0} sysctl -qw net.ipv6.conf.all.disable_ipv6=1 "
                   "net.ipv6.conf.default.disable_ipv6=1".format(TAG + n))
            for (name, dev, far, i), home in zip(MACHINES, self.homes):
                sh("ip link add {d} netns {n} numtxqueues 1 numrxqueues 1 type veth peer name {f} netns {h} numtxqueues 1 numrxqueues 1; "
                   "ip -n {n} link set {d} up; ip -n {h} link set {f} up".format(d=dev, n=TAG + name, f=far, h=TAG + home))
            if "fwd2" in self.names:
                sh("ip link add u0 netns {0} type veth peer name u1 netns {1}; ip -n {0} link set u0 mtu 1700 up; "
                   "ip -n {1} link set u1 mtu 1700 up".format(TAG + "fwd", TAG + "fwd2"))
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for n in self.names:
            subprocess.run(["ip", "netns", "del", TAG + n], stderr=subprocess.DEVNULL)

    def underlay(self):
        """Gives the devices between two hypervisors their addresses; switches do that themselves."""
        for i, home in enumerate(self.homes):
            sh("ip -n %s addr add %s/24 dev u%d" % (TAG + home, tunnel_address(i), i))

    def hosts(self, routed, offloads):
        """Gives the machines their addresses, for TCP and latency; until then they take small packets for somebody else's and drop them at once, as what a receiver
        does is not the switch's. A switch that cannot finish checksums needs OFFLOADS false."""
        for (name, dev, _, i) in MACHINES:
            n = TAG + name
            sh("ip -n {n} link set {d} address {m}".format(n=n, d=dev, m=mac(i)))
            if routed:
                sh("ip -n {n} addr add {a}/24 dev {d}; ip -n {n} route add default via {g}.1".format(n=n, a=address(i), d=dev, g=topology.subnet(i)))
            else:
                sh("ip -n {n} addr add {a}/8 dev {d}".format(n=n, a=address(i), d=dev))
            sh("ip netns exec {n} ethtool -K {d} tx {o} tso {o} gso {o}".format(n=n, d=dev, o="on" if offloads else "off"))


class Switch:
    """A switch daemon in a namespace, with its own run folder."""

    def __init__(self, folder, build, home, name):
        self.folder, self.build, self.home, self.name = folder, build, home, name
        self.dir = folder.file(name)
        os.mkdir(self.dir)
        self.env = dict(folder.env)
        for v in ("RUNDIR", "DBDIR", "LOGDIR"):
            for p in ("WEFT_", "OVN_", "OVS_"):
                self.env[p + v] = self.dir

    def path(self, name):
        return os.path.join(self.dir, name)

    def daemon(self, args, sock):
        f, self.folder.env = self.folder.env, self.env
        try:
            p = self.folder.start(args, os.path.join(self.name, sock))
        finally:
            self.folder.env = f
        return p

    def tool(self, args):
        r = subprocess.run(args, env=self.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        if r.returncode:
            raise RuntimeError("%s: %s" % (" ".join(args), r.stdout[-1000:]))
        return r.stdout

    def vsctl(self, *args):
        return self.tool([self.vsctl_program, "--timeout=20", "--db=unix:" + self.path("db.sock")] + list(args))

    def flow(self, text):
        self.tool([self.ofctl_program, "-O", "OpenFlow13", "add-flow", "unix:" + self.path("br-int.mgmt"), text])

    def bridge(self):
        self.vsctl("add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=netdev", "fail-mode=secure")

    def port(self, name, number, iface_id="", kind_="", **options):
        args = ["add-port", "br-int", name, "--", "set", "interface", name, "ofport_request=%d" % number]
        args += ["external_ids:iface-id=" + iface_id] if iface_id else []
        args += ["type=" + kind_] if kind_ else []
        self.vsctl(*args, *("options:%s=%s" % o for o in options.items()))

    def controller(self, sb):
        """Our controller drives it, whosever it is: the same flows on both."""
        self.vsctl("set", "open_vswitch", ".", "external_ids:system-id=" + self.name, "external_ids:ovn-remote=unix:" + sb,
                   "external_ids:ovn-encap-type=geneve", "external_ids:ovn-encap-ip=" + self.underlay, "external_ids:ovn-bridge-datapath-type=netdev")
        self.daemon(inside(self.home, [os.path.join(self.build, "bin", "weft-controller"), "-vconsole:off", "--unixctl=" + self.path("controller.ctl"),
                                       "unix:" + self.path("db.sock")]), "controller.ctl")

    def wait_installed(self, port):
        end = time.time() + 60
        while "ovn-installed" not in self.vsctl("get", "interface", port, "external_ids"):
            if time.time() > end:
                raise RuntimeError("%s: port %s was not bound in 60 s" % (self.name, port))
            time.sleep(0.1)


class Ours(Switch):
    offloads = True
    underlay = "127.0.0.1"

    def start(self):
        bin = lambda p: os.path.join(self.build, "bin", p)
        self.vsctl_program, self.ofctl_program = bin("weft-vsctl"), bin("weft-ofctl")
        self.process = self.daemon(inside(self.home, [bin("weft-switchd"), "-vconsole:off", "--db=" + self.path("conf.db"),
                                                      "--unixctl=" + self.path("switchd.ctl")]), "db.sock")
        self.vsctl("--no-wait", "init")

    def tunnel_device(self, device, local):
        sh("ip -n %s addr add %s/24 dev %s" % (TAG + self.home, local, device))


class Peer(Switch):
    offloads = False
    underlay = "127.0.0.1"

    def start(self):
        self.vsctl_program, self.ofctl_program = "ovs-vsctl", "ovs-ofctl"
        self.tool(["ovsdb-tool", "create", self.path("conf.db"), PEER_SCHEMA])
        self.daemon(["ovsdb-server", "-vconsole:off", "--remote=punix:" + self.path("db.sock"), "--unixctl=" + self.path("db.ctl"), self.path("conf.db")], "db.sock")
        self.vsctl("--no-wait", "init")
        mounted = ["sh", "-c", 'mount -t bpf bpf /sys/fs/bpf; exec "$@"', "sh"]  # in the namespace's own /sys: its AF_XDP ports want it
        self.process = self.daemon(inside(self.home, mounted + ["ovs-vswitchd", "-vconsole:off", "--disable-system", "--unixctl=" + self.path("switchd.ctl"),
                                                      "unix:" + self.path("db.sock")]), "switchd.ctl")

    def tunnel_device(self, device, local):
        """Its user-space tunnels route over a bridge that has the address."""
        self.vsctl("add-br", "br-phy", "--", "set", "bridge", "br-phy", "datapath_type=netdev", "--", "add-port", "br-phy", device)
        sh("ip -n {n} addr add {a}/24 dev br-phy; ip -n {n} link set br-phy mtu 1700 up".format(n=TAG + self.home, a=local))


class Central:
    """Our northd with the bench topology of two switches, a router, ten ACLs and a hundred load balancers."""

    def __init__(self, folder, build):
        folder.start([os.path.join(build, "bin", "weft-northd"), "-vconsole:off", "--unixctl=" + folder.file("northd.ctl")], "ovnsb_db.sock")
        self.sb = folder.file("ovnsb_db.sock")
        nb = Connection(folder.file("ovnnb_db.sock"))
        topology.fill(nb, 2)
        topology.fill_policy(nb, 2)


def l2(folder, build, kind, **port):
    """One switch, one rule each way."""
    s = kind(folder, build, "fwd", "sw")
    s.start()
    s.bridge()
    for i, (_, _, far, _) in enumerate(MACHINES):
        s.port(far, 1 + i, **port)
    s.flow("in_port=1,actions=output:2")
    s.flow("in_port=2,actions=output:1")
    return [s]


def l2_xdp(folder, build, kind):
    """The same by AF_XDP; the peer's needs a thread that polls."""
    switches = l2(folder, build, kind, kind_="afxdp", **{"xdp-mode": "native"})
    if kind is Peer:
        switches[0].vsctl("set", "open_vswitch", ".", "other_config:pmd-cpu-mask=0x2")
        time.sleep(1)  # its ports are opened anew
    return switches


def pipeline(folder, build, kind):
    """Switch, router, switch on one hypervisor, connections tracked."""
    central = Central(folder, build)
    s = kind(folder, build, "fwd", "sw")
    s.start()
    s.bridge()
    for i, (_, _, far, _) in enumerate(MACHINES):
        s.port(far, 1 + i, iface_id="lp-%d-0" % i)
    s.controller(central.sb)
    for _, _, far, _ in MACHINES:
        s.wait_installed(far)
    return [s]


def geneve(folder, build, kind):
    """A hypervisor for each machine, one rule each way, a tunnel with checksums between them, as OVN makes it."""
    result = []
    for i, home in enumerate(("fwd", "fwd2")):
        s = kind(folder, build, home, "sw%d" % i)
        s.start()
        s.bridge()
        s.port(MACHINES[i][2], 1)
        s.tunnel_device("u%d" % i, tunnel_address(i))
        s.port("gnv", 2, kind_="geneve", remote_ip=tunnel_address(1 - i), key=7, csum="true")
        s.flow("in_port=1,actions=output:2")
        s.flow("in_port=2,actions=output:1")
        result.append(s)
    return result
