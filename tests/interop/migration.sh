#!/bin/bash
# A cluster that moves from OVN to Weft, one hypervisor at a time, as docs/migration.md says. Hypervisor a is Weft's, hypervisor b Debian's
# (ovs-vswitchd, ovn-controller), under one weft-northd and one physical network: traffic of each kind in both directions (one switch, routed,
# addresses that the router asks for, ACLs with connections, NAT, load balancers). Then b's controller and b's switch are replaced under traffic.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/interop/libhypervisors.sh"
begin migration
central_up
wire_up
ip -n wusr-wire link add br1 type bridge && ip -n wusr-wire link set br1 up
provider() { # HYPERVISOR: its way to the physical network "phys"
    ip link add "x-$1" netns wusr-wire type veth peer name eth1 netns "wusr-$1"
    ip -n wusr-wire link set "x-$1" master br1 up
    ip -n "wusr-$1" link set eth1 up
    vs "$1" --no-wait add-br br-ext -- set bridge br-ext datapath_type=netdev -- add-port br-ext eth1 \
        -- set open . external_ids:ovn-bridge-mappings=phys:br-ext
    # what Open vSwitch in user space receives must have its checksums
    for dev in eth0 eth1; do ip netns exec "wusr-$1" ethtool -K $dev tx off >/dev/null 2>&1; done
}
hypervisor a 192.168.80.1 weft weft
hypervisor b 192.168.80.2 ovs ovn
controller_b=${pids[-1]} switch_b=${pids[-2]}
uuids() { ovn-sbctl --bare --columns=_uuid,name list chassis | paste -sd' '; }
provider a && provider b
ctl() { ovs-appctl -t "$dir/$1/controller.ctl" "${@:2}"; }

# s0: v1 (on a), v2 (on b), guarded by ACLs; s1: v3, v5 (on a), v4, v6 (on b), v4 and v5 with addresses that northd does not know
network_add
ovn-nbctl lsp-add s1 v5 -- lsp-set-addresses v5 unknown -- lsp-add s1 v6 -- lsp-set-addresses v6 "02:00:00:00:00:06 10.0.1.6" \
    -- ls-add pub -- lsp-add pub ln -- lsp-set-type ln localnet -- lsp-set-options ln network_name=phys -- lsp-set-addresses ln unknown \
    -- lrp-add r rp 02:00:00:00:ff:0a 172.16.0.1/24 -- lrp-set-gateway-chassis rp a 20 \
    -- lsp-add pub pubr -- lsp-set-type pubr router -- lsp-set-addresses pubr router -- lsp-set-options pubr router-port=rp \
    -- lr-route-add r 0.0.0.0/0 172.16.0.100 -- lr-nat-add r snat 172.16.0.1 10.0.0.0/16 \
    -- lr-nat-add r dnat_and_snat 172.16.0.11 10.0.0.1 -- lr-nat-add r dnat_and_snat 172.16.0.12 10.0.0.2 \
    -- lr-nat-add r dnat_and_snat 172.16.0.13 10.0.1.3 v3 02:00:00:00:aa:03 -- lr-nat-add r dnat_and_snat 172.16.0.16 10.0.1.6 v6 02:00:00:00:aa:06 \
    -- lb-add lb1 10.9.9.1:80 10.0.0.1:80 tcp -- lb-add lb2 10.9.9.2:80 10.0.0.2:80 tcp -- lb-add lb3 172.16.0.20:80 10.0.0.1:80,10.0.0.2:80 tcp \
    -- ls-lb-add s1 lb1 -- ls-lb-add s1 lb2 -- lr-lb-add r lb3 \
    -- pg-add guarded v1 v2 -- acl-add guarded to-lport 1002 'outport == @guarded && tcp.dst == 80' allow-related \
    -- acl-add guarded to-lport 1002 'outport == @guarded && icmp4 && ip4.src == {10.0.1.0/24, 172.16.0.0/24}' allow-related \
    -- acl-add guarded to-lport 1001 'outport == @guarded && ip4' drop
vm v5 a 10.0.1.5 10.0.1.254
vm v6 b 10.0.1.6 10.0.1.254
ns_new wusr-ext
ip link add w-ext netns wusr-wire type veth peer name eth0 netns wusr-ext
ip -n wusr-wire link set w-ext master br1 up
ip -n wusr-ext link set eth0 mtu 1400 up
ip netns exec wusr-ext ethtool -K eth0 tx off >/dev/null 2>&1
ip -n wusr-ext addr add 172.16.0.100/24 dev eth0
machines a b
for p in v5 v6; do wait_for 20 ovn-nbctl --timeout=5 wait-until logical_switch_port $p up=true; done

