#!/bin/bash
# weft-controller between Debian's programs: ovn-northd above it, ovs-vswitchd (dummy datapath) below, ovsdb-server on both sides.
. "$WEFT_SRC/tests/support/lib.sh"
begin controller-peers
schema=/usr/share/openvswitch/vswitch.ovsschema
for db in "nb /usr/share/ovn/ovn-nb.ovsschema ovnnb_db.sock" "sb /usr/share/ovn/ovn-sb.ovsschema ovnsb_db.sock" "conf $schema db.sock"; do
    set -- $db
    ovsdb-tool create "$dir/$1.db" "$2" || exit 1
    start "ovsdb-$1" ovsdb-server --remote="punix:$dir/$3" --unixctl="$dir/$1.ctl" "$dir/$1.db"
    wait_for 10 test -S "$dir/$3"
done
export OVN_NB_DB=unix:$dir/ovnnb_db.sock OVN_SB_DB=unix:$dir/ovnsb_db.sock
vs() { ovs-vsctl --db="unix:$dir/db.sock" --no-wait "$@"; }
ctl() { ovs-appctl -t "$dir/controller.ctl" "$@"; }
frame() { ovs-appctl -t "$dir/vswitchd.ctl" netdev-dummy/receive "$1" "$("$WEFT_SRC/tests/support/frames.py" "${@:2}")"; }
out() { tcpdump -nn -e -r "$dir/$1.pcap" 2>/dev/null; }
sees() { out "$1" | grep -E -- "$2" >/dev/null; }
start northd ovn-northd --ovnnb-db="$OVN_NB_DB" --ovnsb-db="$OVN_SB_DB" --unixctl="$dir/northd.ctl"
vs init
start vswitchd ovs-vswitchd --enable-dummy --disable-system --unixctl="$dir/vswitchd.ctl" "unix:$dir/db.sock"
vs set open . external_ids:system-id=hv1 external_ids:ovn-remote="$OVN_SB_DB" external_ids:ovn-encap-type=geneve \
    external_ids:ovn-encap-ip=127.0.0.1 external_ids:ovn-bridge-datapath-type=dummy
wait_for 10 ovn-nbctl --timeout=1 show
controller() { start controller "$WEFT_BIN/weft-controller" --unixctl="$dir/controller.ctl" --verify "unix:$dir/db.sock"; controller=$started; }
controller_kill() { # as a crash would
    local p rest=()
    kill -KILL $controller
    wait $controller 2>/dev/null
    for p in "${pids[@]}"; do [ "$p" = $controller ] || rest+=("$p"); done
    pids=("${rest[@]}")
}
controller
wait_for 10 vs br-exists br-int
wait_for 10 ovn-sbctl --timeout=1 get chassis hv1 hostname
equal "encapsulation" 127.0.0.1 "$(ovn-sbctl --bare --columns=ip find encap chassis_name=hv1)"

ovn-nbctl ls-add s0 -- lsp-add s0 a -- lsp-set-addresses a "02:00:00:00:00:0a 10.0.0.1" \
    -- lsp-add s0 b -- lsp-set-addresses b "02:00:00:00:00:0b 10.0.0.2" \
    -- ls-add s1 -- lsp-add s1 c -- lsp-set-addresses c "02:00:00:00:00:0c 10.0.1.1" -- lsp-add s1 u -- lsp-set-addresses u unknown \
    -- lr-add r -- lrp-add r r0 02:00:00:00:ff:00 10.0.0.254/24 -- lrp-add r r1 02:00:00:00:ff:01 10.0.1.254/24 \
    -- lsp-add s0 s0r -- lsp-set-type s0r router -- lsp-set-addresses s0r router -- lsp-set-options s0r router-port=r0 \
    -- lsp-add s1 s1r -- lsp-set-type s1r router -- lsp-set-addresses s1r router -- lsp-set-options s1r router-port=r1
for p in a b c u; do
    vs add-port br-int $p -- set interface $p type=dummy options:tx_pcap="$dir/$p.pcap" external_ids:iface-id=$p
done
for p in a b c u; do wait_for 10 ovn-nbctl --timeout=5 wait-until logical_switch_port $p up=true; done
check "wait=hv" ovn-nbctl --timeout=10 --wait=hv sync
equal "ovn-installed" '"true"' "$(vs get interface a external_ids:ovn-installed)"
has "no flow was refused" ' 0 refused' "$(ctl install/show)"

