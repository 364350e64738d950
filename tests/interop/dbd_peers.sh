#!/bin/bash
# Debian's whole stack on our database server: ovn-northd, ovs-vswitchd, ovn-controller, ovn-nbctl, ovn-sbctl and ovs-vsctl,
# unmodified, with weft-dbd serving all three databases.
. "$WEFT_SRC/tests/support/lib.sh"
begin dbd-peers
check "northbound" "$WEFT_BIN/weft-dbctl" create "$dir/nb.db" /usr/share/ovn/ovn-nb.ovsschema
check "southbound" "$WEFT_BIN/weft-dbctl" create "$dir/sb.db" /usr/share/ovn/ovn-sb.ovsschema
check "switch" "$WEFT_BIN/weft-dbctl" create "$dir/conf.db" /usr/share/openvswitch/vswitch.ovsschema
start dbd "$WEFT_BIN/weft-dbd" -vconsole:off --pidfile --remote=punix:ovnnb_db.sock --remote=punix:ovnsb_db.sock \
    --remote=punix:db.sock "$dir/nb.db" "$dir/sb.db" "$dir/conf.db"
wait_for 20 test -S "$dir/db.sock"
export OVN_NB_DB=unix:$dir/ovnnb_db.sock OVN_SB_DB=unix:$dir/ovnsb_db.sock
vsctl() { ovs-vsctl --db="unix:$dir/db.sock" --timeout=20 "$@"; }
nbctl() { ovn-nbctl --timeout=20 "$@"; }
start northd ovn-northd --ovnnb-db="$OVN_NB_DB" --ovnsb-db="$OVN_SB_DB" -vconsole:warn --log-file="$dir/northd.log"
check "ovs-vsctl init" vsctl --no-wait init
start vswitchd ovs-vswitchd "unix:$dir/db.sock" --enable-dummy=override --disable-system -vconsole:warn --log-file="$dir/vswitchd.log"
check "a switch, a port, a router, in the southbound database" nbctl --wait=sb ls-add sw0 -- lsp-add sw0 p0 -- \
    lsp-set-addresses p0 "0a:00:00:00:00:01 10.0.0.1" -- lr-add r0 -- lrp-add r0 rp 0a:00:00:00:ff:01 10.0.0.254/24
has "logical flows" 'ls_in_l2_lkup' "$(ovn-sbctl --timeout=20 lflow-list sw0)"
check "ovs-vsctl add-br" vsctl add-br br0 -- set bridge br0 datapath_type=dummy
check "ovs-vsctl configures the chassis" vsctl set open . external_ids:ovn-remote="$OVN_SB_DB" \
    external_ids:ovn-encap-type=geneve external_ids:ovn-encap-ip=127.0.0.1 external_ids:system-id=hv1
start controller ovn-controller "unix:$dir/db.sock" -vconsole:warn --log-file="$dir/controller.log"
wait_for 20 ovs-vsctl --db="unix:$dir/db.sock" br-exists br-int
check "the port" vsctl add-port br-int p0 -- set interface p0 type=dummy external_ids:iface-id=p0
check "--wait=hv" nbctl --wait=hv sync
wait_for 20 bash -c 'ovn-sbctl --timeout=5 show | grep -q "Port_Binding p0"'
has "the chassis" 'Chassis hv1' "$(ovn-sbctl --timeout=20 show)"
check "--wait=hv after a change" nbctl --wait=hv lsp-set-addresses p0 "0a:00:00:00:00:02 10.0.0.2"
has "flows in the switch" 'dl_dst=0a:00:00:00:00:02' "$(ovs-ofctl dump-flows "unix:$dir/br-int.mgmt")"
has "up" true "$(nbctl lsp-get-up p0 | sed 's/up/true/')"

# The database server is killed and comes back: everybody reconnects and goes on.
kill -9 "${pids[0]}"
wait "${pids[0]}" 2>/dev/null
pids=("${pids[@]:1}")
start dbd "$WEFT_BIN/weft-dbd" -vconsole:off --remote=punix:ovnnb_db.sock --remote=punix:ovnsb_db.sock \
    --remote=punix:db.sock "$dir/nb.db" "$dir/sb.db" "$dir/conf.db"
wait_for 30 ovn-nbctl --timeout=2 --wait=hv sync
check "--wait=hv after the server came back" nbctl --wait=hv lsp-set-addresses p0 "0a:00:00:00:00:03 10.0.0.3"
has "flows in the switch" 'dl_dst=0a:00:00:00:00:03' "$(ovs-ofctl dump-flows "unix:$dir/br-int.mgmt")"
# In the order in which they depend on each other.
for p in "${pids[@]:2:1}" "${pids[@]:0:2}"; do kill "$p"; wait "$p" 2>/dev/null; done
pids=("$started")
