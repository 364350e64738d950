#!/bin/bash
# Unfinished checksums and large segments on their way through the switch, every packet on every leg looked at (liboffload.py): plain, IPv6, VLAN,
# routed by flows, translated by the connection tracker, flooded, through Geneve and VXLAN; senders with and without offloads, and a
# receiver that cannot take them. Machines a and b hang on switch h1, c on h2.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-offload
switch_up h1
switch_up h2
ip link add u1 netns wswh1 type veth peer name u2 netns wswh2
for i in 1 2; do
    ip -n wswh$i addr add 172.31.9.$i/24 dev u$i
    ip -n wswh$i link set u$i mtu 1600 up
done
ip link add t1 netns wswh1 type veth peer name t2 netns wswh2
n=0
for m in h1:a h1:b h2:c; do
    n=$((n + 1))
    machine "${m%:*}" "${m#*:}" 10.9.0.$n/24
    ns=wsw${m#*:}
    ip -n "$ns" link set eth0 address 0a:00:00:00:00:0$n
    ip -n "$ns" addr add fd00:9::$n/64 dev eth0 nodad
    ip -n "$ns" neigh add 10.9.0.99 lladdr 0a:00:00:00:00:02 dev eth0
    ip -n "$ns" neigh add fd00:9::99 lladdr 0a:00:00:00:00:02 dev eth0
done
check "bridges" vsctl h1 add-br br0 -- add-port br0 pa -- set interface pa ofport_request=1 -- add-port br0 pb -- set interface pb ofport_request=2
check "bridge of c" vsctl h2 add-br br0 -- add-port br0 pc -- set interface pc ofport_request=1
for i in 1 2; do
    check "tunnels $i" vsctl h$i add-port br0 g0 -- set interface g0 type=geneve options:remote_ip=172.31.9.$((3 - i)) options:key=7 options:csum=true ofport_request=9 \
        -- add-port br0 t$i -- set interface t$i ofport_request=3 -- add-port br0 v0 -- set interface v0 type=vxlan options:remote_ip=172.31.9.$((3 - i)) options:key=7 ofport_request=8
done
flows() { # SWITCH FLOW...: these and no others
    local s=$1
    shift
    check "flows of $s" bash -c "printf '%s\n' $(printf "'%s' " "$@") | OVS_RUNDIR=$dir/$s ovs-ofctl -O OpenFlow15 --bundle replace-flows br0 -"
}
send() { # WHAT KIND TO ADDRESS LEG...: from machine a
    check "$1" python3 "$WEFT_SRC/tests/system/liboffload.py" "$2" wswa "wsw$3" "${@:4}"
}
offloads() { # NS DEVICE on|off
    ip netns exec "$1" ethtool -K "$2" tx "$3" tso "$3" gso "$3" tx-udp-segmentation "$3" >/dev/null
}

both() { # SENDER-FORM END-FORM SUFFIX: on one hypervisor; a suffix makes it short
    local in=wswh1,pa,1500,$1 out=wswb,eth0,1500,$2
    flows h1 in_port=1,actions=2 in_port=2,actions=1
    send "TCP$3" tcp b 10.9.0.2 $in $out
    send "TCP over IPv6$3" tcp b fd00:9::2 $in $out
    send "UDP$3" udp b 10.9.0.2 ${in/whole/cut} ${out/whole/cut}
    send "UDP, many in one$3" udp-gso b 10.9.0.2 $in $out
    if [ -z "$3" ]; then
        send "the same over IPv6" udp-gso b fd00:9::2 $in $out
        local sets='set_field:0a:00:00:00:00:02->eth_dst,dec_ttl'
        flows h1 in_port=1,ip,actions=$sets,2 in_port=1,ipv6,actions=$sets,2 in_port=1,arp,actions=2 in_port=2,actions=1
        send "routed" tcp b 10.9.0.2 $in $out
        flows h1 in_port=1,actions=flood in_port=2,actions=1
        send "flooded, through tunnels too" tcp b 10.9.0.2 $in $out
    fi
    local track='ct(table=1,zone=1,nat)'
    flows h1 "priority=9,arp,actions=normal" "priority=9,icmp6,actions=normal" "ip,actions=$track" "ipv6,actions=$track" \
        'table=1,in_port=1,ct_state=+new,ip,actions=ct(commit,zone=1,nat(dst=10.9.0.2)),2' \
        'table=1,in_port=1,ct_state=+new,ipv6,actions=ct(commit,zone=1,nat(dst=fd00:9::2)),2' \
        'table=1,in_port=1,ct_state=-new,actions=2' 'table=1,in_port=2,actions=1'
    send "translated by the tracker$3" tcp b 10.9.0.99 $in $out
    send "the same over IPv6$3" tcp b fd00:9::99 $in $out
    send "UDP, translated, many in one$3" udp-gso b 10.9.0.99 $in $out
}

vlan() { # SENDER-FORM TRUNK-FORM SUFFIX: over a link between the hypervisors
    local h legs="wswh1,pa,1500,$1 wswh2,t2,1500,$2 wswc,eth0,1500,$2" tag='set_field:4103->vlan_vid'
    for h in h1 h2; do flows $h "in_port=1,actions=push_vlan:0x8100,$tag,3" in_port=3,dl_vlan=7,actions=pop_vlan,1; done
    send "TCP in a VLAN$3" tcp c 10.9.0.3 $legs
    send "TCP over IPv6 in a VLAN$3" tcp c fd00:9::3 $legs
    send "UDP in a VLAN, many in one$3" udp-gso c 10.9.0.3 $legs
}

tunnel() { # SENDER-FORM SUFFIX; Geneve has checksums, without which the kernel does not cut datagrams
    local h t in=wswh1,pa,1500,$1 under end
    for t in 9:Geneve 8:VXLAN; do
        under=wswh2,u2,1600,any end=wswc,eth0,1500,any
        [ "$1$t" = whole9:Geneve ] && under=wswh2,u2,1600,whole end=wswc,eth0,1500,whole
        for h in h1 h2; do flows $h in_port=1,actions=${t%:*} in_port=${t%:*},actions=1; done
        send "TCP through ${t#*:}$2" tcp c 10.9.0.3 $in $under $end
        send "the same over IPv6$2" tcp c fd00:9::3 $in $under $end
        [ -n "$2" ] || send "UDP, many in one" udp-gso c 10.9.0.3 $in $under ${end/whole/cut}
    done
    [ -n "$2" ] && return 0
    for h in h1 h2; do flows $h 'in_port=1,actions=push_vlan:0x8100,set_field:4103->vlan_vid,9' in_port=9,dl_vlan=7,actions=pop_vlan,1; done
    send "a VLAN in the tunnel" tcp c 10.9.0.3 $in wswh2,u2,1600,whole wswc,eth0,1500,whole
}

both whole whole ""
vlan whole whole ""
tunnel whole ""
offloads wswh1 pb off
flows h1 in_port=1,actions=2 in_port=2,actions=1
send "to a device without offloads" tcp b 10.9.0.2 wswh1,pa,1500,whole wswb,eth0,1500,finished
send "to a device without offloads, UDP" udp-gso b 10.9.0.2 wswh1,pa,1500,whole wswb,eth0,1500,finished
offloads wswh1 pb on
offloads wswa eth0 off
vlan finished finished ", sender without offloads"
both finished finished ", sender without offloads"
tunnel finished ", sender without offloads"
