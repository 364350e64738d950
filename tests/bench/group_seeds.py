"""The founding behaviours: connections that a flow learns, beside ovs-vswitchd, and what 100,000 learned flows cost a look-up; from a cold bridge to its
controller, in each in-band set-up; the first packet through a router that has to ask for the next hop's MAC, beside OVN. CPU time
for the former, wall time for the latter two."""
import os, re, shutil, subprocess, sys
from harness import Folder, median, row
from switches import Switch, frame, mac

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEER = shutil.which("ovs-vswitchd") and os.path.exists("/usr/share/openvswitch/vswitch.ovsschema")


# ---- learning ----

def proxy_flows():
    """The flows of docs/recipes/learn-proxy.md: what its blocks write to the file "flows"."""
    with open(os.path.join(ROOT, "docs", "recipes", "learn-proxy.md")) as f:
        blocks = re.findall(r"^```sh\n(.*?)^```$", f.read(), re.S | re.M)
    script = "".join(b.split("weft-ofctl")[0] for b in blocks if re.search(r"^cat >>?flows|^learn", b, re.M))
    with Folder("flows") as folder:
        subprocess.run(["bash", "-euc", script], cwd=folder.path, check=True)
        with open(folder.file("flows")) as f:
            return re.sub("(hard|idle)_timeout=300,", "", f.read())  # a slow switch would lose some meanwhile


def pair(i):
    """The I-th of 62,500 pairs of addresses, each of which is learned by itself."""
    return "192.168.5.%d" % (i % 250 + 1), "10.99.3.%d" % (i // 250 + 1)


def learned(i):
    """The two flows that a packet of the I-th pair leaves behind."""
    (src, dst), nat = pair(i), "0x0a0a%02x%02x" % (i % 250 + 1, i // 250 + 1)
    yield ("table=1,priority=2,ip,nw_src=%s,nw_dst=%s,actions=load:%s->NXM_OF_IP_SRC[],load:0x0a0a0001->NXM_OF_IP_DST[],"
           "load:0x0e0000000067->NXM_OF_ETH_SRC[],load:0x0e0000000066->NXM_OF_ETH_DST[],output:2" % (src, dst, nat))
    yield ("table=2,priority=2,ip,nw_src=10.10.0.1,nw_dst=10.10.%d.%d,actions=load:0x020000000001->NXM_OF_ETH_DST[],load:0x020000000002->NXM_OF_ETH_SRC[],"
           "load:0xc0a805%02x->NXM_OF_IP_DST[],load:0x0a6303%02x->NXM_OF_IP_SRC[],output:1" % (i % 250 + 1, i // 250 + 1, i % 250 + 1, i // 250 + 1))


def learning(switch, n, sample):
    switch.ofctl("-OOpenFlow13", "add-flows", "br0", "-", text=proxy_flows())
    frames = [frame(mac(1), mac(2), *pair(i)).hex() for i in range(n)]

    def cost(list_of_frames):
        cpu = switch.cpu_main()
        switch.receive("p1", list_of_frames)
        return (switch.cpu_main() - cpu) * 1e6 / len(list_of_frames)

    switch.receive("p1", frames[:1])
    base = cost(frames[:1] * sample)  # the way in, which is the same for all
    first = cost(frames[1:1 + sample]) - base
    switch.appctl("revalidator/purge")
    few = cost(frames[:sample]) - base
    switch.ofctl("-OOpenFlow13", "add-flows", "br0", "-", text="\n".join(f for i in range(n) for f in learned(i)))  # those that are there are so again
    assert switch.n_flows() == 12 + 2 * n, switch.n_flows()
    switch.appctl("revalidator/purge")
    step = max(1, n // sample)
    many = cost(frames[::step][:sample]) - base
    return first, few, many


def learning_rows(build, quick):
    n, sample = (2000, 500) if quick else (50000, 4000)
    out = []
    for ours in (True, False) if PEER else (True,):
        with Folder("learn") as folder:
            out.append(learning(Switch(folder, build, ours, ports=2), n, sample))
    (first, few, many), peer = out[0], out[1] if PEER else (None,) * 3
    return [row("learned_connections", "/s", 1e6 / first, peer[0] and 1e6 / peer[0], more_is_better=True),
            row("learned_connection_cpu", "us", first, peer[0]),
            row("lookup_%d_learned" % (2 * sample), "us", few, peer[1]),
            row("lookup_%d_learned" % (2 * n), "us", many, peer[2])]


# ---- scripts in namespaces ----

def script(build, path, *args, **env):
    r = subprocess.run([os.path.join(ROOT, path), *args], env={**os.environ, "WEFT_BIN": os.path.join(build, "bin"), "WEFT_SRC": ROOT, **env},
                       text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if r.returncode:
        sys.exit("bench: %s %s failed:\n%s" % (path, " ".join(args), r.stdout[-3000:]))
    return r.stdout


def inband_rows(build, quick):
    setups = ("t1", "t3") if quick else ("t1", "t2", "t3", "t4", "t5", "t6")
    text = script(build, "tests/system/inband.sh", *setups, WEFT_TIMES="2" if quick else "7")
    return [row("inband_%s_connected" % s, "ms", median([float(ms) for ms in re.findall(r"^cold %s ([0-9.]+)" % s, text, re.M)])) for s in setups]


def arp_rows(build, quick):
    n = "5" if quick else "20"
    figures = []
    for kind in ("ours", "peer") if PEER and shutil.which("ovn-northd") else ("ours",):
        text = script(build, "tests/bench/arp_hop.sh", kind, n)
        figures.append([median([float(s) for s in re.findall(r"^%s ([0-9.]+)" % what, text, re.M)]) for what in ("first", "later")])
    peer = figures[1] if len(figures) > 1 else (None, None)
    return [row("first_packet_by_arp", "ms", figures[0][0], peer[0]), row("later_packet_rtt", "ms", figures[0][1], peer[1])]


def run(build, quick):
    rows = learning_rows(build, quick)
    if os.geteuid() == 0:
        rows += inband_rows(build, quick) + arp_rows(build, quick)
    return rows
