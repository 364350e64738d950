# libhypervisors.sh - for interop tests: a network of three subnets and hypervisors of chosen programs, all in namespaces wusr-*.
# Use after lib.sh and begin, in this order: central_up; wire_up; hypervisor NAME ADDRESS ovs|weft ovn|weft; network_add; vm ...; pings.
# Virtual machines are namespaces whose eth0 is one end of a veth pair; the other end is a port of br-int.

central_up() { # weft-northd with both databases
    start northd "$WEFT_BIN/weft-northd" --unixctl="$dir/northd.ctl" --verify
    northd=$started
    wait_for 20 test -S "$dir/ovnsb_db.sock"
    export OVN_NB_DB=unix:$dir/ovnnb_db.sock OVN_SB_DB=unix:$dir/ovnsb_db.sock
}

wire_up() { # the physical network: a Linux bridge
    ns_new wusr-wire
    ip -n wusr-wire link add br0 type bridge && ip -n wusr-wire link set br0 up
}

vs() { # HYPERVISOR ARGUMENT...
    local hv=$1
    shift
    ovs-vsctl --db="unix:$dir/$hv/db.sock" --timeout=10 "$@"
}

hypervisor() { # NAME ADDRESS SWITCH CONTROLLER: ovs|weft and ovn|weft, in namespace wusr-NAME; what runs there uses $dir/NAME
    local hv=$1 address=$2 in="ip netns exec wusr-$1 env" where=eth0
    mkdir "$dir/$hv"
    in+=" OVS_RUNDIR=$dir/$hv OVN_RUNDIR=$dir/$hv WEFT_RUNDIR=$dir/$hv OVS_DBDIR=$dir/$hv WEFT_DBDIR=$dir/$hv"
    ns_new "wusr-$hv"
    ip link add "w-$hv" netns wusr-wire type veth peer name eth0 netns "wusr-$hv"
    ip -n wusr-wire link set "w-$hv" master br0 up
    ip -n "wusr-$hv" link set eth0 up
    if [ "$3" = weft ]; then
        start "switch-$hv" $in "$WEFT_BIN/weft-switchd" --unixctl="$dir/$hv/switch.ctl"
        wait_for 20 test -S "$dir/$hv/db.sock"
        vs "$hv" --no-wait init
    else
        ovsdb-tool create "$dir/$hv/conf.db" /usr/share/openvswitch/vswitch.ovsschema
        start "ovsdb-$hv" $in ovsdb-server --remote="punix:$dir/$hv/db.sock" --unixctl="$dir/$hv/ovsdb.ctl" "$dir/$hv/conf.db"
        wait_for 10 test -S "$dir/$hv/db.sock"
        vs "$hv" --no-wait init
        start "switch-$hv" $in ovs-vswitchd --disable-system --unixctl="$dir/$hv/switch.ctl" "unix:$dir/$hv/db.sock"
        # its tunnels leave through a bridge of the same kind of datapath, which holds the address
        vs "$hv" add-br br-phys -- set bridge br-phys datapath_type=netdev -- add-port br-phys eth0
        where=br-phys
    fi
    ip -n "wusr-$hv" addr add "$address/24" dev $where
    ip -n "wusr-$hv" link set $where up
    vs "$hv" --no-wait set open . external_ids:system-id="$hv" external_ids:ovn-remote="$OVN_SB_DB" \
        external_ids:ovn-encap-type=geneve external_ids:ovn-encap-ip="$address" external_ids:ovn-bridge-datapath-type=netdev
    controller "$hv" "$4"
    wait_for 20 vs "$hv" br-exists br-int || exit 1
}

controller() { # HYPERVISOR ovn|weft
    local run="ip netns exec wusr-$1 env OVS_RUNDIR=$dir/$1 OVN_RUNDIR=$dir/$1 WEFT_RUNDIR=$dir/$1"
    rm -f "$dir/$1/controller.ctl"
    if [ "$2" = weft ]; then
        start "controller-$1" $run "$WEFT_BIN/weft-controller" --unixctl="$dir/$1/controller.ctl" --verify "unix:$dir/$1/db.sock"
    else
        start "controller-$1" $run ovn-controller "unix:$dir/$1/db.sock"
        ln -sf "ovn-controller.$started.ctl" "$dir/$1/controller.ctl" # it has no option for the name
    fi
}

