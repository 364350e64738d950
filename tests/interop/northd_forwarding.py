#!/usr/bin/env python3
"""Random networks compiled by weft-northd and by Debian's ovn-northd from the same commands; random packets traced through both
southbound databases by Debian's ovn-trace must end in the same ports with the same headers. Flows are not compared: the two
compilers divide the work differently.

    northd_forwarding.py [SEED [NETWORKS [PACKETS]]]
"""
import os, random, re, shutil, subprocess, sys, tempfile, time

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
            sys.exit("FAIL  ovn-nbctl: %s" % r.stderr)

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
        return sorted(outcome(packet, text) + ["or"] + outcome(packet, run("--select-id=2")))

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
            if not state.get("ignored"):
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


# --- Random networks and packets

class Network:
    def __init__(self, rnd):
        self.rnd, self.commands = rnd, []
        self.switches, self.ports, self.router_ports = [], [], []
        n_switches, n_routers = rnd.randint(1, 4), rnd.randint(0, 2)
        for i in range(n_switches):
            self.add("ls-add", "sw%d" % i)
            self.switches.append("sw%d" % i)
        for i in range(n_routers):
            self.add("lr-add", "lr%d" % i)
        for i in range(n_switches):
            for k in range(rnd.randint(1, 4)):
                self.port(i, k)
        for r in range(n_routers):
            for i in rnd.sample(range(n_switches), rnd.randint(1, n_switches)):
                self.attach(r, i)
        if n_routers:
            self.routes(n_routers)
        if n_routers == 2 and rnd.random() < 0.5:
            self.join()
        self.externals, self.vips, self.portless = [], [], set()
        if n_routers and rnd.random() < 0.4:
            self.gateways(n_routers)
            if rnd.random() < 0.4:
                self.balance(n_routers)
        elif rnd.random() < 0.7:
            self.firewall()
        elif rnd.random() < 0.9:
            self.services(n_routers)
        if rnd.random() < 0.15: # and no port is up
            self.add("set", "NB_Global", ".", "options:ignore_lsp_down=false")
        if rnd.random() < 0.15:
            self.add("set", "Logical_Switch", "sw0", "other_config:vlan-passthru=true")

    def add(self, *args):
        self.commands += (["--"] if self.commands else []) + list(args)

    def port(self, i, k):
        name, mac, ip = "p%d%d" % (i, k), "0a:00:00:00:%02x:%02x" % (i, k + 1), "10.0.%d.%d" % (i, k + 1)
        ip6 = "fd00:%d::%d" % (i, k + 1)
        kind = self.rnd.random()
        addresses = ["%s %s %s" % (mac, ip, ip6)] if kind < 0.4 else ["%s %s" % (mac, ip)] if kind < 0.7 else ["%s %s" % (mac, ip), "unknown"] if kind < 0.85 else ["unknown"] if kind < 0.95 else [mac]
        self.add("lsp-add", "sw%d" % i, name)
        self.add("lsp-set-addresses", name, *addresses)
        disabled = self.rnd.random() < 0.07
        if disabled:
            self.add("lsp-set-enabled", name, "disabled")
        self.ports.append((name, "sw%d" % i, mac, ip, ip6 if kind < 0.4 and not disabled else None))

    def attach(self, r, i):
        name, mac, ip = "lr%d-sw%d" % (r, i), "0a:00:00:0%d:ff:%02x" % (r, i), "10.0.%d.%d" % (i, 254 - r)
        attachment = "sw%d-lr%d" % (i, r)
        self.add("lrp-add", "lr%d" % r, name, mac, ip + "/24", "fd00:%d::%d/64" % (i, 254 - r))
        self.add("lsp-add", "sw%d" % i, attachment)
        self.add("lsp-set-type", attachment, "router")
        self.add("lsp-set-options", attachment, "router-port=" + name)
        self.add("lsp-set-addresses", attachment, self.rnd.choice(["router", "router", mac]))
        self.router_ports.append((name, "lr%d" % r, "sw%d" % i, mac, ip, "fd00:%d::%d" % (i, 254 - r)))

    def gateways(self, n_routers):
        """Gateways, NAT, policies, equal routes."""
        rnd = self.rnd
        for r in range(n_routers):
            router, mine = "lr%d" % r, [p for p in self.router_ports if p[1] == "lr%d" % r]
            kind = rnd.choice(["router", "port", None])
            outside = rnd.choice(mine)
            if kind == "router":
                self.add("set", "Logical_Router", router, "options:chassis=hv%d" % r, *rnd.choice([(), (), ("options:dnat_force_snat_ip=%s" % outside[4],)]))
            elif kind == "port":
                self.add("lrp-set-gateway-chassis", outside[0], "hv1", "20")
            # Each address inside once for a router: which of two rules for it is in force is nobody's promise.
            insides = rnd.sample(self.ports, len(self.ports)) + [(None, None, None, "10.0.%d.0/24" % i, None) for i in range(2)]
            for i in range(rnd.randint(0, 5) if kind else 0):
                self.nat(router, outside, kind, 100 + 20 * r + i, insides.pop(rnd.randrange(len(insides))) if insides else None)
            for i in range(rnd.randint(0, 4)):
                hops = rnd.sample(["%s.%d" % (p[4].rsplit(".", 1)[0], h) for p in mine for h in (1, 2, 77)], rnd.randint(1, 2))
                self.add("lr-policy-add", router, str(10 + i), rnd.choice(["ip4.src == 10.0.0.1", "ip4.dst == 10.0.1.0/24", "icmp4", "ip4.dst == 20.0.0.0/8"]),
                         *rnd.choice([("allow",), ("drop",), ("reroute", ",".join(hops)), ("reroute", ",".join(hops))]))
            if rnd.random() < 0.5:
                for hop in rnd.sample([1, 2, 3, 77], 2):
                    self.add("--ecmp", "lr-route-add", router, "50.0.0.0/8", "%s.%d" % (outside[4].rsplit(".", 1)[0], hop))
            if rnd.random() < 0.3:
                self.add("--route-table=blue", "lr-route-add", router, "51.0.0.0/8", "%s.3" % outside[4].rsplit(".", 1)[0])
                self.add("set", "Logical_Router_Port", rnd.choice(mine)[0], "options:route_table=blue")

    def nat(self, router, outside, kind, number, inside):
        rnd = self.rnd
        if not inside:
            return
        external = "%s.%d" % (outside[4].rsplit(".", 1)[0], number)
        self.externals.append(external)
        what = rnd.choice(["snat", "dnat", "dnat_and_snat", "dnat_and_snat"]) if inside[0] else "snat"
        how = rnd.choice([(), (), ("--stateless",)]) if what == "dnat_and_snat" else ()
        own = rnd.choice([(), (inside[0], "0a:00:00:00:ee:%02x" % number)]) if what == "dnat_and_snat" and kind == "port" else ()
        self.add(*how, "lr-nat-add", router, what, external, inside[3], *own)

    def firewall(self):
        """ACLs of switches and port groups. A rejected packet's answer is made by the action itself, which ovn-trace shows as a drop with a name."""
        rnd = self.rnd
        ports = [p[0] for p in self.ports]
        groups = ["pg%d" % g for g in range(rnd.randint(0, 2))]
        for g in groups:
            self.add("pg-add", g, *rnd.sample(ports, rnd.randint(1, len(ports))))
        self.add("create", "Address_Set", "name=as0", "addresses=" + ",".join('"%s"' % p[3] for p in rnd.sample(self.ports, min(3, len(self.ports)))))
        for i in range(rnd.randint(1, 8)):
            direction = rnd.choice(["from-lport", "to-lport"])
            group = rnd.choice(groups + [None])
            mine = "inport" if direction == "from-lport" else "outport"
            where = "%s == @%s" % (mine, group) if group else '%s == "%s"' % (mine, rnd.choice(ports)) if rnd.random() < 0.5 else "1"
            what = ["ip4", "ip4.src == $as0", "icmp4", "ip4.dst == 10.0.0.0/24", "ip6", "ip4.src == {10.0.0.1, 10.0.1.2} || icmp6", "arp", "eth.mcast",
                    "ip.ttl == 64 && !(ip4.dst == 10.0.0.1)"] + (["ip4.src == $%s_ip4" % group, "ip6.src == $%s_ip6" % group] if group else [])
            how = rnd.choice(["allow", "allow-related", "allow-stateless", "drop", "drop", "reject"])
            options = rnd.choice([(), (), ("--log", "--name=n%d" % i, "--severity=info"), ("--label=%d" % (i + 1),) if how in ("allow", "allow-related") else (),
                                  ("--apply-after-lb",) if direction == "from-lport" else ()])
            self.add(*options, "--may-exist", "acl-add", group or rnd.choice(self.switches), direction, str(100 + 10 * rnd.randint(0, 9) * 10 + i),
                     "%s && (%s)" % (where, rnd.choice(what)), how)
        for i in range(rnd.randint(0, 2)):
            self.add("qos-add", rnd.choice(self.switches), rnd.choice(["from-lport", "to-lport"]), str(100 + i), rnd.choice(["ip4", "ip6", 'inport == "%s" && ip' % rnd.choice(ports)]),
                     rnd.choice(["dscp=%d" % (10 + i), "rate=1000"]))
        if rnd.random() < 0.3:
            self.services(0)
        if rnd.random() < 0.15:
            self.add("set", "NB_Global", ".", "options:use_ct_inv_match=false")
        for p in rnd.sample(self.ports, rnd.randint(0, min(2, len(self.ports)))):
            self.add("lsp-set-port-security", p[0], rnd.choice([p[2], "%s %s" % (p[2], p[3]), "%s 10.0.9.9" % p[2], "0a:00:00:00:99:01"]))

    def services(self, n_routers):
        """Load balancers, DHCP and DNS."""
        rnd = self.rnd
        self.balance(n_routers)
        for p in rnd.sample(self.ports, min(2, len(self.ports))):
            self.add("--id=@dhcp-" + p[0], "create", "DHCP_Options", "cidr=" + p[3].rsplit(".", 1)[0] + ".0/24", "options:server_id=10.0.0.254",
                     'options:server_mac="c0:ff:ee:00:00:01"', "options:lease_time=3600")
            self.add("set", "Logical_Switch_Port", p[0], "dhcpv4_options=@dhcp-" + p[0])
        self.add("--id=@dns", "create", "DNS", "records:vm1=10.0.0.1")
        self.add("add", "Logical_Switch", rnd.choice(self.switches), "dns_records", "@dns")

    def balance(self, n_routers):
        """Load balancers, with a backend at most, since ovn-trace takes any of several."""
        rnd = self.rnd
        for i in range(rnd.randint(1, 3)):
            protocol, port = rnd.choice(["tcp", "udp"]), rnd.choice(["80", "80", None])
            ip = rnd.choice(["30.0.0.%d" % (i + 1), "10.0.0.%d" % (77 + i)])
            backend = rnd.choice(self.ports)[3] if rnd.random() < 0.85 else None
            self.add("--id=@lb%d" % i, "create", "Load_Balancer", "name=lb%d" % i, "protocol=" + protocol,
                     'vips:"%s"="%s"' % (ip + (":" + port if port else ""), backend + (":8080" if port else "") if backend else ""),
                     "options:reject=" + rnd.choice(["true", "false"]), # without a backend theirs writes "flags.skip_snat_for_lb = 1; drop;", which nobody can parse
                     "options:skip_snat=" + (rnd.choice(["true", "false"]) if backend else "false"))
            for sw in rnd.sample(self.switches, rnd.randint(0, len(self.switches))):
                self.add("add", "Logical_Switch", sw, "load_balancer", "@lb%d" % i)
            if n_routers and rnd.random() < 0.6:
                self.add("add", "Logical_Router", "lr%d" % rnd.randrange(n_routers), "load_balancer", "@lb%d" % i)
            self.portless |= set() if port else {ip}
            self.vips.append((ip, protocol, port or str(rnd.randint(1, 100))))

    def join(self):
        """The two routers, without a switch between them; no packet may circle between them, since it would end in an ICMP error."""
        for r in range(2):
            self.add("lrp-add", "lr%d" % r, "join%d" % r, "0a:00:00:00:aa:%02x" % r, "192.168.0.%d/30" % (r + 1))
            self.add("set", "Logical_Router_Port", "join%d" % r, "peer=join%d" % (1 - r))
            self.add("lr-route-add", "lr%d" % r, "40.0.0.0/8" if r else "10.0.0.0/8", "192.168.0.%d" % (2 - r))

    def routes(self, n_routers):
        for r in range(n_routers):
            mine = [p for p in self.router_ports if p[1] == "lr%d" % r]
            for prefix in self.rnd.sample(["0.0.0.0/0" if r else "99.0.0.0/8", "20.0.0.0/8", "20.1.0.0/16", "30.0.0.0/8"], self.rnd.randint(0, 3)):
                via = self.rnd.choice(mine)[4].rsplit(".", 1)[0] + ".%d" % self.rnd.choice([1, 2, 3, 77, 253, 254])
                if via not in [p[4] for p in mine]:
                    # with a prefix of length 0 theirs is as good as their last word "drop"
                    how = self.rnd.choice([(), (), ("--policy=src-ip",)]) if prefix != "0.0.0.0/0" else ()
                    self.add(*how, "lr-route-add", "lr%d" % r, prefix, via, *self.rnd.choice([(), (), (self.rnd.choice(mine)[0],)]))
            if self.rnd.random() < 0.3:
                self.add("lr-route-add", "lr%d" % r, "::/0", "fd00:%s::1" % mine[0][5].split(":")[1])


