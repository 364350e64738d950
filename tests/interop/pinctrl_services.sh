#!/bin/bash
# What a controller answers by itself, asked by real clients: Debian's dhclient, the kernel's neighbour discovery and autoconfiguration,
# the C library's resolver. The flows are Debian's ovn-northd's; controller and switch are ours, and then the switch is Debian's.
. "$WEFT_SRC/tests/support/lib.sh"
begin pinctrl-services
for db in "nb /usr/share/ovn/ovn-nb.ovsschema ovnnb_db.sock" "sb /usr/share/ovn/ovn-sb.ovsschema ovnsb_db.sock"; do
    set -- $db
    ovsdb-tool create "$dir/$1.db" "$2" || exit 1
    start "ovsdb-$1" ovsdb-server --remote="punix:$dir/$3" --unixctl="$dir/$1.ctl" "$dir/$1.db"
    wait_for 10 test -S "$dir/$3"
done
export OVN_NB_DB=unix:$dir/ovnnb_db.sock OVN_SB_DB=unix:$dir/ovnsb_db.sock
start northd ovn-northd --ovnnb-db="$OVN_NB_DB" --ovnsb-db="$OVN_SB_DB" --unixctl="$dir/northd.ctl"
wait_for 10 ovn-nbctl --timeout=1 show

# --- the network: a has its addresses by DHCP; u, whose addresses nobody wrote down, configures itself
ovn-nbctl ls-add s0 -- lsp-add s0 a -- lsp-set-addresses a "02:00:00:00:00:0a 10.0.0.5 fd00::5" \
    -- ls-add s1 -- lsp-add s1 u -- lsp-set-addresses u unknown \
    -- lr-add r -- lrp-add r r0 02:00:00:00:ff:00 10.0.0.254/24 fd00::ff/64 \
    -- lrp-add r r1 02:00:00:00:ff:01 10.0.1.254/24 fd00:1::ff/64 \
    -- lsp-add s0 s0r -- lsp-set-type s0r router -- lsp-set-addresses s0r router -- lsp-set-options s0r router-port=r0 \
    -- lsp-add s1 s1r -- lsp-set-type s1r router -- lsp-set-addresses s1r router -- lsp-set-options s1r router-port=r1 \
    -- set logical_router_port r1 ipv6_ra_configs:address_mode=slaac ipv6_ra_configs:mtu=1380 ipv6_ra_configs:send_periodic=true
dhcp4=$(ovn-nbctl create dhcp_options cidr=10.0.0.0/24 options:server_id=10.0.0.254 options:server_mac='"02:00:00:00:ff:00"' \
    options:lease_time=3600 options:router=10.0.0.254 options:dns_server=10.0.0.253 options:mtu=1400 \
    options:domain_name='"\"vms.example\""')
dhcp6=$(ovn-nbctl create dhcp_options cidr='"fd00::/64"' options:server_id='"02:00:00:00:ff:00"' options:dns_server='"fd00::53"' \
    options:domain_search='"\"vms.example,more.example\""')
ovn-nbctl lsp-set-dhcpv4-options a "$dhcp4" -- lsp-set-dhcpv6-options a "$dhcp6"

ovn-nbctl set logical_switch s0 dns_records="$(ovn-nbctl create dns records:Web.example='"10.0.1.9 fd00:1::9"' \
    records:9.1.0.10.in-addr.arpa=web.example)" \
    -- acl-add s1 to-lport 1001 'tcp.dst == 81 || udp.dst == 81' reject -- --log --name=nobody --severity=notice acl-add s1 to-lport 1001 'tcp.dst == 82' drop

vs() { ovs-vsctl --db="unix:$dir/hv/db.sock" --timeout=10 --no-wait "$@"; }
ctl() { ovs-appctl -t "$dir/hv/controller.ctl" "$@"; }
at() { # MACHINE COMMAND...
    local m=$1
    shift
    ip netns exec "wpin-$m" "$@"
}