network_add() { # s0 (10.0.0.0/24: v1, v2) and s1 (10.0.1.0/24: v3, v4 whose address northd does not know), router r between them
    local s p
    ovn-nbctl lr-add r
    for s in 0 1; do
        ovn-nbctl ls-add s$s -- lrp-add r r$s 02:00:00:00:ff:0$s 10.0.$s.254/24 \
            -- lsp-add s$s s${s}r -- lsp-set-type s${s}r router -- lsp-set-addresses s${s}r router \
            -- lsp-set-options s${s}r router-port=r$s
    done
    ovn-nbctl lsp-add s0 v1 -- lsp-set-addresses v1 "02:00:00:00:00:01 10.0.0.1" \
        -- lsp-add s0 v2 -- lsp-set-addresses v2 "02:00:00:00:00:02 10.0.0.2" \
        -- lsp-add s1 v3 -- lsp-set-addresses v3 "02:00:00:00:00:03 10.0.1.3" \
        -- lsp-add s1 v4 -- lsp-set-addresses v4 unknown
}

vm() { # NAME HYPERVISOR ADDRESS GATEWAY: its MAC ends in the number of the name
    ns_new "wusr-$1"
    ip link add "p-$1" netns "wusr-$2" type veth peer name eth0 netns "wusr-$1"
    ip -n "wusr-$2" link set "p-$1" up
    ip -n "wusr-$1" link set eth0 address "02:00:00:00:00:0${1#v}" mtu 1400 up
    # the userspace datapath does not finish checksums that a veth pair leaves to the hardware it has not
    ip netns exec "wusr-$1" ethtool -K eth0 tx off >/dev/null 2>&1
    ip -n "wusr-$1" addr add "$3/24" dev eth0
    ip -n "wusr-$1" route add default via "$4"
    vs "$2" --no-wait add-port br-int "p-$1" -- set interface "p-$1" external_ids:iface-id="$1"
}

machines() { # HYPERVISOR of v1 and v3, HYPERVISOR of v2 and v4
    vm v1 "$1" 10.0.0.1 10.0.0.254
    vm v2 "$2" 10.0.0.2 10.0.0.254
    vm v3 "$1" 10.0.1.3 10.0.1.254
    vm v4 "$2" 10.0.1.4 10.0.1.254
    local p
    for p in v1 v2 v3 v4; do wait_for 20 ovn-nbctl --timeout=5 wait-until logical_switch_port $p up=true || exit 1; done
    equal "v1 is bound to $1" "$1" "$(claimed v1)"
    equal "v4 is bound to $2" "$2" "$(claimed v4)"
    check "every hypervisor has done its work" ovn-nbctl --timeout=20 --wait=hv sync
}

claimed() { # PORT: the name of the chassis that has it
    ovn-sbctl --bare --columns=name list chassis "$(ovn-sbctl --bare --columns=chassis find port_binding logical_port="$1")"
}

ping_from() { # VM ADDRESS [ARGUMENT...]
    local from=$1
    shift
    ip netns exec "wusr-$from" ping -n -q -c 3 -i 0.2 -W 2 "$@"
}

pings() { # [AFTER WHAT]: every way through the network. The first packets of a tunnel may wait for the tunnel's own ARP.
    wait_for 15 ip netns exec wusr-v1 ping -c 1 -W 1 10.0.0.2 || exit 1
    check "ping on one switch${1:-}" ping_from v1 10.0.0.2
    check "and back${1:-}" ping_from v2 10.0.0.1
    check "ping with large packets${1:-}" ping_from v1 -M do -s 1300 10.0.0.2
    check "ping to the router${1:-}" ping_from v1 10.0.0.254
    check "ping to the router's other address${1:-}" ping_from v2 10.0.1.254
    check "ping through the router${1:-}" ping_from v1 10.0.1.3
    check "ping through the router, the other way${1:-}" ping_from v3 10.0.0.2
    wait_for 15 ip netns exec wusr-v1 ping -c 1 -W 1 10.0.1.4
    check "ping to an address that the router asks for${1:-}" ping_from v1 10.0.1.4
    check "and from it${1:-}" ping_from v4 10.0.0.2
}
