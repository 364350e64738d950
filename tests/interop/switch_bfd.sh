#!/bin/bash
# A Geneve tunnel between weft-switchd and Debian's ovs-vswitchd: options of up to 124 bytes both ways, then BFD: what the database says, and
# what lives by it.
. "$WEFT_SRC/tests/support/lib.sh"
begin switch-bfd
for hv in a b; do ns_new wbfd-$hv && mkdir "$dir/$hv"; done
ip link add eth0 netns wbfd-a type veth peer name eth0 netns wbfd-b
for hv in a b; do ip -n wbfd-$hv link set eth0 up; done
at() { # SWITCH COMMAND...: in its namespace and run directory
    local hv=$1
    shift
    ip netns exec wbfd-$hv env OVS_RUNDIR="$dir/$hv" OVS_DBDIR="$dir/$hv" WEFT_RUNDIR="$dir/$hv" WEFT_DBDIR="$dir/$hv" "$@"
}
vs() { local hv=$1; shift; ovs-vsctl --db="unix:$dir/$hv/db.sock" --timeout=10 "$@"; }
start switch-a ip netns exec wbfd-a env OVS_RUNDIR="$dir/a" WEFT_RUNDIR="$dir/a" "$WEFT_BIN/weft-switchd" --db="$dir/a/conf.db" --unixctl="$dir/a/ctl"
wait_for 20 test -S "$dir/a/db.sock"
at b ovsdb-tool create "$dir/b/conf.db" /usr/share/openvswitch/vswitch.ovsschema
start ovsdb-b ip netns exec wbfd-b env OVS_RUNDIR="$dir/b" ovsdb-server --remote="punix:$dir/b/db.sock" --unixctl="$dir/b/db.ctl" "$dir/b/conf.db"
wait_for 20 test -S "$dir/b/db.sock"
for hv in a b; do vs $hv --no-wait init; done
start_peer() {
    start switch-b ip netns exec wbfd-b env OVS_RUNDIR="$dir/b" ovs-vswitchd --disable-system --unixctl="$dir/b/ctl" "unix:$dir/b/db.sock"
    peer=$started
    wait_for 20 ip -n wbfd-b link show br-phys
    ip -n wbfd-b addr replace 172.31.8.2/24 dev br-phys
    ip -n wbfd-b link set br-phys up
}
ip -n wbfd-a addr add 172.31.8.1/24 dev eth0
vs b --no-wait add-br br-phys -- set bridge br-phys datapath_type=netdev -- add-port br-phys eth0
start_peer
# min_rx and min_tx are short, so that the test is.
bfd="bfd:enable=true bfd:min_rx=500 bfd:min_tx=500"
vs b add-br br0 -- set bridge br0 datapath_type=netdev fail-mode=secure -- add-port br0 t -- set interface t type=geneve options:remote_ip=172.31.8.1 options:key=flow ofport_request=5 $bfd
check "tunnel with BFD" vs a add-br br0 -- set bridge br0 fail-mode=secure -- add-port br0 t -- set interface t type=geneve options:remote_ip=172.31.8.2 options:key=flow ofport_request=5 $bfd
status() { vs "$1" get interface t "bfd_status:$2" 2>/dev/null | tr -d '"'; } # SWITCH KEY
is() { [ "$(status "$1" "$2")" = "$3" ]; }                                  # SWITCH KEY VALUE
check "up here" wait_for 20 is a state up
check "up there" wait_for 20 is b state up
check "and heard to be" wait_for 10 is a remote_state up
equal "forwarding" true "$(status a forwarding)"
equal "diagnostic" "No Diagnostic" "$(status a diagnostic)"
show=$(ovs-appctl -t "$dir/a/ctl" bfd/show t)
has "bfd/show" 'Local Session State: up' "$show"
equal "bfd/show has the peer's lines" "$(ovs-appctl -t "$dir/b/ctl" bfd/show t | sed 's/:.*//')" "$(sed 's/:.*//' <<<"$show")"
check "intervals are agreed on" wait_for 10 bash -c "ovs-appctl -t $dir/a/ctl bfd/show t | grep -q 'TX Interval: Approx 500ms'"

# Options: a packet that has five crosses the tunnel, is recognised by all their bits, and goes back with two of them changed.
hex() { printf '0x%s' "$(printf "$1%.0s" $(seq "$2"))"; } # BYTE TIMES
wide=$(hex ab 124) other=$(hex cd 124) near=$(hex ab 123)aa twelve=0x112233445566778899aabbcc twenty=$(hex 5e 20)
maps='{class=0x102,type=0x80,len=4}->tun_metadata0,{class=0x102,type=1,len=12}->tun_metadata1,{class=0x102,type=2,len=124}->tun_metadata2,{class=0x102,type=3,len=0}->tun_metadata9,{class=0x102,type=4,len=20}->tun_metadata63'
mac=02:00:00:00:00
for hv in a b; do
    check "options of $hv" at $hv ovs-ofctl add-tlv-map br0 "$maps"
    check "flows of $hv" at $hv ovs-ofctl add-flows br0 - <<EOF
