"""libnetworks.py - random networks, as commands of ovn-nbctl, and random packets through them. For whoever compares two compilers of the
same network: northd_forwarding.py, trace_peers.py."""

class Network:
    def __init__(self, rnd):
        self.rnd, self.commands = rnd, []
        self.switches, self.ports, self.router_ports = [], [], []
        self.externals, self.externals6 = [], []  # addresses worth a packet, though no port has them
        self.dead_ends = set()
        self.learned = []  # rows of SB that controllers write: see Side.learn()
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
        self.more_ports(n_switches)
        self.vips, self.portless = [], set()
        if n_routers and rnd.random() < 0.4:
            self.gateways(n_routers)
            if rnd.random() < 0.4:
                self.balance(n_routers)
            if rnd.random() < 0.2:
                self.firewall(alone=False)
        elif rnd.random() < 0.7:
            self.firewall()
        elif rnd.random() < 0.9:
            self.services(n_routers)
        if n_routers:
            self.neighbors(n_routers)
        self.stations()
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
        if not k:
            addresses[0] = addresses[0].replace(ip, "%s 10.1.%d.1" % (ip, i))
        self.add("lsp-set-addresses", name, *addresses)
        disabled = self.rnd.random() < 0.07
        if disabled:
            self.add("lsp-set-enabled", name, "disabled")
        self.ports.append((name, "sw%d" % i, mac, ip, ip6 if kind < 0.4 and not disabled else None))

    def attach(self, r, i):
        name, mac, ip = "lr%d-sw%d" % (r, i), "0a:00:00:0%d:ff:%02x" % (r, i), "10.0.%d.%d" % (i, 254 - r)
        attachment = "sw%d-lr%d" % (i, r)
        second = ["10.1.%d.%d/24" % (i, 254 - r)] if self.rnd.random() < 0.3 else []
        self.externals += ["10.1.%d.%d" % (i, k) for k in (1, 2, 254) if second]
        self.add("lrp-add", "lr%d" % r, name, mac, ip + "/24", *second, "fd00:%d::%d/64" % (i, 254 - r))
        self.add("lsp-add", "sw%d" % i, attachment)
        self.add("lsp-set-type", attachment, "router")
        self.add("lsp-set-options", attachment, "router-port=" + name)
        self.add("lsp-set-addresses", attachment, self.rnd.choice(["router", "router", mac]))
        if self.rnd.random() < 0.1:
            self.add("lsp-set-options", attachment, "router-port=" + name, "arp_proxy=10.0.66.6")
            self.externals.append("10.0.66.6")
        if self.rnd.random() < 0.07:
            self.add("lrp-set-enabled", name, "disabled")
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
                if rnd.random() < 0.5:
                    self.add("lrp-set-gateway-chassis", outside[0], "hv1", "20")
                else:
                    self.add("ha-chassis-group-add", "ha%d" % r, "--", "ha-chassis-group-add-chassis", "ha%d" % r, "hv1", "20")
                    self.add("--id=@ha%d" % r, "get", "HA_Chassis_Group", "ha%d" % r, "--", "set", "Logical_Router_Port", outside[0], "ha_chassis_group=@ha%d" % r)
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
        if inside[4] and rnd.random() < 0.5:
            external = "%s::%x" % (outside[5].split("::")[0], 0x1000 + number)
            self.externals6.append(external)
            self.add(*how, "lr-nat-add", router, what, external, inside[4], *own)

    def firewall(self, alone=True):
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
        if alone and rnd.random() < 0.3:
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
            behind6 = rnd.choice(self.ports)[4]
            vips6 = ['vips:"[fd30::%d]:80"="[%s]:8080"' % (i + 1, behind6)] if port and behind6 else []
            self.externals6 += ["fd30::%d" % (i + 1) for _ in vips6]
            self.add("--id=@lb%d" % i, "create", "Load_Balancer", "name=lb%d" % i, "protocol=" + protocol,
                     'vips:"%s"="%s"' % (ip + (":" + port if port else ""), backend + (":8080" if port else "") if backend else ""), *vips6,
                     "options:reject=" + rnd.choice(["true", "false"]), # without a backend theirs writes "flags.skip_snat_for_lb = 1; drop;", which nobody can parse
                     "options:skip_snat=" + (rnd.choice(["true", "false"]) if backend else "false"))
            column, name = "load_balancer", "@lb%d" % i
            if rnd.random() < 0.3:
                self.add("--id=@group%d" % i, "create", "Load_Balancer_Group", "name=group%d" % i, "load_balancer=" + name)
                column, name = "load_balancer_group", "@group%d" % i
            for sw in rnd.sample(self.switches, rnd.randint(0, len(self.switches))):
                self.add("add", "Logical_Switch", sw, column, name)
            if n_routers and rnd.random() < 0.6:
                self.add("add", "Logical_Router", "lr%d" % rnd.randrange(n_routers), column, name)
            self.portless |= set() if port else {ip}
            self.vips.append((ip, protocol, port or str(rnd.randint(1, 100))))

    def more_ports(self, n_switches):
        """Ports that are no machine's of their own: containers, edges of a physical network, addresses that northd gives."""
        rnd, machines = self.rnd, list(self.ports)
        for n in range(rnd.randint(0, 2)):
            i, parent = rnd.randrange(n_switches), rnd.choice(machines)
            name, mac, ip = "n%d" % n, "0a:00:00:00:aa:%02x" % (0x40 + n), "10.0.%d.%d" % (i, 40 + n)
            self.add("lsp-add", "sw%d" % i, name, parent[0], str(n + 1), "--", "lsp-set-addresses", name, "%s %s" % (mac, ip))
            self.ports.append((name, "sw%d" % i, mac, ip, None))
        if rnd.random() < 0.35:
            i, kind = rnd.randrange(n_switches), rnd.choice(["localnet", "localnet", "l2gateway", "localport"])
            mac, ip = "0a:00:00:00:ab:01", "10.0.%d.60" % i
            self.add("lsp-add", "sw%d" % i, "edge", "--", "lsp-set-type", "edge", kind, "--", "lsp-set-addresses", "edge", "%s %s" % (mac, ip) if kind == "localport" else "unknown")
            if kind != "localport":
                self.add("lsp-set-options", "edge", "network_name=physical", *(["l2gateway-chassis=hv1"] if kind == "l2gateway" else []))
            if kind == "localnet" and rnd.random() < 0.5:
                self.add("set", "Logical_Switch_Port", "edge", "tag_request=7")
            self.ports.append(("edge", "sw%d" % i, mac, ip, None))
        if rnd.random() < 0.25:
            i = rnd.randrange(n_switches)
            self.add("set", "Logical_Switch", "sw%d" % i, "other_config:subnet=10.0.%d.0/24" % i, *rnd.choice([(), ("other_config:exclude_ips=10.0.%d.2..10.0.%d.7" % (i, i),)]))
            self.add("lsp-add", "sw%d" % i, "given", "--", "lsp-set-addresses", "given", "0a:00:00:00:ac:01 dynamic")
            self.externals += ["10.0.%d.%d" % (i, k) for k in range(2, 10)]
        if rnd.random() < 0.15:
            name, switch, _, ip, _ = rnd.choice(self.ports)
            self.add("lsp-add", switch, "floats", "--", "lsp-set-type", "floats", "virtual", "--", "lsp-set-addresses", "floats", "0a:00:00:00:ad:01 " + ip.rsplit(".", 1)[0] + ".70",
                     "--", "set", "Logical_Switch_Port", "floats", "options:virtual-ip=" + ip.rsplit(".", 1)[0] + ".70", "options:virtual-parents=" + name)
            self.externals.append(ip.rsplit(".", 1)[0] + ".70")

    def neighbors(self, n_routers):
        """Neighbours of routers, written down and learned; a router that is off."""
        rnd = self.rnd
        off = "lr%d" % rnd.randrange(n_routers) if rnd.random() < 0.05 else None
        if off: # with theirs its ports lead nowhere, with ours into a router that drops
            self.add("set", "Logical_Router", off, "enabled=false")
            self.dead_ends = {"%s-%s" % (p[2], off) for p in self.router_ports}
        for n, (name, router, _, _, ip, _) in enumerate(self.router_ports):
            if router == off:
                continue # it has no datapath
            net = ip.rsplit(".", 1)[0]
            for k in rnd.sample([1, 2, 3, 77], rnd.randint(0, 2)):
                if rnd.random() < 0.5:
                    self.add("create", "Static_MAC_Binding", "logical_port=" + name, 'ip="%s.%d"' % (net, k), 'mac="0a:00:00:00:5a:%02x"' % (16 * n + k % 16),
                             "override_dynamic_mac=" + rnd.choice(["true", "false"]))
                if rnd.random() < 0.7:
                    self.learned.append(("MAC_Binding", router, name, "%s.%d" % (net, k), "0a:00:00:00:1e:%02x" % (16 * n + k % 16)))

    def stations(self):
        """What switches learned."""
        for switch in self.switches:
            here = [p[0] for p in self.ports if p[1] == switch]
            if here and self.rnd.random() < 0.3:
                self.learned.append(("FDB", switch, self.rnd.choice(here), "0a:00:00:00:99:99"))

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
        self.dead_ends = net.dead_ends
        macs = [p[2] for p in net.ports if p[1] == self.datapath] + ["0a:00:00:00:99:99", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:09"]
        routers = [p for p in net.router_ports if p[2] == self.datapath]
        ips = [p[3] for p in net.ports] + [p[4] for p in net.router_ports] + ["10.0.0.77", "10.0.1.77", "20.0.0.1", "20.1.0.1", "30.0.0.1", "40.0.0.1", "50.0.0.1", "51.0.0.1", "99.0.0.1"] + 3 * net.externals
        # ovn-trace does not make whole neighbour solicitations, so IPv6 stays among addresses that need none.
        ips6 = [p[4] for p in net.ports if p[4]] + [p[5] for p in net.router_ports] + 3 * net.externals6
        f = self.fields = {"eth.src": mac if rnd.random() < 0.9 else "0a:00:00:00:99:01"}
        # What connection tracking says, each time that it is asked.
        self.connections = ["--ct=" + rnd.choice(["new", "new", "est", "est,rpl", "rel"]) for _ in range(8)]
        kind = rnd.random()
        if rnd.random() < 0.05: # not its own address
            ip = rnd.choice(ips)
        if kind < 0.12:
            f["eth.dst"] = rnd.choice(macs)
        elif kind < 0.2 and ip6:
            self.discovery(rnd, mac, ip6, [p[4] for p in net.ports if p[4]] + net.externals6) # ovn-trace 23.03 dies of a router's answer, and of router solicitations
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
            elif rnd.random() < 0.5:
                f.update({"tcp.src": "1000", "tcp.dst": "80"})
        else:
            f["eth.dst"] = rnd.choice([p[3] for p in routers] or macs)
            f.update({"ip4.src": ip, "ip4.dst": rnd.choice(ips), "ip.ttl": rnd.choice(["64", "64", "64", "1"])})
            f.update(rnd.choice([{"icmp4.type": "8", "icmp4.code": "0"}, {"icmp4.type": "8", "icmp4.code": "0"}, {"udp.dst": "53"}, {"tcp.dst": "80"}, {}]))

        self.to_portless = f.get("ip4.dst") in net.portless

    def discovery(self, rnd, mac, ip6, targets):
        """A neighbour solicitation."""
        f = self.fields
        f.update({"ip6.src": ip6, "ip.ttl": "255", "icmp6.code": "0"})
        target = rnd.choice(targets)
        low = int(target.rsplit(":", 1)[1], 16)
        f.update({"eth.dst": "33:33:ff:00:%02x:%02x" % (low >> 8, low & 255), "ip6.dst": "ff02::1:ff00:%x" % low, "icmp6.type": "135", "nd.target": target,
                  "nd.sll": rnd.choice([mac, mac, mac, "0a:00:00:00:99:01"])})

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
