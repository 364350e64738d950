#!/bin/bash
# weft-controller between Debian's ovn-northd and ovs-vswitchd (userspace datapath with connection tracking), real packets between namespaces:
# ACLs, port security, NAT on a gateway port to a physical network, load balancing with hairpin, nested ports; restarts of the controller and a
# loss of the southbound database in the middle of the traffic; which rows the controller asks for.
. "$WEFT_SRC/tests/support/lib.sh"
begin controller-stateful
for db in "nb /usr/share/ovn/ovn-nb.ovsschema ovnnb_db.sock" "sb /usr/share/ovn/ovn-sb.ovsschema ovnsb_db.sock" \
    "conf /usr/share/openvswitch/vswitch.ovsschema db.sock"; do
    set -- $db
    ovsdb-tool create "$dir/$1.db" "$2" || exit 1
    start "ovsdb-$1" ovsdb-server --remote="punix:$dir/$3" --unixctl="$dir/$1.ctl" "$dir/$1.db"
    wait_for 10 test -S "$dir/$3"
    [ "$1" = sb ] && sb=$started
done
export OVN_NB_DB=unix:$dir/ovnnb_db.sock OVN_SB_DB=unix:$dir/ovnsb_db.sock
vs() { ovs-vsctl --db="unix:$dir/db.sock" --timeout=10 "$@"; }
ctl() { ovs-appctl -t "$dir/controller.ctl" "$@"; }
flows() { ovs-ofctl -O OpenFlow15 dump-flows --no-stats "$dir/br-int.mgmt" | grep -v 'table=69,' | sort; }
in_vm() { ip netns exec "wct-$1" "${@:2}"; }
start northd ovn-northd --ovnnb-db="$OVN_NB_DB" --ovnsb-db="$OVN_SB_DB" --unixctl="$dir/northd.ctl"
ns_new wct-sw
vs --no-wait init
start vswitchd ip netns exec wct-sw ovs-vswitchd --disable-system --unixctl="$dir/vswitchd.ctl" "unix:$dir/db.sock"
vs --no-wait set open . external_ids:system-id=hv1 external_ids:ovn-remote="$OVN_SB_DB" external_ids:ovn-encap-type=geneve \
    external_ids:ovn-encap-ip=127.0.0.1 external_ids:ovn-bridge-datapath-type=netdev external_ids:ovn-bridge-mappings=phys:br-ext
vs add-br br-ext -- set bridge br-ext datapath_type=netdev
controller() {
    start controller ip netns exec wct-sw "$WEFT_BIN/weft-controller" --unixctl="$dir/controller.ctl" --verify "unix:$dir/db.sock"
    controller=$started
}
kill_now() { # PID: as a crash would
    local p rest=()
    kill -KILL "$1"
    wait "$1" 2>/dev/null
    for p in "${pids[@]}"; do [ "$p" = "$1" ] || rest+=("$p"); done
    pids=("${rest[@]}")
}
controller
wait_for 20 vs br-exists br-int

veth() { # NAME ADDRESS MAC GATEWAY: a namespace whose eth0 is the other end of p-NAME in the switch's namespace
    ns_new "wct-$1"
    ip link add "p-$1" netns wct-sw type veth peer name eth0 netns "wct-$1"
    ip -n wct-sw link set "p-$1" up
    ip -n "wct-$1" link set eth0 address "$3" mtu 1400 up
    ip netns exec "wct-$1" ethtool -K eth0 tx off >/dev/null 2>&1 # the userspace datapath does not finish checksums
    ip -n "wct-$1" addr add "$2/24" dev eth0
    ip -n "wct-$1" route add default via "$4"
}
ovn-nbctl ls-add s0 -- ls-add s1 -- ls-add pub -- lr-add r \
    -- lrp-add r r0 02:00:00:00:ff:00 10.0.0.254/24 -- lrp-add r r1 02:00:00:00:ff:01 10.0.1.254/24 \
    -- lrp-add r rp 02:00:00:00:ff:0a 172.16.0.1/24 -- lrp-set-gateway-chassis rp hv1 20 \
    -- lsp-add s0 v1 -- lsp-set-addresses v1 "02:00:00:00:00:01 10.0.0.1" -- lsp-set-port-security v1 "02:00:00:00:00:01 10.0.0.1" \
    -- lsp-add s0 v2 -- lsp-set-addresses v2 "02:00:00:00:00:02 10.0.0.2" \
    -- lsp-add s0 n1 v2 42 -- lsp-set-addresses n1 "02:00:00:00:00:11 10.0.0.11" \
    -- lsp-add s1 v3 -- lsp-set-addresses v3 "02:00:00:00:00:03 10.0.1.3" \
    -- lsp-add pub ln -- lsp-set-type ln localnet -- lsp-set-options ln network_name=phys -- lsp-set-addresses ln unknown
for pair in "s0 r0" "s1 r1" "pub rp"; do
    set -- $pair
    ovn-nbctl lsp-add "$1" "$1r" -- lsp-set-type "$1r" router -- lsp-set-addresses "$1r" router -- lsp-set-options "$1r" router-port="$2"
