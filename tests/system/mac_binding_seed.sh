#!/bin/bash
# What the first form of put_arp and get_arp (the encoder's profile "seed") does on a real switch: rows MB-11, MB-14 and MB-16 of
# docs/seeds.md; and two rows on flows, SD-12 and SD-13. The actions are those that unit.encode.encode expects of the encoder.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin seed
switch_up h
machine h a 10.9.0.1/24
machine h b 10.9.0.2/24
check "bridge" vsctl h add-br br0 -- set bridge br0 fail_mode=secure
check "ports" vsctl h add-port br0 pa -- set interface pa ofport_request=1 -- add-port br0 pb -- set interface pb ofport_request=2
weft_ofctl() { OVS_RUNDIR=$dir/h WEFT_RUNDIR=$dir/h timeout 20 "$WEFT_BIN/weft-ofctl" -O OpenFlow15 "$@"; }

# MB-13, MB-14: an ARP packet comes in by port 6 of datapath 9
put_arp='push:NXM_NX_REG1[],push:NXM_OF_ETH_SRC[],push:NXM_NX_ARP_SHA[],push:NXM_OF_ARP_SPA[],pop:NXM_NX_REG1[],pop:NXM_OF_ETH_SRC[],push:NXM_NX_REG0[],set_field:0xbd9c9810->reg0,controller(reason=packet_out,max_len=65535,id=0),pop:NXM_NX_REG0[],pop:NXM_OF_ETH_SRC[],pop:NXM_NX_REG1[]'
start monitor bash -c "OVS_RUNDIR=$dir/h WEFT_RUNDIR=$dir/h exec $WEFT_BIN/weft-ofctl -O OpenFlow15 monitor br0 65534"
monitor=$started
before='set_field:9->metadata,set_field:6->reg6,set_field:0x111->reg0,set_field:0x222->reg1'
check "put_arp of the seed" weft_ofctl add-flow br0 "table=0,arp,arp_op=2,actions=$before,$put_arp,resubmit(,10)"
check "what is left after it" weft_ofctl add-flow br0 "table=10,reg0=0x111,reg1=0x222,dl_src=f0:00:00:00:01:11,actions=2"
frame=$("$WEFT_SRC/tests/support/frames.py" arp 2 80:00:00:00:00:23 192.168.11.23 00:00:00:00:ff:11 192.168.11.254 00:00:00:00:ff:11)
frame="${frame:0:12}f00000000111${frame:24}" # the sender's Ethernet address is not the one that it tells of
inject() { ip netns exec wswa python3 -c 'import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
s.send(bytes.fromhex(sys.argv[1]))' "$1"; }
seen() { grep -q 'reg0=0xbd9c9810' "$dir/monitor.out" || { inject "$frame"; false; }; }
wait_for 10 seen
kill "$monitor"
packet_in=$(cat "$dir/monitor.out")
has "packet-in with the reason of a packet-out" '\(via packet_out\)' "$packet_in"
has "opcode, address, port and datapath in registers" 'reg0=0xbd9c9810,reg1=0xc0a80b17,reg6=0x6,.*metadata=0x9|metadata=0x9.*reg0=0xbd9c9810,reg1=0xc0a80b17,reg6=0x6' "$packet_in"
has "the neighbour's MAC is the packet's source" 'dl_src=80:00:00:00:00:23' "$packet_in"
has "the whole packet" 'total_len=42' "$packet_in"
counted() { weft_ofctl dump-flows br0 | grep 'table=10' | grep 'n_packets=[1-9]' >/dev/null; }
wait_for 10 counted
check "and all fields are afterwards what they were" counted

# MB-11, MB-16: table 65 as the seed fills it, asked as the seed asks
get_arp='push:NXM_NX_REG0[],push:NXM_OF_IP_DST[],pop:NXM_NX_REG0[],set_field:00:00:00:00:00:00->eth_dst,resubmit(,65),pop:NXM_NX_REG0[]'
check "binding" weft_ofctl add-flow br0 "table=65,priority=100,metadata=9,reg7=7,reg0=0xc0a80b17,actions=set_field:80:00:00:00:00:23->eth_dst"
check "get_arp of the seed" weft_ofctl add-flow br0 "table=0,ip,actions=set_field:9->metadata,set_field:7->reg7,set_field:0x111->reg0,$get_arp,resubmit(,11)"
check "known and unknown" weft_ofctl add-flow br0 "table=11,priority=2,reg0=0x111,dl_dst=80:00:00:00:00:23,actions=2"
check "unknown" weft_ofctl add-flow br0 "table=11,priority=1,reg0=0x111,dl_dst=00:00:00:00:00:00,actions=in_port"
ask() { appctl h ofproto/trace br0 "in_port=1,dl_type=0x800,dl_src=02:00:00:00:00:01,dl_dst=00:00:00:00:ff:11,nw_dst=$1"; }
has "a neighbour that is known" '^11\. .*dl_dst=80:00:00:00:00:23' "$(ask 192.168.11.23)"
has "one that is not" '^11\. .*dl_dst=00:00:00:00:00:00' "$(ask 192.168.11.24)"

# SD-12
refuse "add-flows wants a file" 'a flow itself is for add-flow' weft_ofctl add-flows br0 priority=0,action=normal
check "add-flow a flow" weft_ofctl add-flow br0 priority=0,action=normal
has "which is there" 'priority=0 actions=NORMAL' "$(weft_ofctl dump-flows br0)"

# SD-13: of two flows of one priority that match, the one that was added first
check "no flows" weft_ofctl del-flows br0
check "first" weft_ofctl add-flow br0 "priority=7,in_port=1,actions=2"
check "second" weft_ofctl add-flow br0 "priority=7,tcp,actions=in_port"
traced() { appctl h ofproto/trace br0 "in_port=1,tcp,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"; }
has "the first wins" '^ 0\. in_port=1, priority 7' "$(traced)"
check "first goes" weft_ofctl --strict del-flows br0 "priority=7,in_port=1"
check "and comes back after the second" weft_ofctl add-flow br0 "priority=7,in_port=1,actions=2"
has "which then wins" '^ 0\. tcp, priority 7' "$(traced)"