cookie=1,priority=9,in_port=5,dl_dst=$mac:01,tun_metadata0=0x11223344,tun_metadata1=$twelve,tun_metadata2=$wide,tun_metadata9,tun_metadata63=$twenty,actions=set_field:$mac:02->dl_dst,set_field:$other->tun_metadata2,move:NXM_NX_TUN_METADATA1[0..95]->NXM_NX_TUN_METADATA63[8..103],in_port
cookie=2,priority=9,in_port=5,dl_dst=$mac:02,tun_metadata0=0x11223344,tun_metadata2=$other,tun_metadata9,tun_metadata63=0x$(printf 5e%.0s $(seq 7))${twelve#0x}5e,actions=drop
cookie=3,priority=8,in_port=5,dl_dst=$mac:00/ff:ff:ff:ff:ff:00,tun_metadata2=$near,actions=drop
cookie=4,priority=7,in_port=5,dl_dst=$mac:00/ff:ff:ff:ff:ff:00,actions=drop
EOF
done
send() { # SWITCH OPTION: a packet with tun_metadata2 being OPTION
    at $1 ovs-ofctl packet-out br0 "in_port=local packet=${mac//:}0102000000aa001234$(printf 00%.0s $(seq 46)) actions=set_field:0x11223344->tun_metadata0,set_field:$twelve->tun_metadata1,set_field:$2->tun_metadata2,set_field:0->tun_metadata9,set_field:$twenty->tun_metadata63,output:5"
}
counts() { at $1 ovs-ofctl dump-flows br0 | sed -n 's/.*cookie=0x\([0-9]\).*n_packets=\([0-9]*\).*/\1:\2/p' | sort | tr '\n' ' '; }
counted() { [ "$(counts $1)" = "$2" ]; } # SWITCH COUNTS
for hv in a b; do
    check "packets of $hv with options" send $hv $wide
    check "and another one" send $hv $wide
    check "and one that differs in a bit" send $hv $near
done
for hv in a b; do
    wait_for 15 counted $hv '1:2 2:2 3:1 4:0 '
    equal "what $hv has met, answers among it" '1:2 2:2 3:1 4:0 ' "$(counts $hv)"
    at $hv ovs-ofctl del-flows br0
done

# A group follows the session: another port while the tunnel is not live.
vs a add-port br0 other -- set interface other type=internal ofport_request=6
ofc() { at a ovs-ofctl -O OpenFlow13 "$@"; }
check "group" ofc add-group br0 'group_id=1,type=ff,bucket=watch_port:5,actions=set_field:9->tun_id,output:5,bucket=watch_port:6,actions=output:6'
check "flow" ofc add-flow br0 'in_port=7,actions=group:1'
trace() { ovs-appctl -t "$dir/a/ctl" ofproto/trace br0 in_port=7,ip | tail -1; }
ip -n wbfd-a link set other up
wait_for 10 bash -c "OVS_RUNDIR=$dir/a ovs-ofctl -O OpenFlow13 dump-ports-desc br0 | grep -A3 '6(other)' | grep -q LIVE"
has "the group uses the tunnel" 'tunnel\(.*172.31.8.2' "$(trace)"
has "port is live" 'LIVE' "$(ofc dump-ports-desc br0 | grep -A3 '5(t)')"
kill -STOP $peer # nothing is closed, it only says nothing more
check "silence is noticed" wait_for 10 is a state down
equal "why" "Control Detection Time Expired" "$(status a diagnostic)"
has "the group uses the other port" 'Datapath actions: [0-9]+$' "$(trace)"
has "port is not live" 'state: *0$' "$(ofc dump-ports-desc br0 | grep -A3 '5(t)')"
kill -CONT $peer
check "up again" wait_for 20 is a state up
check "flaps are counted" [ "$(status a flap_count)" -ge 3 ]
check "the peer's word is heard" vs b set interface t bfd:cpath_down=true
check "concatenated path down" wait_for 10 is a remote_diagnostic "Concatenated Path Down"
equal "it does not forward" false "$(status a forwarding)"
vs b remove interface t bfd cpath_down
check "forwarding again" wait_for 10 is a forwarding true
check "bfd/set-forwarding" ovs-appctl -t "$dir/a/ctl" bfd/set-forwarding t false
check "as it was told" wait_for 10 is a forwarding false
check "bfd/set-forwarding normal" ovs-appctl -t "$dir/a/ctl" bfd/set-forwarding normal
check "the peer ends its session" vs b set interface t bfd:enable=false
check "down" wait_for 10 is a state down
check "BFD off here" vs a set interface t bfd:enable=false
check "no status" wait_for 10 bash -c "[ \"\$(ovs-vsctl --db=unix:$dir/a/db.sock get interface t bfd_status)\" = '{}' ]"
finish
