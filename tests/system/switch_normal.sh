#!/bin/bash
# weft-switchd as an ordinary switch on veth: learning, VLANs, the LOCAL port, TCP with the offloads of veth, patch ports, kill -9.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-normal
switch_up h
machine h a 10.9.0.1/24
machine h b 10.9.0.2/24
machine h c 10.9.0.3/24
check "add-br" vsctl h add-br br0
for p in pa pb pc; do check "add-port $p" vsctl h add-port br0 $p; done
check "ping" pings a 10.9.0.2
check "TCP, 64 MB, as it was sent" transfer b a 10.9.0.2 64
has "large segments crossed whole" 'yes' "$(ofctl h dump-ports br0 pa | awk -F'[=,]' '/rx pkts/ { print ($4 / $2 > 3000) ? "yes" : "no: " $4 / $2 }')"
has "MACs are learned" '1 +0 ' "$(appctl h fdb/show br0)"
ip netns exec wswc timeout 2 tcpdump -nni eth0 icmp >"$dir/flooded" 2>/dev/null &
tcpdump=$!
sleep 0.7
pings a 10.9.0.2 >/dev/null
wait $tcpdump
equal "unicast is not flooded" 0 "$(grep -c ICMP "$dir/flooded")"

# The bridge's own port is a device.
ip -n wswh addr add 10.9.0.100/24 dev br0
ip -n wswh link set br0 up
check "ping the LOCAL port" pings a 10.9.0.100
check "TCP to the LOCAL port" transfer h a 10.9.0.100 16
check "the machine knows its address" pings h 10.9.0.2 # what waits for ARP is bounded
form=cut # the kernel's tap leaves UDP to be cut since Linux 6.2
ip netns exec wswh ethtool -k br0 | grep -q "tx-udp-segmentation: on" && form=whole
check "UDP of the LOCAL port, many in one: $form" python3 "$WEFT_SRC/tests/system/liboffload.py" udp-gso wswh wswb 10.9.0.2 wswb,eth0,1500,$form

# A tap of several queues.
check "four queues" vsctl h add-port br0 t4 -- set interface t4 type=internal options:n_rxq=4
equal "are there" 4 "$(ip netns exec wswh sh -c 'ls -d /sys/class/net/t4/queues/tx-*' | wc -l)"
ip -n wswh addr flush dev br0
ip -n wswh addr add 10.9.0.101/24 dev t4
ip -n wswh link set t4 up
check "TCP over them" transfer h a 10.9.0.101 4
check "and back" transfer a h 10.9.0.1 4
has "more would be too many" 'bad value for option n_rxq: 99 .wanted: 1 to 16' "$(vsctl h add-port br0 t99 -- set interface t99 type=internal options:n_rxq=99 2>&1)"
check "without them" vsctl h del-port br0 t4 -- del-port br0 t99

# VLANs: a and b in VLAN 5, c in VLAN 6, then c as a trunk.
check "tags" vsctl h set port pa tag=5 -- set port pb tag=5 -- set port pc tag=6
check "same VLAN" pings a 10.9.0.2
refuse "other VLAN" '100% packet loss' ip netns exec wswa ping -n -c 2 -i 0.2 -W 1 10.9.0.3
check "c is a trunk" vsctl h clear port pc tag -- set port pc trunks=5
check "tagged and untagged" ip netns exec wswc python3 - 10.9.0.1 <<'P'
# Asks, with a tag, for an address behind an untagged port; the answer must have the tag.
import socket, struct, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)); s.bind(("eth0", 0)); s.settimeout(0.2)
s.setsockopt(263, 8, 1)                                            # SOL_PACKET, PACKET_AUXDATA
mac = open("/sys/class/net/eth0/address").read().strip().replace(":", "")
ip = socket.inet_aton("10.9.0.33")
ask = bytes.fromhex("ffffffffffff" + mac + "81000005" + "0806" + "0001080006040001" + mac) + ip + b"\0" * 6 + socket.inet_aton(sys.argv[1])
end = time.time() + 5
while time.time() < end:
    s.send(ask)
    try:
        data, control, *_ = s.recvmsg(2000, 200)
    except socket.timeout:
        continue
    tag = None
    for level, kind, c in control:
        if level == 263 and kind == 8:
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", c[:20])
            if status & 0x10: tag = tci & 0xfff
    if tag is None and data[12:14] == b"\x81\0": tag, data = struct.unpack("!H", data[14:16])[0] & 0xfff, data[:12] + data[16:]
    if data[12:14] == b"\x08\x06" and data[20:22] == b"\0\2" and data[38:42] == ip: sys.exit(0 if tag == 5 else 2)
sys.exit(1)
P

# A second bridge, joined by patch ports.
machine h d 10.9.0.4/24
check "patch ports" vsctl h add-br br1 -- add-port br1 pd -- add-port br1 x1 -- set interface x1 type=patch options:peer=x0 \
    -- add-port br0 x0 -- set interface x0 type=patch options:peer=x1 -- set port x0 tag=5
check "through two bridges" pings a 10.9.0.4
equal "no error anywhere" "[]" "$(vsctl h --bare get interface x0 error)"

# A port that appears later works when it does.
has "no device" 'No such device' "$(vsctl h add-port br0 pz 2>&1)"
equal "its number" -1 "$(vsctl h get interface pz ofport)"
machine h z 10.9.0.9/24
check "tag of the late port" vsctl h --no-wait set port pz tag=5
wait_for 10 bash -c "[ \$(ovs-vsctl --db=unix:$dir/h/db.sock get interface pz ofport) -gt 0 ]"
check "the late port" pings a 10.9.0.9

# The host does not hear what switch ports receive, and a device that is made anew under its name is taken up again.
ip -n wswh addr add 10.9.0.77/24 dev pa
refuse "the host's stack hears nothing" '100% packet loss' ip netns exec wswa ping -n -c 2 -i 0.2 -W 1 10.9.0.77
ip -n wswh link del pa
ip link add pa netns wswh type veth peer name eth0 netns wswa
ip -n wswa addr add 10.9.0.1/24 dev eth0
ip -n wswa link set eth0 up
wait_for 10 ip netns exec wswa ping -n -c 1 -W 1 10.9.0.4
equal "under its number" 1 "$(vsctl h get interface pa ofport)"

# kill -9 and a new start: everything is there again, with the same numbers.
before=$(for p in pa pb pc pd pz x0 x1; do vsctl h get interface $p ofport; done)
kill -9 "$pid_h"
wait "$pid_h" 2>/dev/null # the kernel takes 0.05 s a port to let go
pids=()
switch_start h
wait_for 10 ip netns exec wswa ping -n -c 1 -W 1 10.9.0.4
check "ping after kill -9" pings a 10.9.0.2
equal "the same numbers" "$before" "$(for p in pa pb pc pd pz x0 x1; do vsctl h get interface $p ofport; done)"
check "del-port" vsctl h del-port br0 pb
refuse "it is gone" '100% packet loss' ip netns exec wswa ping -n -c 2 -i 0.2 -W 1 10.9.0.2
check "del-br" vsctl h del-br br1 -- del-br br0
check "the LOCAL port's device is gone" bash -c '! ip -n wswh link show br0 2>/dev/null'
