#!/bin/bash
# arp_hop.sh ours|peer N: for tools/bench seeds: milliseconds that the first packet of each of N destinations needs through a router that must
# find its MAC by ARP; one hypervisor, all programs of one kind: Weft's, or Debian's OVN and Open vSwitch. The answer goes back at once.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/interop/libhypervisors.sh"
begin bench-arp-hop
central_of_ovn() {
    for db in nb sb; do
        ovsdb-tool create "$dir/$db.db" "/usr/share/ovn/ovn-$db.ovsschema"
        start ovsdb-$db ovsdb-server --remote="punix:$dir/ovn${db}_db.sock" --unixctl="$dir/$db.ctl" "$dir/$db.db"
        wait_for 10 test -S "$dir/ovn${db}_db.sock"
    done
    export OVN_NB_DB=unix:$dir/ovnnb_db.sock OVN_SB_DB=unix:$dir/ovnsb_db.sock
    start northd ovn-northd --ovnnb-db="$OVN_NB_DB" --ovnsb-db="$OVN_SB_DB" --unixctl="$dir/northd.ctl"
}
controller_of_weft() { # without --verify, which a figure does not want
    start controller-hv ip netns exec wusr-hv env OVS_RUNDIR="$dir/hv" OVN_RUNDIR="$dir/hv" WEFT_RUNDIR="$dir/hv" "$WEFT_BIN/weft-controller" --unixctl="$dir/hv/controller.ctl" "unix:$dir/hv/db.sock"
}
wire_up
if [ "$1" = ours ]; then
    start northd "$WEFT_BIN/weft-northd" --unixctl="$dir/northd.ctl"
    wait_for 20 test -S "$dir/ovnsb_db.sock"
    export OVN_NB_DB=unix:$dir/ovnnb_db.sock OVN_SB_DB=unix:$dir/ovnsb_db.sock
    controller() { controller_of_weft; }
    hypervisor hv 172.31.8.1 weft weft
else
    central_of_ovn
    hypervisor hv 172.31.8.1 ovs ovn
fi
network_add
machines hv hv
for i in $(seq "$2"); do ip -n wusr-v4 addr add "10.0.1.$((100 + i))/32" dev eth0; done
ip -n wusr-v4 neigh replace 10.0.1.254 lladdr 02:00:00:00:ff:01 dev eth0 nud permanent
ip -n wusr-v1 neigh replace 10.0.0.254 lladdr 02:00:00:00:ff:00 dev eth0 nud permanent
for i in $(seq "$2"); do
    ip netns exec wusr-v1 ping -n -c 1 -W 5 "10.0.1.$((100 + i))" | sed -n 's/.*time=\([0-9.]*\) ms/first \1/p'
    ip netns exec wusr-v1 ping -n -c 3 -i 0.2 -W 5 "10.0.1.$((100 + i))" | sed -n '$ s/.* = [0-9.]*\/\([0-9.]*\).*/later \1/p'
done