class Packet:
    def __init__(self, net, rnd):
        self.name, self.datapath, mac, ip, ip6 = rnd.choice(net.ports)
        macs = [p[2] for p in net.ports if p[1] == self.datapath] + ["0a:00:00:00:99:99", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:09"]
        routers = [p for p in net.router_ports if p[2] == self.datapath]
        ips = [p[3] for p in net.ports] + [p[4] for p in net.router_ports] + ["10.0.0.77", "10.0.1.77", "20.0.0.1", "20.1.0.1", "30.0.0.1", "40.0.0.1", "50.0.0.1", "51.0.0.1", "99.0.0.1"] + 3 * net.externals
        # ovn-trace does not make whole neighbour solicitations, so IPv6 stays among addresses that need none.
        ips6 = [p[4] for p in net.ports if p[4]] + [p[5] for p in net.router_ports]
        f = self.fields = {"eth.src": mac if rnd.random() < 0.9 else "0a:00:00:00:99:01"}
        # What connection tracking says, each time that it is asked.
        self.connections = ["--ct=" + rnd.choice(["new", "new", "est", "est,rpl", "rel"]) for _ in range(8)]
        kind = rnd.random()
        if kind < 0.2:
            f["eth.dst"] = rnd.choice(macs)
        elif kind < 0.45:
            near = [p[3] for p in net.ports if p[1] == self.datapath] + [p[4] for p in routers] + ["10.0.0.88"] + net.externals
            f.update({"eth.dst": "ff:ff:ff:ff:ff:ff", "arp.op": "1", "arp.sha": mac, "arp.spa": ip, "arp.tha": "00:00:00:00:00:00", "arp.tpa": rnd.choice(near)})
        elif kind < 0.6 and net.vips:
            self.service(net, rnd, ip, [p[3] for p in routers] or macs)
        elif kind < 0.7 and ip6:
            f["eth.dst"] = rnd.choice([p[3] for p in routers] or macs)
            f.update({"ip6.src": ip6, "ip6.dst": rnd.choice(ips6), "ip.ttl": "64"})
            if any(f["ip6.dst"] == p[5] for p in net.router_ports) or rnd.random() < 0.5:
                f.update({"icmp6.type": "128", "icmp6.code": "0"})
        else:
            f["eth.dst"] = rnd.choice([p[3] for p in routers] or macs)
            f.update({"ip4.src": ip, "ip4.dst": rnd.choice(ips), "ip.ttl": rnd.choice(["64", "64", "64", "1"])})
            f.update(rnd.choice([{"icmp4.type": "8", "icmp4.code": "0"}, {"icmp4.type": "8", "icmp4.code": "0"}, {"udp.dst": "53"}, {"tcp.dst": "80"}, {}]))

        self.to_portless = f.get("ip4.dst") in net.portless

    def service(self, net, rnd, ip, to):
        f, kind = self.fields, rnd.random()
        f.update({"eth.dst": rnd.choice(to), "ip4.src": ip, "ip4.dst": "8.8.8.8", "ip.ttl": "64"})
        if kind < 0.2:
            f.update({"eth.dst": "ff:ff:ff:ff:ff:ff", "ip4.src": "0.0.0.0", "ip4.dst": "255.255.255.255", "udp.src": "68", "udp.dst": "67"})
        elif kind < 0.3:
            f.update({"udp.src": "1000", "udp.dst": "53"})
        else:
            vip, protocol, port = rnd.choice(net.vips)
            f.update({"ip4.dst": vip, protocol + ".src": "1000", protocol + ".dst": port})

    def microflow(self):
        texts = ['inport == "%s"' % self.name] + ["%s == %s" % kv for kv in self.fields.items()]
        if "ip4.dst" in self.fields:
            texts.append("ip4")
        if "ip6.dst" in self.fields:
            texts.append("ip6")
        return " && ".join(texts)


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
