#!/bin/bash
# weft-northd as the only part of Weft: two hypervisors of Debian's unmodified ovs-vswitchd (userspace datapath) and ovn-controller under
# it, real packets between machines, and weft-northd killed meanwhile.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/interop/libhypervisors.sh"
begin our-northd
central_up
wire_up
hypervisor h1 192.168.79.1 ovs ovn
hypervisor h2 192.168.79.2 ovs ovn
network_add
machines h1 h2
pings
equal "the address that was asked for" "r1 02:00:00:00:00:04" \
    "$(ovn-sbctl --bare --columns=logical_port,mac find mac_binding ip=10.0.1.4 | xargs)"

# northd gone: the network stays; northd back: the hypervisors find it again and changes arrive
kill -KILL "$northd"
wait "$northd" 2>/dev/null
pids=("${pids[@]/$northd/}")
pids=(${pids[@]})
check "ping without northd" ping_from v1 10.0.1.3
rm -f "$dir/ovnnb_db.sock" "$dir/ovnsb_db.sock"
central_up
check "hypervisors are back" ovn-nbctl --timeout=30 --wait=hv sync
pings " after weft-northd was killed"
ovn-nbctl --timeout=20 --wait=hv lsp-del v3
check "a port that is deleted does not answer" bash -c "! ip netns exec wusr-v1 ping -c 2 -i 0.2 -W 1 10.0.1.3"
check "northd's incremental state is what a fresh compute gives" ovn-nbctl --timeout=20 --wait=sb sync # --verify ends it otherwise
check "by the same process" kill -0 "$northd"