done
ovn-nbctl lr-route-add r 0.0.0.0/0 172.16.0.100 -- lr-nat-add r snat 172.16.0.1 10.0.0.0/24 \
    -- lr-nat-add r dnat_and_snat 172.16.0.10 10.0.1.3 \
    -- lb-add lb 10.9.9.9:80 10.0.0.1:80,10.0.1.3:80 tcp -- ls-lb-add s0 lb -- ls-lb-add s1 lb \
    -- lb-add hair 10.9.9.8:80 10.0.0.1:80 tcp -- ls-lb-add s0 hair \
    -- pg-add web v1 v3 -- acl-add web to-lport 1002 'outport == @web && ip4.src == {10.0.0.0/24, 10.9.9.8, 172.16.0.100} && tcp.dst == {80, 443}' allow-related \
    -- acl-add web to-lport 1002 'outport == @web && icmp4 && ip4.src == {10.0.0.2, 10.0.0.11, 10.0.1.0/24, 172.16.0.100}' allow-related \
    -- acl-add web to-lport 1001 'outport == @web && ip4' drop
veth v1 10.0.0.1 02:00:00:00:00:01 10.0.0.254
veth v2 10.0.0.2 02:00:00:00:00:02 10.0.0.254
veth v3 10.0.1.3 02:00:00:00:00:03 10.0.1.254
veth ext 172.16.0.100 02:00:00:00:00:99 172.16.0.1
veth n1 10.0.0.11 02:00:00:00:00:11 10.0.0.254
for p in v1 v3; do vs --no-wait add-port br-int p-$p -- set interface p-$p external_ids:iface-id=$p; done
# v2 is a machine with a switch of its own: itself untagged, and the container n1 behind VLAN 42
vs --no-wait add-br br-vm -- set bridge br-vm datapath_type=netdev -- add-port br-vm p-v2 -- add-port br-vm p-n1 tag=42 \
    -- add-port br-vm vm-int -- set interface vm-int type=patch options:peer=int-vm \
    -- add-port br-int int-vm -- set interface int-vm type=patch options:peer=vm-int external_ids:iface-id=v2
vs --no-wait add-port br-ext p-ext
for p in v1 v2 v3 n1; do wait_for 20 ovn-nbctl --timeout=5 wait-until logical_switch_port $p up=true || exit 1; done
check "wait=hv" ovn-nbctl --timeout=20 --wait=hv sync
wait_for 10 test "$(ovn-sbctl --bare --columns=chassis find port_binding logical_port=cr-rp)" != ""
has "no flow was refused" ' 0 refused' "$(ctl install/show)"
has "the localnet port has a patch port" 'ln' "$(vs get port patch-br-int-to-ln external_ids)"
zones=$(ctl ct-zone-list | sort)
has "zones are published" "ct-zone-v1=\"?$(ctl ct-zone-list | sed -n 's/^v1 //p')" "$(vs get bridge br-int external_ids)"

serve() { # VM: answers connections to port 80 with its name
    start "web-$1" ip netns exec "wct-$1" python3 -c "
import socketserver
class H(socketserver.BaseRequestHandler):
    def handle(self): self.request.recv(100); self.request.sendall(b'$1\n')
class S(socketserver.ThreadingTCPServer): allow_reuse_address = True
S(('0.0.0.0', 80), H).serve_forever()"
}
get() { # VM ADDRESS [PORT]
    in_vm "$1" timeout 4 python3 -c "
import socket
s = socket.create_connection(('$2', ${3:-80}), 3); s.sendall(b'x'); print(s.recv(100).decode().strip(), s.getsockname()[0])"
}
for v in v1 v3 ext; do serve $v; wait_for 10 in_vm $v bash -c 'exec 3<>/dev/tcp/127.0.0.1/80'; done

check "ping on one switch" in_vm v2 ping -c 3 -i 0.2 -W 2 10.0.0.1
check "and back, established" in_vm v1 ping -c 3 -i 0.2 -W 2 10.0.0.2
check "nested port" in_vm n1 ping -c 3 -i 0.2 -W 2 10.0.0.1
check "nested port and its own parent" in_vm n1 ping -c 3 -i 0.2 -W 2 10.0.0.2
check "through the router" in_vm v3 ping -c 3 -i 0.2 -W 2 10.0.0.1
refuse "an ACL drops" '100% packet loss' in_vm v1 ping -c 2 -i 0.2 -W 1 10.0.1.3
equal "an ACL allows TCP port 80" "v3 10.0.0.2" "$(get v2 10.0.1.3)"
refuse "and no other" 'timed out|Terminated|timeout' get v2 10.0.1.3 8080
check "out, translated" in_vm v2 ping -c 3 -i 0.2 -W 2 172.16.0.100
equal "the outside sees the router" "ext 10.0.0.2" "$(get v2 172.16.0.100)"
check "in, translated" in_vm ext ping -c 3 -i 0.2 -W 2 172.16.0.10
equal "TCP from outside" "v3 172.16.0.100" "$(get ext 172.16.0.10)"
answers=$(for _ in $(seq 12); do get v2 10.9.9.9; done | sort | uniq -c | awk '{print $2}' | tr '\n' ' ')
equal "both backends of the load balancer answer" "v1 v3 " "$answers"
equal "hairpin: a backend that is its own client" "v1 10.0.0.1" "$(get v1 10.9.9.8)"
in_vm v1 ip addr add 10.0.0.77/24 dev eth0
refuse "port security drops a strange source" '100% packet loss' in_vm v1 ping -c 2 -i 0.2 -W 1 -I 10.0.0.77 10.0.0.2