machine() { # NAME MAC
    ns_new "wpin-$1"
    ip link add "p-$1" netns wpin-hv type veth peer name eth0 netns "wpin-$1"
    ip -n wpin-hv link set "p-$1" up
    at "$1" ethtool -K eth0 tx off >/dev/null 2>&1 # what the datapath of Open vSwitch in user space asks for
    ip -n "wpin-$1" link set eth0 address "$2" mtu 1400
    vs add-port br-int "p-$1" -- set interface "p-$1" external_ids:iface-id="$1"
}

hypervisor() { # weft|ovs
    local run="ip netns exec wpin-hv env OVS_RUNDIR=$dir/hv OVN_RUNDIR=$dir/hv WEFT_RUNDIR=$dir/hv OVS_DBDIR=$dir/hv WEFT_DBDIR=$dir/hv"
    mkdir "$dir/hv"
    ns_new wpin-hv
    if [ "$1" = weft ]; then
        start switch $run "$WEFT_BIN/weft-switchd" --unixctl="$dir/hv/switch.ctl"
        wait_for 20 test -S "$dir/hv/db.sock"
    else
        ovsdb-tool create "$dir/hv/conf.db" /usr/share/openvswitch/vswitch.ovsschema
        start ovsdb-hv $run ovsdb-server --remote="punix:$dir/hv/db.sock" --unixctl="$dir/hv/ovsdb.ctl" "$dir/hv/conf.db"
        wait_for 10 test -S "$dir/hv/db.sock"
        start switch $run ovs-vswitchd --disable-system --unixctl="$dir/hv/switch.ctl" "unix:$dir/hv/db.sock"
    fi
    vs init
    vs set open . external_ids:system-id=hv external_ids:ovn-remote="$OVN_SB_DB" external_ids:ovn-encap-type=geneve \
        external_ids:ovn-encap-ip=127.0.0.1 external_ids:ovn-bridge-datapath-type=netdev
    start controller $run "$WEFT_BIN/weft-controller" --unixctl="$dir/hv/controller.ctl" "unix:$dir/hv/db.sock"
    wait_for 20 vs br-exists br-int || exit 1
    machine a 02:00:00:00:00:0a
    machine u 02:00:00:00:00:0f
    ovn-nbctl --timeout=20 wait-until logical_switch_port a up=true -- wait-until logical_switch_port u up=true
    check "every flow is in" ovn-nbctl --timeout=20 --wait=hv sync
    equal "no logical flow was left out" "" "$(grep 'left out' "$dir/controller.out")"
}

# dhclient's script: what the server said goes to a file
cat >"$dir/script" <<'S'
#!/bin/sh
env | grep -E '^(reason|new_)' | sort >>"$DHCP_OUT"
S
chmod 755 "$dir/script"
dhclient_a() { # ARGUMENT...
    at a env DHCP_OUT="$dir/dhcp.env" timeout 30 dhclient -1 -lf "$dir/dhcp.leases" -pf "$dir/dhcp.pid" -sf "$dir/script" -e DHCP_OUT="$dir/dhcp.env" "$@" eth0
}
said() { grep -E "^$1=" "$dir/dhcp.env" | tail -n 1 | cut -d= -f2-; }

dhcp4() {
    at a ip link set eth0 up
    : >"$dir/dhcp.env"
    check "dhclient has an address" dhclient_a -4
    equal "the address" 10.0.0.5 "$(said new_ip_address)"
    equal "the router" 10.0.0.254 "$(said new_routers)"
    equal "the server" 10.0.0.254 "$(said new_dhcp_server_identifier)"
    equal "the name server" 10.0.0.253 "$(said new_domain_name_servers)"
    equal "the MTU" 1400 "$(said new_interface_mtu)"
    equal "the domain" vms.example "$(said new_domain_name)"
    equal "the lease" 3600 "$(said new_dhcp_lease_time)"
    check "the client leaves" dhclient_a -4 -x
    # a client that remembers another address is told that it is wrong, and gets the right one
    cat >"$dir/dhcp.leases" <<'L'
lease { interface "eth0"; fixed-address 10.0.0.77; option dhcp-server-identifier 10.0.0.254; option dhcp-lease-time 3600;
renew 4 2037/01/01 00:00:00; rebind 4 2037/01/01 00:00:00; expire 4 2037/01/01 00:00:00; }
L
    : >"$dir/dhcp.env"
    check "dhclient with an old lease" dhclient_a -4
    equal "the address again" 10.0.0.5 "$(said new_ip_address)"
    wait_for 5 grep -q 'DHCPNAK 02:00:00:00:00:0a' "$dir/controller.out"
    dhclient_a -4 -x
    rm -f "$dir/dhcp.leases"
}

