#!/bin/bash
# What weft-northd compiles, carried by Debian's unmodified ovn-controller and ovs-vswitchd (userspace datapath) on two hypervisors, one real packet at least
# for each of the classic features: kinds of ports, port security, routers of all sorts with NAT, firewall, load balancers, DHCP, DNS, advertisements, QoS.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/interop/libhypervisors.sh"
begin our-northd-features
central_up
wire_up
nb() { ovn-nbctl --timeout=30 "$@"; }
at() { ip netns exec "wusr-$1" "${@:2}"; }
synced() { check "$1: flows are in" nb --wait=hv sync; }
works() { # WHAT MACHINE ADDRESS [ARGUMENT...]: the first packets of a tunnel and of a neighbour may be lost
    wait_for 30 at "$2" ping -n -q -c 1 -W 1 "${@:3}" && check "$1" at "$2" ping -n -q -c 2 -i 0.2 -W 2 "${@:3}"
}
fails() { refuse "$1" '100% packet loss|100% loss|unreachable' at "$2" ping -n -c 1 -W 1 "${@:3}"; }
serve() { # MACHINE: answers each connection to port 80, and each line in it, with its name and the address that asks
    start "web-$1" ip netns exec "wusr-$1" python3 -c "
import socketserver
class H(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(100): self.request.sendall(b'$1 to ' + self.client_address[0].replace('::ffff:', '').encode() + b'\n')
class S(socketserver.ThreadingTCPServer): address_family, allow_reuse_address, daemon_threads = 10, True, True
S(('::', 80), H).serve_forever()"
    wait_for 30 at "$1" bash -c 'exec 3<>/dev/tcp/127.0.0.1/80'
}
get() { # MACHINE ADDRESS [PORT]: what is answered, "refused" or "silence"
    at "$1" timeout 2 bash -c 'exec 3<>/dev/tcp/$0/$1 && printf x >&3 && head -n 1 <&3' "$2" "${3:-80}" 2>"$dir/error" && return
    if grep -q 'Connection refused' "$dir/error"; then echo refused; else echo silence; fi
}
gives() { # WHAT ANSWER MACHINE ADDRESS [PORT]: sooner or later
    wait_for 30 bash -c "$(declare -f at get); dir=$dir; [ \"\$(get ${*:3})\" = '$2' ]" && echo "ok    $1"
}
veth() { # NAME HYPERVISOR BRIDGE MAC ADDRESS: a namespace on a bridge of a hypervisor that is not br-int; or on the physical network's
    ns_new "wusr-$1"
    ip link add "p-$1" netns "wusr-$2" type veth peer name eth0 netns "wusr-$1"
    ip -n "wusr-$2" link set "p-$1" up
    if [ "$2" = wire ]; then ip -n wusr-wire link set "p-$1" master "$3"; else vs "$2" --no-wait add-port "$3" "p-$1"; fi
    ip -n "wusr-$1" link set eth0 address "$4" mtu 1400 up
    at "$1" ethtool -K eth0 tx off >/dev/null 2>&1
    ip -n "wusr-$1" addr add "$5" dev eth0
}

# --- The physical side: a network that both hypervisors are on, and one of h1 alone
hypervisor h1 192.168.78.1 ovs ovn
hypervisor h2 192.168.78.2 ovs ovn
ip -n wusr-wire link add br1 type bridge && ip -n wusr-wire link set br1 up
for h in h1 h2; do
    ip link add "x-$h" netns wusr-wire type veth peer name eth1 netns "wusr-$h"
    ip -n wusr-wire link set "x-$h" master br1 up
    ip -n "wusr-$h" link set eth1 up
    vs "$h" add-br br-ex -- set bridge br-ex datapath_type=netdev -- add-port br-ex eth1 -- add-br br-l2 -- set bridge br-l2 datapath_type=netdev \
        -- set open . external_ids:ovn-bridge-mappings=phys:br-ex,phys2:br-l2
done
veth ext wire br1 02:00:00:00:00:99 172.16.0.100/24
for a in 172.16.0.101/24 172.16.0.102/24 20.0.0.1/32 20.0.0.2/32 20.0.0.3/32 20.0.0.4/32 20.0.0.67/32 21.0.0.1/32; do ip -n wusr-ext addr add $a dev eth0; done
veth ext2 wire br1 02:00:00:00:00:96 172.16.0.110/24
for e in ext ext2; do # the same address behind two gateways: who was asked answers
    ip -n wusr-$e addr add 22.0.0.9/32 dev eth0
    ip -n wusr-$e route add 172.16.0.31 dev eth0 src 22.0.0.9
done
veth vlan7 h1 br-ex 02:00:00:00:00:97 10.0.5.100/24
vs h1 set port p-vlan7 tag=7
start garps ip netns exec wusr-ext python3 -uc "
import socket
s = socket.socket(17, 3, socket.htons(0x0806)); s.bind(('eth0', 0x0806))
while True:
    p = s.recv(100)
    if p[28:32] == p[38:42]: print('announced', socket.inet_ntoa(p[28:32]), p[22:28].hex(':'))"
veth l2 h1 br-l2 02:00:00:00:00:98 10.0.6.100/24

# --- The network
attach() { # SWITCH ROUTER MAC NETWORK...: port ROUTER-SWITCH
    nb lrp-add "$2" "$2-$1" "$3" "${@:4}" -- lsp-add "$1" "$1-$2" -- lsp-set-type "$1-$2" router -- lsp-set-addresses "$1-$2" router \
        -- lsp-set-options "$1-$2" router-port="$2-$1"
}
nb lr-add r -- lr-add r2 -- lr-add gw -- set logical_router gw options:chassis=h2
for s in s0 s1 s2 s3 s5 s6 pub; do nb ls-add $s; done
attach s0 r 02:00:00:00:ff:00 10.0.0.254/24 fd00::ff/64
attach s1 r 02:00:00:00:ff:01 10.0.1.254/24 10.1.1.254/24 fd00:1::ff/64
attach pub r 02:00:00:00:ff:0a 172.16.0.1/24
attach s2 r2 02:00:00:00:ff:02 10.0.2.254/24
attach s3 gw 02:00:00:00:ff:03 10.0.3.254/24
attach pub gw 02:00:00:00:ff:0b 172.16.0.3/24
nb lrp-add r join1 02:00:00:00:fe:01 192.168.0.1/30 peer=join2 -- lrp-add r2 join2 02:00:00:00:fe:02 192.168.0.2/30 peer=join1 \
    -- lr-route-add r 10.0.2.0/24 192.168.0.2 -- --policy=src-ip lr-route-add r2 10.0.2.0/24 192.168.0.1 \
    -- lsp-add s0 v1 -- lsp-set-addresses v1 "02:00:00:00:00:01 10.0.0.1 fd00::1" -- lsp-set-port-security v1 "02:00:00:00:00:01 10.0.0.1 fd00::1 10.99.0.8" \
    -- lsp-add s0 v2 -- lsp-set-addresses v2 "02:00:00:00:00:02 10.0.0.2 fd00::2" \
    -- lsp-add s0 n1 v2 42 -- lsp-set-addresses n1 "02:00:00:00:00:11 10.0.0.11" \
    -- lsp-add s1 v3 -- lsp-set-addresses v3 "02:00:00:00:00:03 10.1.1.3 10.0.1.3 fd00:1::3" -- lsp-add s1 v4 -- lsp-set-addresses v4 unknown \
    -- lsp-add s2 v6 -- lsp-set-addresses v6 "02:00:00:00:00:06 10.0.2.6" -- lsp-add s3 v7 -- lsp-set-addresses v7 "02:00:00:00:00:07 10.0.3.7" \
    -- lsp-add pub ln -- lsp-set-type ln localnet -- lsp-set-options ln network_name=phys -- lsp-set-addresses ln unknown \
    -- lsp-add s5 ln5 "" 7 -- lsp-set-type ln5 localnet -- lsp-set-options ln5 network_name=phys -- lsp-set-addresses ln5 unknown \
    -- set logical_switch s5 other_config:subnet=10.0.5.0/24 other_config:exclude_ips=10.0.5.1..10.0.5.7 \
    -- lsp-add s5 v5 -- lsp-set-addresses v5 "02:00:00:00:00:05 dynamic" \
    -- lsp-add s6 lg -- lsp-set-type lg l2gateway -- lsp-set-options lg network_name=phys2 l2gateway-chassis=h1 -- lsp-set-addresses lg unknown \
    -- lsp-add s6 v8 -- lsp-set-addresses v8 "02:00:00:00:00:08 10.0.6.8"
nb lrp-set-gateway-chassis r-pub h1 20 -- lrp-set-gateway-chassis r-pub h2 10 -- set logical_switch_port pub-r options:nat-addresses=router \
    -- lr-nat-add r snat 172.16.0.1 10.0.0.0/24 -- lr-nat-add r dnat_and_snat 172.16.0.12 10.0.0.2 v2 02:00:00:00:ee:02 -- lr-nat-add r dnat_and_snat 172.16.0.13 10.0.1.3 \
    -- --ecmp lr-route-add r 20.0.0.0/24 172.16.0.100 -- --ecmp lr-route-add r 20.0.0.0/24 172.16.0.101 \
    -- lr-route-add r 21.0.0.0/8 172.16.0.200 -- static-mac-binding-add r-pub 172.16.0.200 02:00:00:00:00:99 \
    -- lr-policy-add r 100 'ip4.dst == 20.0.0.4' drop -- lr-policy-add r 101 'ip4.dst == 20.0.0.67' reroute 172.16.0.102 \
    -- --ecmp-symmetric-reply lr-route-add gw 22.0.0.0/24 172.16.0.100 -- --ecmp-symmetric-reply lr-route-add gw 22.0.0.0/24 172.16.0.110 \
    -- lb-add rlb 172.16.0.44:80 10.0.0.1:80 tcp -- lr-lb-add r rlb \
    -- lr-nat-add gw snat 172.16.0.3 10.0.3.0/24 -- lr-nat-add gw dnat 172.16.0.32 10.0.3.7 -- lr-nat-add gw dnat_and_snat 172.16.0.31 10.0.3.7 \
    -- lb-add glb 172.16.0.33:80 10.0.3.7:80 tcp -- lr-lb-add gw glb -- lb-add hair 10.99.0.8:80 10.0.0.1:80 tcp -- ls-lb-add s0 hair \
    -- lb-add outer 10.0.5.9:80 10.0.5.8:80 tcp -- ls-lb-add s5 outer \
    -- lb-add two 10.99.0.9:80 10.0.0.1:80,10.0.0.2:80 tcp -- lb-add two "[fd99::9]:80" "[fd00::1]:80"
group=$(nb create load_balancer_group name=lbg load_balancer="$(nb --bare --columns=_uuid find load_balancer name=two)")
nb set logical_switch s0 load_balancer_group="$group" -- set logical_switch s1 load_balancer_group="$group"
vm v1 h1 10.0.0.1 10.0.0.254
vm v2 h2 10.0.0.2 10.0.0.254
vm v3 h1 10.1.1.3 10.1.1.254
vm v4 h2 10.0.1.4 10.0.1.254
vm v5 h2 "$(nb --bare get logical_switch_port v5 dynamic_addresses | tr -d '"' | cut -d' ' -f2)" 10.0.5.1
vm v6 h2 10.0.2.6 10.0.2.254
vm v7 h1 10.0.3.7 10.0.3.254
vm v8 h2 10.0.6.8 10.0.6.254
ip -n wusr-v1 addr add fd00::1/64 dev eth0 nodad && ip -n wusr-v1 route add default via fd00::ff
ip -n wusr-v2 addr add fd00::2/64 dev eth0 nodad && ip -n wusr-v2 route add default via fd00::ff
ip -n wusr-v3 addr add fd00:1::3/64 dev eth0 nodad && ip -n wusr-v3 route add default via fd00:1::ff
ip -n wusr-v3 addr add 10.0.1.3/24 dev eth0
# v2 is a machine with a switch of its own: itself untagged, and the container n1 behind VLAN 42
vs h2 add-br br-vm -- set bridge br-vm datapath_type=netdev -- del-port p-v2 -- add-port br-vm p-v2 -- add-port br-vm vm-int -- set interface vm-int type=patch options:peer=int-vm \
    -- add-port br-int int-vm -- set interface int-vm type=patch options:peer=vm-int external_ids:iface-id=v2
veth n1 h2 br-vm 02:00:00:00:00:11 10.0.0.11/24
vs h2 set port p-n1 tag=42
for v in v1 v2 v3 v5 v7 ext; do serve $v; done
for p in v1 v2 v3 v4 v5 v6 v7 v8 n1; do wait_for 40 nb wait-until logical_switch_port $p up=true || exit 1; done
synced "all"
equal "nb_cfg has come back" "$(nb get nb_global . nb_cfg)" "$(nb get nb_global . hv_cfg)"

# --- Switches
works "unicast" v1 10.0.0.2
works "IPv6" v1 fd00::2
works "a container and its host's neighbour" n1 10.0.0.1
works "a container and its host" n1 10.0.0.2
equal "an address that northd gave, past those excluded" 10.0.5.8 "$(ip -n wusr-v5 -o -4 addr show dev eth0 | grep -o '10[.0-9]*' | head -n 1)"
works "to a VLAN of the physical network" v5 10.0.5.100
works "over an L2 gateway" v8 10.0.6.100
works "to an unknown address, through the router" v1 10.0.1.4
has "and its switch has learned it" '02:00:00:00:00:04' "$(ovn-sbctl --bare --columns=mac list fdb)"
ip -n wusr-v1 addr add 10.0.0.77/24 dev eth0
ip -n wusr-v1 addr add fd00::77/64 dev eth0 nodad
fails "port security: a strange IPv4 source" v1 -I 10.0.0.77 10.0.0.2
fails "a strange IPv6 source" v1 -I fd00::77 fd00::2
fails "nor is it found by ARP" v2 10.0.0.77
fails "nor by ND" v2 fd00::77
ip -n wusr-v1 addr del 10.0.0.77/24 dev eth0 && ip -n wusr-v1 addr del fd00::77/64 dev eth0
equal "multicast reaches the other machine" "ping 10" "$(at v2 timeout 20 python3 - "$dir/heard" <<'P' &
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 5000)); s.settimeout(30)
s.setsockopt(0, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.1.1.1") + socket.inet_aton("10.0.0.2")); s.setsockopt(0, 13, 1)
open(sys.argv[1], "w")
data, more, _, _ = s.recvmsg(100, 100); print(data.decode(), more[0][2][0] >> 2)
P
nb --wait=hv qos-add s0 from-lport 100 'inport == "v1" && udp.dst == 5000' dscp=10 >&2
wait_for 10 test -e "$dir/heard" >&2
at v1 python3 -c "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(0, 32, socket.inet_aton('10.0.0.1'))
s.sendto(b'ping', ('239.1.1.1', 5000))" >&2
wait)" # with the mark of a QoS rule
nb --wait=hv qos-add s0 from-lport 101 'inport == "v1" && ip4.dst == 10.0.0.2 && icmp4' rate=20 burst=20
passed=$(at v1 ping -n -q -c 20 -i 0.05 -W 1 -s 1000 10.0.0.2 | sed -nE 's/.* ([0-9]+) received.*/\1/p')
check "a QoS rule lets some packets pass, not all ($passed of 20)" test "$passed" -ge 1 -a "$passed" -le 10
nb --wait=hv qos-del s0 from-lport 101 'inport == "v1" && ip4.dst == 10.0.0.2 && icmp4'