# Killed and started again under traffic: nothing is sent, no packet is lost, connections live on.
before=$(flows)
in_vm v2 ping -q -i 0.01 -c 400 10.0.0.1 >"$dir/ping1.out" 2>&1 &
ping1=$!
in_vm v2 ping -q -i 0.01 -c 400 172.16.0.100 >"$dir/ping2.out" 2>&1 &
ping2=$!
for _ in 1 2 3; do
    kill_now $controller
    controller
    wait_for 20 bash -c "ovs-appctl -t $dir/controller.ctl install/show | grep -q 'bundles'"
    check "back" ovn-nbctl --timeout=20 --wait=hv sync
    has "a restart sends no flow" 'sent: 0 adds, 0 deletes' "$(ctl install/show)"
    has "no group, no meter" 'groups and meters: 0 sent' "$(ctl install/show)"
done
wait $ping1 $ping2
has "no packet of the switched ping was lost" '400 received, 0% packet loss' "$(cat "$dir/ping1.out")"
has "no packet of the translated ping was lost" '400 received, 0% packet loss' "$(cat "$dir/ping2.out")"
equal "flows are the same" "$before" "$(flows)"

# The southbound database goes and comes back.
in_vm v2 ping -q -i 0.01 -c 300 172.16.0.100 >"$dir/ping3.out" 2>&1 &
ping3=$!
kill_now $sb
wait_for 10 bash -c "ovs-appctl -t $dir/controller.ctl connection-status | grep -qx 'not connected'"
rm -f "$dir/ovnsb_db.sock"
start ovsdb-sb ovsdb-server --remote="punix:$dir/ovnsb_db.sock" --unixctl="$dir/sb.ctl" "$dir/sb.db"
wait_for 20 bash -c "ovs-appctl -t $dir/controller.ctl connection-status | grep -qx connected"
check "the database is back" ovn-nbctl --timeout=20 --wait=hv sync
wait $ping3
has "no packet was lost meanwhile" '300 received, 0% packet loss' "$(cat "$dir/ping3.out")"
has "nothing was sent" 'sent: 0 adds, 0 deletes' "$(ctl install/show)"

# Only rows of local datapaths are asked for, unless all are wanted.
lflows() { ctl inc/show | awk '$1 == "Logical_Flow" { print $2 }'; }
ovn-nbctl --timeout=20 --wait=hv ls-add elsewhere -- lsp-add elsewhere e1 -- lsp-set-addresses e1 "02:00:00:00:00:e1 10.5.0.1"
total=$(ovn-sbctl --bare --columns=_uuid list logical_flow | wc -w)
check "flows of other datapaths are not asked for ($(lflows) of $total)" test "$(lflows)" -lt "$total"
vs --no-wait set open . external_ids:ovn-monitor-all=true
wait_for 10 bash -c "[ \"\$(ovs-appctl -t $dir/controller.ctl inc/show | awk '\$1 == \"Logical_Flow\" { print \$2 }')\" = $total ]"
vs --no-wait remove open . external_ids ovn-monitor-all
wait_for 10 bash -c "[ \"\$(ovs-appctl -t $dir/controller.ctl inc/show | awk '\$1 == \"Logical_Flow\" { print \$2 }')\" -lt $total ]"
bare() { sed 's/cookie=[^,]*, //' | sort; } # a new datapath changes rows, and with them cookies
check "settled" ovn-nbctl --timeout=20 --wait=hv sync
equal "and nothing was lost by that" "$(bare <<<"$before")" "$(flows | bare)"
cookie=$(ovs-ofctl -O OpenFlow15 dump-flows "$dir/br-int.mgmt" table=33 | grep -o 'cookie=0x[0-9a-f]*' | grep -v '=0x0$' | head -n 1)
has "a flow's cookie leads back to its logical flow" 'stage: ls_in_l2_lkup|stage: lr_in' "$(ctl explain "${cookie#cookie=}")"
refuse "a cookie that is none" 'hexadecimal' ctl explain zzz
has "memory" 'lflows:[1-9]' "$(ctl memory/show)"
equal "zones are the same" "$zones" "$(ctl ct-zone-list | sort)"
has "verified" 'verified [1-9][0-9]* times, 0 differences' "$(ctl inc/show)"