gw0=02:00:00:00:ff:00 gw1=02:00:00:00:ff:01 a=02:00:00:00:00:0a
frame a icmp $a 02:00:00:00:00:0b 10.0.0.1 10.0.0.2
wait_for 5 sees b '10.0.0.1 > 10.0.0.2: ICMP echo request'
frame a arp 1 $a 10.0.0.1 00:00:00:00:00:00 10.0.0.254
wait_for 5 sees a "Reply 10.0.0.254 is-at $gw0"
frame a icmp $a $gw0 10.0.0.1 10.0.0.254
wait_for 5 sees a '10.0.0.254 > 10.0.0.1: ICMP echo reply'
frame a icmp $a $gw0 10.0.0.1 10.0.1.1
wait_for 5 sees c "$gw1 > 02:00:00:00:00:0c.*10.0.0.1 > 10.0.1.1"
frame a icmp $a $gw0 10.0.0.1 10.0.1.99 7
wait_for 5 sees u 'Request who-has 10.0.1.99 tell 10.0.1.254'
wait_for 5 sees c 'Request who-has 10.0.1.99 tell 10.0.1.254'
frame u arp 2 02:00:00:00:00:63 10.0.1.99 $gw1 10.0.1.254 $gw1
wait_for 5 sees u '10.0.0.1 > 10.0.1.99: ICMP echo request, id 1, seq 7' # the packet that asked was kept
equal "MAC_Binding" 'r1 02:00:00:00:00:63' \
    "$(ovn-sbctl --bare --columns=logical_port,mac find mac_binding ip=10.0.1.99 | tr '\n' ' ' | sed 's/ *$//')"
check "settled" ovn-nbctl --timeout=10 --wait=hv sync
frame a icmp $a $gw0 10.0.0.1 10.0.1.99 8
wait_for 5 sees u '10.0.1.99: ICMP echo request, id 1, seq 8'

# What logical flows have become, as the peer tells it; the peer asks in OpenFlow 1.0, where some things read otherwise.
listed() { "$1" --ovs=unix:"$dir/br-int.mgmt" --vflows --uuid lflow-list | sed 's/, packet_type=([^)]*)//; s/ *$//' | sort; }
equal "lflow-list --ovs --vflows" "$(listed ovn-sbctl)" "$(listed "$WEFT_BIN/weft-sbctl")"
has "of one flow, with counters" '    cookie=0x[0-9a-f]*, duration=.*n_packets=[1-9]' \
    "$("$WEFT_BIN/weft-sbctl" --ovs="$dir/br-int.mgmt" --stats lflow-list s0)"
has "trace --ovs" '^    cookie=0x.*actions=' \
    "$("$WEFT_BIN/weft-trace" --ovs="$dir/br-int.mgmt" s0 'inport == "a" && eth.src == 02:00:00:00:00:0a && eth.dst == 02:00:00:00:00:0b')"

flows=$(ovs-ofctl -O OpenFlow15 dump-flows --no-stats "$dir/br-int.mgmt" | sort)
controller_kill
frame a icmp $a $gw0 10.0.0.1 10.0.1.99 9
wait_for 5 sees u 'seq 9' # the switch goes on alone
controller
wait_for 10 ctl connection-status
check "back" ovn-nbctl --timeout=10 --wait=hv sync
has "a restart sends nothing" 'sent: 0 adds, 0 deletes' "$(ctl install/show)"
equal "flows are the same" "$flows" "$(ovs-ofctl -O OpenFlow15 dump-flows --no-stats "$dir/br-int.mgmt" | sort)"
ovs-ofctl -O OpenFlow15 del-flows "$dir/br-int.mgmt" # drift by others
controller_kill
controller
wait_for 10 ctl connection-status
check "back again" ovn-nbctl --timeout=10 --wait=hv sync
equal "flows are restored" "$flows" "$(ovs-ofctl -O OpenFlow15 dump-flows --no-stats "$dir/br-int.mgmt" | sort)"

vs del-port b
wait_for 10 ovn-sbctl --timeout=5 wait-until port_binding b chassis='[]'
check "another chassis" ovn-sbctl chassis-add hv2 geneve 127.0.0.2
wait_for 5 bash -c "ovs-vsctl --db=unix:$dir/db.sock --no-wait show | grep -q 'remote_ip=\"127.0.0.2\"'"
check "chassis gone" ovn-sbctl chassis-del hv2
wait_for 5 bash -c "! ovs-vsctl --db=unix:$dir/db.sock --no-wait show | grep -q 127.0.0.2"
has "verified" 'verified [1-9][0-9]* times, 0 differences' "$(ctl inc/show)"
check "exit" ctl exit
wait_for 5 bash -c "! kill -0 $controller"
equal "chassis is unregistered" "" "$(ovn-sbctl --bare --columns=name list chassis)"
