#!/bin/bash
# Debian's unmodified ovn-controller between weft-northd and weft-switchd, on two hypervisors: it makes br-int, claims ports, installs its
# flows over OpenFlow, answers the packets that the switch sends it; then it is killed, and started again.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/interop/libhypervisors.sh"
begin ovn-controller
central_up
wire_up
hypervisor h1 192.168.79.1 weft ovn
hypervisor h2 192.168.79.2 weft ovn
network_add
machines h1 h2
pings
equal "the address that was asked for" "r1 02:00:00:00:00:04" \
    "$(ovn-sbctl --bare --columns=logical_port,mac find mac_binding ip=10.0.1.4 | xargs)"
has "the switch has its flows" 'table=' "$(OVS_RUNDIR=$dir/h1 ovs-ofctl -O OpenFlow15 dump-flows br-int)"

for h in h1 h2; do
    check "ovn-controller of $h ends" ovs-appctl -t "$dir/$h/controller.ctl" exit --restart
done
check "the switches go on alone" ping_from v1 10.0.0.2
check "through the router too" ping_from v1 10.0.1.3
for h in h1 h2; do controller $h ovn; done
for p in v1 v2 v3 v4; do wait_for 20 ovn-nbctl --timeout=5 wait-until logical_switch_port $p up=true; done
check "both are back" ovn-nbctl --timeout=30 --wait=hv sync
pings " after a restart"
vs h2 --no-wait del-port p-v2
wait_for 20 ovn-sbctl --timeout=5 wait-until port_binding v2 'chassis=[]'
check "northd's incremental state is what a fresh compute gives" ovn-nbctl --timeout=20 --wait=sb sync # --verify ends it otherwise
check "by the same process" kill -0 "$northd"