# --- Routers
works "through a router, into a second network of a port" v1 10.1.1.3
works "IPv6 through a router" v1 fd00:1::3
works "through two routers, back by a route for the source" v1 10.0.2.6
has "time exceeded" 'Time to live exceeded' "$(at v1 ping -n -c 3 -W 5 -t 1 10.0.2.6)"
has "IPv6 hop limit" 'Hop limit|Time exceeded' "$(at v1 ping -n -c 3 -W 5 -t 1 fd00:1::3)"
gives "TCP reset by a router" refused v6 10.0.2.254
equal "port unreachable" ConnectionRefusedError "$(at v6 python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('10.0.2.254', 9)); s.send(b'x'); s.settimeout(15)
try: s.recv(10)
except Exception as e: print(type(e).__name__)")"
works "out, translated at the gateway chassis, by equal routes" v1 20.0.0.1
for a in 2 3; do for v in v1 v2; do at $v ping -n -q -c 1 -W 1 20.0.0.$a >/dev/null; done; done
fails "a policy drops" v1 20.0.0.4
works "a policy sends elsewhere" v1 20.0.0.67
has "to the next hop that it names" '172.16.0.102' "$(ovn-sbctl --bare --columns=ip find mac_binding logical_port=r-pub)"
works "a neighbour that is written down" v1 21.0.0.1
gives "SNAT" "ext to 172.16.0.1" v1 172.16.0.100
gives "a floating address, translated on the machine's chassis" "ext to 172.16.0.12" v2 172.16.0.100
gives "and in" "v2 to 172.16.0.100" ext 172.16.0.12
has "with a MAC of its own" '02:00:00:00:ee:02' "$(ip -n wusr-ext neigh show 172.16.0.12)"
gives "a floating address at the gateway chassis" "v3 to 172.16.0.100" ext 172.16.0.13
wait_for 30 grep -q 'announced 172.16.0.1 02:00:00:00:ff:0a' "$dir/garps.out"
wait_for 30 grep -q 'announced 172.16.0.12 02:00:00:00:ee:02' "$dir/garps.out"
gives "a gateway router: SNAT" "ext to 172.16.0.31" v7 172.16.0.100
gives "DNAT" "v7 to 172.16.0.100" ext 172.16.0.32
gives "both, by one of two equal routes" "v7 to 22.0.0.9" ext 172.16.0.31
gives "and by the other" "v7 to 22.0.0.9" ext2 172.16.0.31
for e in ext ext2 ext ext2 ext ext2; do equal "the answer goes where the question came from" "v7 to 22.0.0.9" "$(get $e 172.16.0.31)"; done
gives "a load balancer" "v7 to 172.16.0.100" ext 172.16.0.33
nb --wait=hv set logical_router gw options:lb_force_snat_ip=router_ip options:dnat_force_snat_ip=10.0.3.254
gives "with the router's address as source" "v7 to 10.0.3.254" ext 172.16.0.33
gives "DNAT likewise" "v7 to 10.0.3.254" ext 172.16.0.32
gives "a load balancer at a distributed gateway port" "v1 to 172.16.0.100" ext 172.16.0.44
nb lrp-set-gateway-chassis r-pub h2 30
wait_for 40 sh -c "test \"\$(ovn-sbctl --bare --columns=chassis find port_binding logical_port=cr-r-pub)\" = \"\$(ovn-sbctl --bare --columns=_uuid find chassis name=h2)\""
synced "another gateway chassis"
works "it serves" v1 20.0.0.1