for v in v1 v2 ext; do # each answers lines on ports 80 and 8080 with its name and the client's address
    start "web-$v" ip netns exec wusr-$v python3 -c "
import socketserver, threading
class H(socketserver.StreamRequestHandler):
    def handle(self):
        for _ in self.rfile: self.wfile.write(b'$v %s\n' % self.client_address[0].encode())
class S(socketserver.ThreadingTCPServer): allow_reuse_address = daemon_threads = True
threading.Thread(target=S(('0.0.0.0', 8080), H).serve_forever).start()
S(('0.0.0.0', 80), H).serve_forever()"
done
get() { # MACHINE ADDRESS [PORT]: who answers, and whom he sees
    ip netns exec "wusr-$1" timeout 5 bash -c "exec 3<>/dev/tcp/$2/${3:-80} && echo >&3 && head -n 1 <&3"
}
ping2() { ip netns exec "wusr-$1" ping -n -q -c 2 -i 0.1 -W 2 "$2"; }
reaches() { # WHAT MACHINE ADDRESS: the first packets may wait for somebody's ARP
    wait_for 15 ip netns exec "wusr-$2" ping -n -q -c 1 -W 1 "$3" && check "$1" ping2 "$2" "$3"
}
at_gateway() { [ "$(claimed cr-rp)" = "$1" ]; }
gateway() { # HYPERVISOR OTHER: traffic to and from outside goes through it, no more through the other
    check "the gateway is $1" ovn-nbctl lrp-del-gateway-chassis rp "$2" -- lrp-set-gateway-chassis rp "$1" 20
    wait_for 20 at_gateway "$1"
    check "and all know it" ovn-nbctl --timeout=20 --wait=hv sync
}
blocked() { ip netns exec "wusr-$1" ping -n -q -c 1 -W 0.5 "$2"; }
inside() { # every kind of traffic, both ways
    reaches "one switch, a to b" v3 10.0.1.6
    reaches "one switch, b to a" v6 10.0.1.3
    reaches "routed and let through, a to b" v3 10.0.0.2
    reaches "routed and let through, b to a" v6 10.0.0.1
    reaches "the router asks on b" v1 10.0.1.4
    reaches "the router asks on a" v2 10.0.1.5
    equal "an ACL lets TCP port 80 through, a to b" "v2 10.0.0.1" "$(get v1 10.0.0.2)"
    equal "and b to a" "v1 10.0.0.2" "$(get v2 10.0.0.1)"
    refuse "it drops others, a to b" '100% packet loss' blocked v1 10.0.0.2
    refuse "and b to a" '100% packet loss' blocked v2 10.0.0.1
    equal "load balancer, a to b" "v2 10.0.1.3" "$(get v3 10.9.9.2)"
    equal "load balancer, b to a" "v1 10.0.1.6" "$(get v6 10.9.9.1)"
    reaches "floating address of a's own" ext 172.16.0.13
    reaches "floating address of b's own" ext 172.16.0.16
}
outside() { # through the gateway, for machines on both
    local pair m floating
    for pair in "v2 172.16.0.12" "v1 172.16.0.11"; do
        read -r m floating <<<"$pair"
        reaches "$m to the outside, translated" "$m" 172.16.0.100
        reaches "the outside to $m's floating address" ext "$floating"
        equal "TCP of $m, translated" "ext $floating" "$(get "$m" 172.16.0.100)"
        equal "TCP to $m's floating address" "$m 172.16.0.100" "$(get ext "$floating")"
    done
    equal "a load balancer at the gateway, both backends" "v1 v2 " "$(for _ in $(seq 12); do get ext 172.16.0.20; done | cut -d' ' -f1 | sort -u | tr '\n' ' ')"
}
for v in v1 v2 ext; do wait_for 10 ip netns exec wusr-$v bash -c 'exec 3<>/dev/tcp/127.0.0.1/80'; done
inside
outside
gateway b a
outside

streams=("v3 10.0.1.6 one switch" "v6 10.0.0.1 routed and let through" "v1 10.0.1.4 to the router's own neighbour" "v1 172.16.0.100 translated"
    "ext 172.16.0.12 to a floating address")