dhcp6() {
    wait_for 10 sh -c 'ip -n wpin-a -6 addr show dev eth0 scope link -tentative | grep -q fe80'
    : >"$dir/dhcp.env"
    check "dhclient -6 has an address" dhclient_a -6
    equal "the IPv6 address" fd00::5 "$(said new_ip6_address)"
    equal "the IPv6 name server" fd00::53 "$(said new_dhcp6_name_servers)"
    equal "the search list" "vms.example. more.example." "$(said new_dhcp6_domain_search)"
    check "and gives it back" dhclient_a -6 -r
    rm -f "$dir/dhcp.leases"
    : >"$dir/dhcp.env"
    check "dhclient -6 -S asks for information only" dhclient_a -6 -S
    equal "the IPv6 name server, without an address" fd00::53 "$(said new_dhcp6_name_servers)"
    dhclient_a -6 -x
    rm -f "$dir/dhcp.leases"
}

nd() {
    at u ip link set eth0 up
    wait_for 20 sh -c 'ip -n wpin-u -6 addr show dev eth0 scope global -tentative | grep -q "fd00:1::ff:fe00:f/64"'
    has "its route is the router" 'default via fe80::ff:fe00:ff01' "$(ip -n wpin-u -6 route)"
    equal "and the MTU is the router's" 1380 "$(at u cat /proc/sys/net/ipv6/conf/eth0/mtu)"
    at a ip addr add 10.0.0.5/24 dev eth0
    at a ip addr add fd00::5/64 dev eth0 nodad
    at a ip -6 route replace default via fd00::ff
    check "ping to the router" at a ping -6 -n -q -c 2 -i 0.2 -W 3 fd00::ff
    has "the router says that it is one" 'lladdr 02:00:00:00:ff:00 router' "$(ip -n wpin-a -6 neigh)"
    check "ping through the router, the first packet too" at a ping -6 -n -q -c 1 -W 5 fd00:1::ff:fe00:f
    equal "the router has learned" 02:00:00:00:00:0f \
        "$(ovn-sbctl --bare --columns=mac find mac_binding 'ip="fd00:1::ff:fe00:f"')"
    ovn-sbctl --all destroy mac_binding
}

names() {
    echo "nameserver 192.0.2.53" >"$dir/resolv.conf"
    resolve() { at a sh -c "mount --bind '$dir/resolv.conf' /etc/resolv.conf && getent $*"; }
    at a ip route replace default via 10.0.0.254
    has "an A record, by a name in capitals" '10.0.1.9 ' "$(resolve ahostsv4 WEB.example)"
    has "an AAAA record" 'fd00:1::9' "$(resolve ahostsv6 web.example)"
    has "a PTR record" 'web.example' "$(resolve hosts 10.0.1.9)"
}

refused() { # WHAT PROTOCOL ADDRESS PORT: the kernel of a hears that nobody is there
    check "$1" at a timeout 5 python3 -c '
import socket, sys
kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[sys.argv[1]]
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET, kind)
s.settimeout(4)
try:
    s.connect((sys.argv[2], int(sys.argv[3])))
    s.send(b"x")
    s.recv(1)
except ConnectionRefusedError:
    sys.exit(0)
sys.exit("not refused")' "$2" "$3" "$4"
}

