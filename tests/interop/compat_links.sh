#!/bin/bash
# A bring-up script as people wrote it for OVN and Open vSwitch, with the familiar names, starts Weft's programs: databases by
# ovsdb-tool and ovsdb-server, ovs-vswitchd, ovn-northd and ovn-controller on remote databases; and a packet passes.
. "$WEFT_SRC/tests/support/lib.sh"
begin compat
"$WEFT_SRC/tools/compat-links" "$dir/links" "$WEFT_BIN" >/dev/null || exit 1
hv=wcompat-hv a=wcompat-a b=wcompat-b
for ns in $hv $a $b; do ns_new $ns; done
in_hv() { ip netns exec $hv env PATH="$dir/links:$PATH" "$@"; }

vswitch_schema=/usr/share/openvswitch/vswitch.ovsschema
nb_schema=/usr/share/ovn/ovn-nb.ovsschema sb_schema=/usr/share/ovn/ovn-sb.ovsschema
check "ovsdb-tool create" in_hv ovsdb-tool create "$dir/conf.db" $vswitch_schema
check "ovsdb-tool create nb" in_hv ovsdb-tool create "$dir/nb.db" $nb_schema
check "ovsdb-tool create sb" in_hv ovsdb-tool create "$dir/sb.db" $sb_schema
equal "ovsdb-tool db-name" Open_vSwitch "$(in_hv ovsdb-tool db-name "$dir/conf.db")"
check "ovsdb-server" in_hv ovsdb-server --detach --pidfile --no-chdir --log-file -vconsole:off --remote=punix:"$dir/db.sock" \
    --remote=db:Open_vSwitch,Open_vSwitch,manager_options "$dir/conf.db"
check "a second ovsdb-server for NB and SB" in_hv ovsdb-server --detach --pidfile="$dir/ovn-db.pid" --unixctl="$dir/ovn-db.ctl" --log-file="$dir/ovn-db.log" \
    -vconsole:off --remote=punix:"$dir/ovnnb_db.sock" --remote=punix:"$dir/ovnsb_db.sock" --remote=ptcp:16640:127.0.0.1 "$dir/nb.db" "$dir/sb.db"
check "ovs-vsctl --no-wait init" in_hv ovs-vsctl --no-wait init
check "ovs-vswitchd" in_hv ovs-vswitchd --detach --pidfile --log-file -vconsole:off unix:"$dir/db.sock"
check "ovn-northd" in_hv ovn-northd --detach --pidfile --log-file -vconsole:off --ovnnb-db=unix:"$dir/ovnnb_db.sock" --ovnsb-db=unix:"$dir/ovnsb_db.sock"
equal "the name by which ps knows it" ovn-northd "$(cat "/proc/$(cat "$dir/ovn-northd.pid")/comm")"

check "add-br" in_hv ovs-vsctl --may-exist add-br br0
check "add-br twice with --may-exist" in_hv ovs-vsctl --may-exist add-br br0
refuse "add-br twice" 'br0.*already exists|named br0 already exists' in_hv ovs-vsctl add-br br0
for vm in a b; do
    ip link add p$vm netns $hv type veth peer name eth0 netns wcompat-$vm
    ip -n $hv link set p$vm up
    ip -n wcompat-$vm link set eth0 up
done
ip -n $a addr add 10.9.0.1/24 dev eth0
ip -n $b addr add 10.9.0.2/24 dev eth0
check "add-port" in_hv ovs-vsctl add-port br0 pa -- add-port br0 pb
equal "list-ports" "pa
pb" "$(in_hv ovs-vsctl list-ports br0)"
has "show" 'Bridge br0' "$(in_hv ovs-vsctl show)"
has "get ofport" '^[1-9]' "$(in_hv ovs-vsctl get Interface pa ofport)"
has "a port without a device" 'could not open network device nope \(No such device\)' "$(in_hv ovs-vsctl add-port br0 nope 2>&1)"
check "del-port" in_hv ovs-vsctl --if-exists del-port nope
check "NORMAL: ping through the bridge" ip netns exec $a ping -n -c 2 -i 0.2 -W 2 10.9.0.2
in_hv ip addr add 10.9.0.254/24 dev br0 && in_hv ip link set br0 up
check "LOCAL: ping the bridge's own port" ip netns exec $a ping -n -c 2 -i 0.2 -W 2 10.9.0.254
has "ovs-ofctl show" 'n_tables' "$(in_hv ovs-ofctl show br0)"
has "ovs-ofctl dump-flows" 'actions=NORMAL' "$(in_hv ovs-ofctl dump-flows br0)"
has "ovs-appctl -t ovs-vswitchd" 'version' "$(in_hv ovs-appctl -t ovs-vswitchd list-commands)"
has "ovs-appctl by socket" 'ovn-northd|weft' "$(in_hv ovs-appctl -t "$dir"/ovn-northd.*.ctl version)"

# OVN by the familiar names, on the same hypervisor.
check "external_ids for the controller" in_hv ovs-vsctl --no-wait set Open_vSwitch . external_ids:system-id=chassis1 \
    external_ids:ovn-remote=unix:"$dir/ovnsb_db.sock" external_ids:ovn-encap-type=geneve external_ids:ovn-encap-ip=127.0.0.1
check "ovn-controller" in_hv ovn-controller --detach --pidfile --log-file -vconsole:off unix:"$dir/db.sock"
check "ovn-nbctl" in_hv ovn-nbctl ls-add sw0 -- lsp-add sw0 va -- lsp-set-addresses va "0a:00:00:00:00:0a 10.9.1.1" \
    -- lsp-add sw0 vb -- lsp-set-addresses vb "0a:00:00:00:00:0b 10.9.1.2"
check "ports for the VMs" in_hv ovs-vsctl del-port pa -- del-port pb -- add-port br-int pa -- set Interface pa external_ids:iface-id=va \
    -- add-port br-int pb -- set Interface pb external_ids:iface-id=vb
ip -n $a link set eth0 address 0a:00:00:00:00:0a && ip -n $a addr add 10.9.1.1/24 dev eth0
ip -n $b link set eth0 address 0a:00:00:00:00:0b && ip -n $b addr add 10.9.1.2/24 dev eth0
check "ovn-nbctl --wait=hv sync" in_hv ovn-nbctl --timeout=30 --wait=hv sync
check "ping through the logical switch" ip netns exec $a ping -n -c 3 -i 0.2 -W 2 10.9.1.2
has "ovn-sbctl show" 'Chassis.*chassis1' "$(in_hv ovn-sbctl show)"
check "ovn-controller exits and takes its chassis away" in_hv ovs-appctl -t ovn-controller exit
wait_for 10 bash -c "! ip netns exec $hv env PATH=$dir/links:\$PATH ovn-sbctl show | grep -q chassis1"