# --- Load balancers
ip -n wusr-vlan7 neigh add 10.0.5.9 lladdr 02:00:00:00:00:05 dev eth0
gives "what a localnet port brings" "v5 to 10.0.5.100" vlan7 10.0.5.9
gives "hairpin" "v1 to 10.99.0.8" v1 10.99.0.8
gives "a group of balancers, one backend" "v1 to 10.1.1.3" v3 10.99.0.9
gives "and the other" "v2 to 10.1.1.3" v3 10.99.0.9
gives "IPv6" "v1 to fd00:1::3" v3 fd99::9

# --- Firewall
nb pg-add web v2 -- create address_set name=good addresses=10.0.0.1 -- meter-add m drop 1000 pktps \
    -- acl-add web to-lport 1000 'outport == @web && ip4' drop -- acl-add web to-lport 1001 'outport == @web && ip4.src == $good && tcp.dst == 80' allow-related \
    -- --log --severity=info --meter=m --name=refused acl-add web to-lport 1002 'outport == @web && tcp.dst == 81' reject \
    -- acl-add web from-lport 1000 'inport == @web && ip4' allow-related >/dev/null
synced "ACLs"
gives "allowed by an address set" "v2 to 10.0.0.1" v1 10.0.0.2
gives "rejected" refused v1 10.0.0.2 81
wait_for 15 grep -q 'name="refused"' "$dir"/controller-h1.out "$dir"/controller-h2.out
has "and logged" 'name="refused", verdict=reject, severity=info' "$(cat "$dir"/controller-h*.out)"
fails "dropped" v1 10.0.0.2
works "its own connections have answers" v2 10.0.0.1
at v1 python3 -c "
import os, socket, sys, time
s = socket.create_connection(('10.0.0.2', 80), 15); s.sendall(b'x'); s.recv(100); open('$dir/open', 'w')
while not os.path.exists('$dir/changed'): time.sleep(0.05)
s.settimeout(1); s.sendall(b'x')
try: print(s.recv(100))
except Exception as e: print(type(e).__name__)" >"$dir/reevaluated" &
asker=$!
wait_for 20 test -e "$dir/open"
nb --wait=hv set address_set good addresses=10.0.0.9
touch "$dir/changed"
wait $asker
equal "an open connection ends when the policy does" TimeoutError "$(cat "$dir/reevaluated")"
nb --wait=hv acl-del web -- acl-add web from-lport 900 'inport == @web && ip4' allow-stateless -- acl-add web to-lport 900 'outport == @web && icmp4' allow-stateless \
    -- acl-add web to-lport 800 'outport == @web && ip4' drop
