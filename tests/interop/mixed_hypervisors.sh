#!/bin/bash
# Two hypervisors, one of Weft (weft-switchd, weft-controller) and one of Debian (ovs-vswitchd, ovn-controller), under one weft-northd:
# logical flows, tunnel keys, Geneve metadata and MAC_Binding rows are understood on both sides.
. "$WEFT_SRC/tests/support/lib.sh"
begin mixed
ours=wmix-a theirs=wmix-b
ns_new $ours && ns_new $theirs
ip link add eth0 netns $ours type veth peer name eth0 netns $theirs
ip netns exec $ours ethtool -K eth0 tx off >/dev/null # the datapath of Open vSwitch in user space does not take checksums that a card would finish
for ns in $ours $theirs; do ip -n $ns link set eth0 up; done
ip -n $ours addr add 192.168.78.1/24 dev eth0
mkdir "$dir/a" "$dir/b"
export OVN_NB_DB=unix:$dir/ovnnb_db.sock OVN_SB_DB=unix:$dir/ovnsb_db.sock
va() { ovs-vsctl --db="unix:$dir/a/db.sock" --no-wait "$@"; }
vb() { ovs-vsctl --db="unix:$dir/b/db.sock" "$@"; }
frame() { ovs-appctl -t "$dir/$1/switch.ctl" netdev-dummy/receive "$2" "$("$WEFT_SRC/tests/support/frames.py" "${@:3}")"; }
sees() { tcpdump -nn -e -r "$dir/$1.pcap" 2>/dev/null | grep -E -- "$2" >/dev/null; }
# sends until it arrives: the first packets of a tunnel may wait for its own ARP
until_seen() { # WHAT WHERE PATTERN HYPERVISOR PORT FRAME...
    local what=$1 where=$2 pattern=$3 end=$((SECONDS + 10))
    shift 3
    until sees "$where" "$pattern"; do
        [ $SECONDS -lt $end ] || { check "$what" sees "$where" "$pattern"; return; }
        frame "$@" >/dev/null
        sleep 0.2
    done
    echo "ok    $what"
}

start northd "$WEFT_BIN/weft-northd" --unixctl="$dir/northd.ctl"
wait_for 20 test -S "$dir/ovnsb_db.sock"

# ours
start switchd env WEFT_RUNDIR="$dir/a" WEFT_DBDIR="$dir/a" ip netns exec $ours "$WEFT_BIN/weft-switchd" --unixctl="$dir/a/switch.ctl"
wait_for 20 test -S "$dir/a/db.sock"
va init -- set open . external_ids:system-id=ours external_ids:ovn-remote="$OVN_SB_DB" external_ids:ovn-encap-type=geneve \
    external_ids:ovn-encap-ip=192.168.78.1
start controller env WEFT_RUNDIR="$dir/a" ip netns exec $ours "$WEFT_BIN/weft-controller" --unixctl="$dir/a/controller.ctl" --verify

# theirs
export OVS_RUNDIR=$dir/b OVN_RUNDIR=$dir/b
ovsdb-tool create "$dir/b/conf.db" /usr/share/openvswitch/vswitch.ovsschema
start ovsdb ip netns exec $theirs ovsdb-server --remote="punix:$dir/b/db.sock" --unixctl="$dir/b/ovsdb.ctl" "$dir/b/conf.db"
wait_for 10 test -S "$dir/b/db.sock"
vb --no-wait init
start vswitchd ip netns exec $theirs ovs-vswitchd --enable-dummy --unixctl="$dir/b/switch.ctl" "unix:$dir/b/db.sock"
check "their switch" vb --timeout=10 add-br br-phys -- set bridge br-phys datapath_type=netdev -- add-port br-phys eth0
ip -n $theirs addr add 192.168.78.2/24 dev br-phys
ip -n $theirs link set br-phys up
vb --no-wait set open . external_ids:system-id=theirs external_ids:ovn-remote="$OVN_SB_DB" external_ids:ovn-encap-type=geneve \
    external_ids:ovn-encap-ip=192.168.78.2 external_ids:ovn-bridge-datapath-type=netdev
start ovn-controller ip netns exec $theirs ovn-controller "unix:$dir/b/db.sock"
wait_for 20 vb --no-wait br-exists br-int
wait_for 20 va br-exists br-int