refusals() {
    at u ip addr add 10.0.1.9/24 dev eth0
    at u ip addr add fd00:1::9/64 dev eth0 nodad
    at u ip route replace default via 10.0.1.254
    at u ip -6 route replace default via fd00:1::ff
    # somebody who would answer, but for the ACL
    ip netns exec wpin-u python3 -c '
import socket, time
held = [socket.create_server((a, 81), family=f) for a, f in (("10.0.1.9", socket.AF_INET), ("fd00:1::9", socket.AF_INET6))]
held += [socket.socket(f, socket.SOCK_DGRAM) for f in (socket.AF_INET, socket.AF_INET6)]
held[2].bind(("10.0.1.9", 81)); held[3].bind(("fd00:1::9", 81))
time.sleep(600)' &
    pids+=($!)
    wait_for 5 sh -c 'test "$(ip netns exec wpin-u ss -Hlntu | grep -c ":81 ")" = 4'
    check "ping through the router" at a ping -n -q -c 1 -W 5 10.0.1.9
    check "ping through the router, IPv6" at a ping -6 -n -q -c 1 -W 5 fd00:1::9
    refused "the router refuses TCP" tcp 10.0.0.254 80
    refused "the router refuses UDP" udp 10.0.0.254 80
    refused "the router refuses TCP over IPv6" tcp fd00::ff 80
    refused "the router refuses UDP over IPv6" udp fd00::ff 80
    refused "an ACL refuses TCP" tcp 10.0.1.9 81
    refused "an ACL refuses TCP over IPv6" tcp fd00:1::9 81
    refused "an ACL refuses UDP" udp 10.0.1.9 81
    refused "an ACL refuses UDP over IPv6" udp fd00:1::9 81
    at a timeout 1 bash -c 'exec 3<>/dev/tcp/10.0.1.9/82' 2>/dev/null
    wait_for 5 grep -Eq 'acl_log\|INFO\|name="nobody", verdict=drop, severity=notice, direction=to-lport: tcp,.*nw_dst=10.0.1.9,.*tp_dst=82' \
        "$dir/controller.out"
    has "a packet's life ends" 'From 10.0.0.254.*Time to live exceeded' "$(at a ping -n -c 1 -W 5 -t 1 10.0.1.9)"
    has "an IPv6 packet's life ends" 'From fd00::ff.*Time exceeded' "$(at a ping -6 -n -c 1 -W 5 -t 1 fd00:1::9)"
}

health() { # a load balancer's backend on a, watched by the hypervisor
    local lb
    ip netns exec wpin-a python3 -c '
import socket, time
held = socket.create_server(("10.0.0.5", 83))
time.sleep(600)' &
    local server=$!
    wait_for 5 sh -c 'ip netns exec wpin-a ss -Hlnt | grep -q ":83 "'
    ovn-nbctl lb-add lb0 10.0.9.9:83 10.0.0.5:83 tcp -- --id=@check create load_balancer_health_check 'vip="10.0.9.9:83"' \
        options:interval=1 options:timeout=1 options:success_count=1 options:failure_count=1 -- add load_balancer lb0 health_check @check >/dev/null
    ovn-nbctl set load_balancer lb0 ip_port_mappings:10.0.0.5=a:10.0.0.253 -- ls-lb-add s1 lb0
    check "a service that listens is online" ovn-sbctl --timeout=20 wait-until service_monitor "$(monitor)" status=online
    kill $server
    wait $server 2>/dev/null
    check "and offline when it does not" ovn-sbctl --timeout=20 wait-until service_monitor "$(monitor)" status=offline
    ovn-nbctl ls-lb-del s1 lb0 -- lb-del lb0
}
monitor() { ovn-nbctl --timeout=10 --wait=sb sync; ovn-sbctl --bare --columns=_uuid list service_monitor; }

everything() { # weft|ovs
    echo "--- with the switch of $1"
    hypervisor "$1"
    dhcp4
    dhcp6
    nd
    names
    refusals
    health
    has "packets were counted" 'put_dhcp_opts: [1-9]' "$(ctl pinctrl/show)"
    has "routers advertise unasked" 'router advertisements sent: [1-9]' "$(ctl pinctrl/show)"
    has "none was malformed" '^malformed: 0' "$(ctl pinctrl/show)"
}
down() { # so that the other one starts from nothing
    local p
    for p in "${pids[@]:3}"; do kill -TERM "$p" && wait "$p"; done
    pids=("${pids[@]:0:3}")
    rm -rf "$dir/hv"
    ovn-sbctl chassis-del hv
}
everything weft
down
everything ovs