works "stateless, in" v1 10.0.0.2
equal "stateless, what is not allowed" silence "$(get v1 10.0.0.2)"
nb --wait=hv pg-del web -- lsp-set-enabled v2 disabled
fails "a disabled port" v1 10.0.0.2
nb --wait=hv lsp-set-enabled v2 enabled -- lrp-set-enabled r-s1 disabled
fails "a disabled port of a router" v1 10.0.1.3
fails "nor IPv6" v1 fd00:1::3
nb --wait=hv lrp-set-enabled r-s1 enabled
works "both back" v1 10.1.1.3

# --- Answers
dhcp=$(nb create dhcp_options cidr=10.0.6.0/24 options:server_id=10.0.6.254 options:server_mac='"02:00:00:00:ff:06"' options:lease_time=3600 options:router=10.0.6.254)
dhcp6=$(nb create dhcp_options cidr='"fd06::/64"' options:server_id='"02:00:00:00:ff:06"' options:dns_server='"fd00::53"')
nb --wait=hv lsp-set-addresses v8 "02:00:00:00:00:08 10.0.6.8 fd06::8" -- lsp-set-dhcpv4-options v8 "$dhcp" -- lsp-set-dhcpv6-options v8 "$dhcp6" \
    -- set logical_switch s0 dns_records="$(nb create dns records:web.example='"10.0.0.2"')" \
    -- set logical_router_port r-s0 ipv6_ra_configs:address_mode=slaac ipv6_ra_configs:mtu=1380