ovn-nbctl ls-add s0 -- lsp-add s0 a -- lsp-set-addresses a "02:00:00:00:00:0a 10.0.0.1" \
    -- lsp-add s0 b -- lsp-set-addresses b "02:00:00:00:00:0b 10.0.0.2" \
    -- ls-add s1 -- lsp-add s1 c -- lsp-set-addresses c "02:00:00:00:00:0c 10.0.1.1" \
    -- lsp-add s1 u -- lsp-set-addresses u unknown -- lsp-add s1 v -- lsp-set-addresses v unknown \
    -- lr-add r -- lrp-add r r0 02:00:00:00:ff:00 10.0.0.254/24 -- lrp-add r r1 02:00:00:00:ff:01 10.0.1.254/24 \
    -- lsp-add s0 s0r -- lsp-set-type s0r router -- lsp-set-addresses s0r router -- lsp-set-options s0r router-port=r0 \
    -- lsp-add s1 s1r -- lsp-set-type s1r router -- lsp-set-addresses s1r router -- lsp-set-options s1r router-port=r1
for p in a c v; do va add-port br-int $p -- set interface $p type=dummy options:tx_pcap="$dir/$p.pcap" external_ids:iface-id=$p; done
for p in b u; do vb --no-wait add-port br-int $p -- set interface $p type=dummy options:tx_pcap="$dir/$p.pcap" external_ids:iface-id=$p; done
for p in a b c u v; do wait_for 20 ovn-nbctl --timeout=5 wait-until logical_switch_port $p up=true; done
check "both report" ovn-nbctl --timeout=20 --wait=hv sync

a=02:00:00:00:00:0a b=02:00:00:00:00:0b gw0=02:00:00:00:ff:00 gw1=02:00:00:00:ff:01
until_seen "a to b, ours to theirs" b '10.0.0.1 > 10.0.0.2: ICMP' a a icmp $a $b 10.0.0.1 10.0.0.2
until_seen "b to a, theirs to ours" a '10.0.0.2 > 10.0.0.1: ICMP' b b icmp $b $a 10.0.0.2 10.0.0.1
until_seen "broadcast from theirs" a 'who-has 10.0.0.77 tell 10.0.0.2' b b arp 1 $b 10.0.0.2 00:00:00:00:00:00 10.0.0.77
until_seen "broadcast from ours" b 'who-has 10.0.0.78 tell 10.0.0.1' a a arp 1 $a 10.0.0.1 00:00:00:00:00:00 10.0.0.78
until_seen "their router answers" b '10.0.0.254 > 10.0.0.2: ICMP echo reply' b b icmp $b $gw0 10.0.0.2 10.0.0.254
until_seen "routed, theirs to ours" c "$gw1 > 02:00:00:00:00:0c.*10.0.0.2 > 10.0.1.1: ICMP" b b icmp $b $gw0 10.0.0.2 10.0.1.1
# asked here, answered there: the row of MAC_Binding that theirs writes releases the packet that waits with ours
until_seen "our router asks on their side" u 'who-has 10.0.1.98 tell 10.0.1.254' a a icmp $a $gw0 10.0.0.1 10.0.1.98
until_seen "answered through theirs" u "02:00:00:00:00:62.*10.0.0.1 > 10.0.1.98: ICMP" b u arp 2 02:00:00:00:00:62 10.0.1.98 $gw1 10.0.1.254 $gw1
# and the other way round
until_seen "their router asks on our side" v 'who-has 10.0.1.97 tell 10.0.1.254' b b icmp $b $gw0 10.0.0.2 10.0.1.97
frame a v arp 2 02:00:00:00:00:61 10.0.1.97 $gw1 10.0.1.254 $gw1
until_seen "answered through ours" v "02:00:00:00:00:61.*10.0.0.2 > 10.0.1.97: ICMP" b b icmp $b $gw0 10.0.0.2 10.0.1.97
equal "both rows" "10.0.1.97 10.0.1.98" "$(ovn-sbctl --bare --columns=ip list mac_binding | grep 10.0.1 | sort | tr '\n' ' ' | sed 's/ $//')"
has "verified" ' 0 differences' "$(ovs-appctl -t "$dir/a/controller.ctl" inc/show)"
has "no flow was refused" ' 0 refused' "$(ovs-appctl -t "$dir/a/controller.ctl" install/show)"
