#!/bin/bash
# weft-switchd as an OpenFlow switch: flows of ovs-ofctl forward, rewrite and drop real packets; groups, meters, learn, timeouts.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-flows
switch_up h
machine h a 10.9.0.1/24
machine h b 10.9.0.2/24
check "bridge" vsctl h add-br br0 -- set bridge br0 fail_mode=secure
check "ports" vsctl h add-port br0 pa -- set interface pa ofport_request=1 -- add-port br0 pb -- set interface pb ofport_request=2
equal "a secure bridge starts empty" 0 "$(ofctl h dump-flows br0 | grep -c actions)"
refuse "and drops" '100% packet loss' ip netns exec wswa ping -n -c 2 -i 0.2 -W 1 10.9.0.2
has "which is counted" drop_table_miss "$(appctl h dpif/show-drops)"
flows() { ofctl h del-flows br0; printf '%s\n' "$@" | ofctl h --bundle add-flows br0 -; }

check "forwarding" flows 'in_port=1,actions=2' 'in_port=2,actions=1'
ip -n wswa neigh flush dev eth0 # whose probes were dropped: it may be about to give up
check "ping" pings a 10.9.0.2
check "TCP" transfer b a 10.9.0.2 32
sleep 1
has "flows count" 'n_packets=[1-9][0-9]' "$(ofctl h dump-flows br0 in_port=1)"

# An address that nobody has: translated on the way there and back (checksums must stay right).
mac_b=$(ip netns exec wswb cat /sys/class/net/eth0/address)
check "rewriting" flows "ip,in_port=1,nw_dst=10.9.0.50,actions=set_field:10.9.0.2->ip_dst,set_field:$mac_b->eth_dst,dec_ttl,2" \
    'ip,in_port=2,nw_src=10.9.0.2,actions=set_field:10.9.0.50->ip_src,1' \
    "arp,in_port=1,arp_tpa=10.9.0.50,actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:$mac_b->eth_src,set_field:2->arp_op,move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],set_field:$mac_b->arp_sha,move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],set_field:10.9.0.50->arp_spa,in_port" \
    'priority=1,arp,actions=flood'
check "ping an address that is translated" pings a 10.9.0.50
check "TCP to it" transfer b a 10.9.0.50 32
has "the TTL went down" 'ttl=64' "$(pings a 10.9.0.50)"

check "registers, stack, tables, clone" flows 'table=0,in_port=1,actions=load:2->NXM_NX_REG0[],push:NXM_NX_REG0[],load:7->NXM_NX_REG0[],pop:NXM_NX_REG1[],clone(set_field:00:00:00:00:00:99->eth_dst,resubmit(,9)),goto_table:3' \
    'table=3,reg0=7,reg1=2,actions=output:NXM_NX_REG1[0..15]' 'table=0,in_port=2,actions=1' 'table=9,actions=drop'
check "ping through them" pings a 10.9.0.2

check "a conjunction" flows 'priority=10,conj_id=5,actions=2' 'priority=10,ip,nw_src=10.9.0.0/24,actions=conjunction(5,1/2)' 'priority=10,ip,nw_dst=10.9.0.2,actions=conjunction(5,2/2)' 'arp,actions=flood' 'in_port=2,actions=1'
check "ping through it" pings a 10.9.0.2

check "an all group" ofctl h add-group br0 'group_id=1,type=all,bucket=actions=set_field:00:00:00:00:00:77->eth_dst,in_port,bucket=actions=2'
check "flows to it" flows 'in_port=1,actions=group:1' 'in_port=2,actions=1'
check "ping through it" pings a 10.9.0.2
refuse "a group that is not there" 'OFPBAC_BAD_OUT_GROUP' ofctl h add-flow br0 'actions=group:99'
check "a meter" ofctl h add-meter br0 'meter=1,pktps,bands=type=drop,rate=5'
check "flows through it" flows 'in_port=1,icmp,actions=meter:1,2' 'arp,actions=flood' 'in_port=2,actions=1'
has "it drops" '[1-9][0-9]% packet loss' "$(ip netns exec wswa ping -n -c 100 -i 0.01 -W 1 10.9.0.2)"
has "which is counted" drop_meter "$(appctl h dpif/show-drops)"

check "learn" flows 'table=0,actions=learn(table=1,idle_timeout=2,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),resubmit(,1)' 'table=1,priority=0,actions=flood'
check "ping by learned flows" pings a 10.9.0.2
equal "two were learned" 2 "$(ofctl h dump-flows br0 table=1 | grep -c dl_dst)"
wait_for 10 bash -c "! OVS_RUNDIR=$dir/h ovs-ofctl -O OpenFlow15 dump-flows br0 table=1 | grep -q dl_dst"

check "a hard timeout" flows 'in_port=1,hard_timeout=1,actions=2' 'in_port=2,actions=1'
wait_for 10 bash -c "! OVS_RUNDIR=$dir/h ovs-ofctl -O OpenFlow15 dump-flows br0 | grep -q hard_timeout"

# Recursion without end is cut, named and counted; the switch goes on.
check "flows that go round" flows 'table=0,actions=resubmit(,1)' 'table=1,actions=resubmit(,0),1'
refuse "they drop" '100% packet loss' ip netns exec wswa ping -n -c 2 -i 0.2 -W 1 10.9.0.2
has "with a reason" 'drop_recursion_too_deep' "$(appctl h dpif/show-drops)"
has "ofproto/trace says so" 'nest deeper' "$(appctl h ofproto/trace br0 in_port=1)"

check "two tags, one behind the other" flows 'in_port=1,dl_vlan=10,actions=pop_vlan,resubmit(,1)' 'table=1,dl_vlan=20,ip,actions=pop_vlan,output:2'
trace=$(appctl h ofproto/trace br0 in_port=1 0200000000020200000000018100000a8100001408004500001400000000401166d10a0900010a090002)
has "are both taken off" 'resume behind pop_vlan.*dl_vlan=20.*actions: pop_vlan,[0-9]' "$(tr '\n' ' ' <<<"$trace")"

# An atomic bundle with a bad member changes nothing.
check "a good state" flows 'in_port=1,actions=2' 'in_port=2,actions=1'
before=$(ofctl h --no-stats dump-flows br0)
refuse "a bundle with a bad flow" 'OFPB' bash -c "printf 'priority=7,in_port=1,actions=drop\npriority=8,actions=group:98\n' | OVS_RUNDIR=$dir/h ovs-ofctl -O OpenFlow15 --bundle add-flows br0 -"
equal "changed nothing" "$before" "$(ofctl h --no-stats dump-flows br0)"
check "ping" pings a 10.9.0.2

# packet-out and packet-in.
start monitor bash -c "OVS_RUNDIR=$dir/h exec ovs-ofctl -O OpenFlow15 monitor br0 65534 -P nxt_packet_in2"
sleep 1
check "a flow to the controller" flows 'in_port=1,icmp,actions=controller(userdata=01.02.03,max_len=60)' 'arp,actions=flood'
ip netns exec wswa ping -n -c 1 -W 1 10.9.0.2 >/dev/null
wait_for 5 grep -q 'userdata=01.02.03' "$dir/monitor.out"
check "packet-out" ofctl h packet-out br0 'in_port=controller,packet=ffffffffffff0200000000990806000108000604000102000000009900000000000000000000000000000000,actions=1'
kill "$started"
pids=("${pids[@]:0:${#pids[@]}-1}")