printf '#!/bin/sh\nenv | grep -E "^new_(ip|ip6)_address" >>"$DHCP_OUT"\n' >"$dir/script"
chmod 755 "$dir/script"
for v in 4 6; do
    check "DHCPv$v" at v8 env DHCP_OUT="$dir/dhcp" timeout 20 dhclient -1 -$v -lf "$dir/leases$v" -pf "$dir/dhcp$v.pid" -sf "$dir/script" -e DHCP_OUT="$dir/dhcp" eth0
done
equal "the addresses" "new_ip6_address=fd06::8 new_ip_address=10.0.6.8" "$(sort -u "$dir/dhcp" | xargs)"
equal "DNS" 10.0.0.2 "$(at v1 python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
for i in range(5):
    s.sendto(b"\x12\x34\1\0\0\1\0\0\0\0\0\0\3web\7example\0\0\1\0\1", ("10.0.0.254", 53))
    try:
        print(socket.inet_ntoa(s.recv(500)[-4:])); break
    except socket.timeout: pass')"
ip -n wusr-v2 link set eth0 down && ip -n wusr-v2 addr flush dev eth0 && ip -n wusr-v2 link set eth0 up
wait_for 20 sh -c 'ip -n wusr-v2 -6 addr show dev eth0 scope global -tentative | grep -q "fd00::ff:fe00:2/64"'
equal "the MTU that the router advertises" 1380 "$(at v2 cat /proc/sys/net/ipv6/conf/eth0/mtu)"
check "northd's incremental state is what a fresh compute gives" nb --wait=sb sync # --verify ends it otherwise
check "by the same process" kill -0 "$northd"
equal "no logical flow is beyond their controller" "" "$(grep -hE 'error parsing|syntax error' "$dir"/controller-h*.out)"