answered() { # NUMBER MORE: each stream has seen so many answers more than in SEEN
    local i
    for i in "${!streams[@]}"; do [ "$(grep -c icmp_seq "$dir/stream$i.txt")" -gt $((seen[i] + $1)) ] || return 1; done
}
traffic() { # begins 50 packets a second of each kind, and a connection through the load balancer
    local i from to
    for i in "${!streams[@]}"; do
        read -r from to _ <<<"${streams[i]}"
        ip netns exec "wusr-$from" ping -n -i 0.02 "$to" >"$dir/stream$i.txt" 2>&1 &
        stream_pids[i]=$!
        seen[i]=0
    done
    wait_for 15 answered 10
    coproc connection { exec ip netns exec wusr-v3 bash -c 'exec 3<>/dev/tcp/10.9.9.2/80; while read -r; do echo >&3; read -r answer <&3; echo "$answer"; done'; }
    asks "a connection"
}
asks() { # WHAT: a line on the connection is answered
    local answer=
    echo >&"${connection[1]}" && read -r -t 10 answer <&"${connection[0]}"
    equal "$1" "v2 10.0.1.3" "$answer"
}
silence() { # NUMBER: the longest time in ms for which the stream had no answer
    grep -o 'icmp_seq=[0-9]*' "$dir/stream$1.txt" | cut -d= -f2 | sort -nu |
        awk 'NR > 1 && $1 - last - 1 > most { most = $1 - last - 1 } { last = $1 } END { print most * 20 }'
}
longest() { local i; for i in "${!streams[@]}"; do silence "$i"; done | sort -n | tail -n 1; }
settle() { # WHAT: ends the streams when all flow
    local i
    for i in "${!streams[@]}"; do seen[i]=$(grep -c icmp_seq "$dir/stream$i.txt"); done
    wait_for 20 answered 10
    asks "$1, the same connection"
    kill "$connection_PID"
    for i in "${!streams[@]}"; do kill -INT "${stream_pids[i]}" && wait "${stream_pids[i]}" 2>/dev/null; done
}
arrived() { # WHAT MS: none was silent for so long
    local i kind
    for i in "${!streams[@]}"; do
        read -r _ _ kind <<<"${streams[i]}"
        check "$1, $kind: silent for $(silence "$i") ms" test "$(silence "$i")" -le "$2"
    done
}
quit() { # PID COMMAND...: a daemon ends
    check "${*:2}" "${@:2}"
    wait_for 15 is_gone "$1"
}
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# The controller: the flows stay in the switch while nobody is there, and what differs is replaced in one bundle.
before=$(uuids)
traffic
quit "$controller_b" ctl b exit --restart
controller b weft
check "weft-controller is done" ovn-nbctl --timeout=30 --wait=hv sync
settle "another controller"
arrived "another controller" 0
equal "the chassis is the same" "$before" "$(uuids)"
has "no flow was refused" ' 0 refused' "$(ctl b install/show)"

# The switch, on the database that is there: its configuration stays. Where a busy machine makes it slow: the way back, and again.
switch_to() { # PROGRAM: it takes the place of the one before
    quit "$switch_b" ovs-appctl -t "$dir/b/switch.ctl" exit
    start switch-b ip netns exec wusr-b env OVS_RUNDIR="$dir/b" WEFT_RUNDIR="$dir/b" "$@" --unixctl="$dir/b/switch.ctl" "unix:$dir/b/db.sock"
    switch_b=$started
    wait_for 20 ip -n wusr-b addr replace 192.168.80.2/24 dev br-phys # as the network's configuration of the machine does
    ip -n wusr-b link set br-phys up
}
for try in 1 2 3; do
    traffic
    switch_to "$WEFT_BIN/weft-switchd"
    settle "another switch"
    [ "$(longest)" -le 980 ] || [ $try = 3 ] && break
    echo "      silent for $(longest) ms: the way back, and again"
    switch_to ovs-vswitchd --disable-system
    check "all are done on the way back" ovn-nbctl --timeout=30 --wait=hv sync
done
arrived "another switch" 980
check "all are done" ovn-nbctl --timeout=30 --wait=hv sync
equal "the chassis is the same" "$before" "$(uuids)"
inside
outside
for h in a b; do has "verified on $h" ' 0 differences' "$(ctl $h inc/show)"; done
