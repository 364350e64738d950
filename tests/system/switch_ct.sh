#!/bin/bash
# Connection tracking of weft-switchd with real packets: a stateful firewall, source and destination NAT (TCP, ping), ICMP errors
# about translated packets, fragments, limits, flush, and what the control commands show.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-ct
switch_up s
vsctl s add-br br0
machine s ca 10.0.0.1/24
machine s cb 10.0.0.2/24
check "ports" vsctl s add-port br0 pca -- set interface pca ofport_request=1 -- add-port br0 pcb -- set interface pcb ofport_request=2
flows() { # reads flows
    ofctl s del-flows br0 && ofctl s add-flows br0 -
}
dump() { appctl s dpctl/dump-conntrack "$@"; }

check "a firewall: ca may begin, cb may only answer" flows <<'F'
table=0,priority=10,arp,actions=normal
table=0,priority=100,ip,ct_state=-trk,actions=ct(table=1,zone=3)
table=1,in_port=1,ip,ct_state=+trk+new,actions=ct(commit,zone=3,exec(set_field:5->ct_mark)),2
table=1,in_port=1,ip,ct_state=+trk+est,actions=2
table=1,in_port=2,ip,ct_state=+trk+new,actions=drop
table=1,in_port=2,ip,ct_state=+trk+est+rpl,ct_mark=5,actions=1
table=1,in_port=2,ip,ct_state=+trk+rel+rpl,actions=1
F
check "ping from inside" pings ca 10.0.0.2
refuse "ping from outside" '100% packet loss' ip netns exec wswcb ping -n -c 2 -i 0.2 -W 1 10.0.0.1
check "ping in fragments" ip netns exec wswca ping -n -c 3 -i 0.2 -W 2 -s 4000 10.0.0.2
check "TCP from inside" transfer cb ca 10.0.0.2 20
refuse "TCP from outside" 'timed out|refused' ip netns exec wswcb timeout 3 python3 -c '
import socket
s = socket.socket(); s.settimeout(1); s.connect(("10.0.0.1", 5001))'
has "the ping is in the table" '^icmp,orig=\(src=10.0.0.1,dst=10.0.0.2,id=[0-9]+,type=8,code=0\),reply=\(src=10.0.0.2,dst=10.0.0.1,id=[0-9]+,type=0,code=0\),zone=3,mark=5$' "$(dump zone=3)"
has "and the TCP connection, over" 'tcp,orig=\(src=10.0.0.1,dst=10.0.0.2,sport=[0-9]+,dport=5001\),.*protoinfo=\(state=TIME_WAIT\)' "$(dump)"
udp() { # FROM ADDRESS PORT: a datagram to a closed port; prints what comes back
    ip netns exec "wsw$1" timeout 5 python3 - "$2" "$3" <<'P'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2); s.connect((sys.argv[1], int(sys.argv[2]))); s.send(b"x")
try: s.recv(10); print("answered")
except Exception as e: print(type(e).__name__)
P
}
equal "a related error comes through" ConnectionRefusedError "$(udp ca 10.0.0.2 9)"

# What the operator sees and sets.
trace=$(appctl s ofproto/trace br0 in_port=1,udp,nw_src=10.0.0.1,nw_dst=10.0.0.2)
has "a trace stops at the ct" 'Datapath actions: ct\(zone=3\),recirc\(0x' "$trace"
has "and goes on behind it" 'resume conntrack with default ct_state=trk\|new' "$trace"
has "as a new connection" 'Datapath actions: ct\(commit,zone=3,mark=0x5/0xffffffff\),[0-9]+$' "$trace"
trace=$(appctl s ofproto/trace br0 in_port=2,udp,nw_src=10.0.0.1,nw_dst=10.0.0.2 --ct-next trk,est,rpl)
has "or with the state that is given" 'resume conntrack with ct_state=est\|rpl\|trk' "$trace"
refuse "which must be one" 'foo: unknown connection tracking state flag' appctl s ofproto/trace br0 in_port=1,ip --ct-next trk,foo
has "statistics" 'TCP: [1-9]' "$(appctl s dpctl/ct-stats-show zone=3)"
equal "the number of connections" "$(dump | wc -l)" "$(appctl s dpctl/ct-get-nconns)"
check "limits" appctl s dpctl/ct-set-limits default=0 zone=9,limit=2 zone=10,limit=5
check "a limit goes" appctl s dpctl/ct-del-limits zone=10
equal "what is limited" $'default limit=0\nzone=9,limit=2,count=0' "$(appctl s dpctl/ct-get-limits)"
refuse "a limit must be a number" 'failed to parse field limit' appctl s dpctl/ct-set-limits zone=9,limit=x
refuse "a tuple has known fields" 'invalid conntrack tuple field: ct_foo' appctl s dpctl/flush-conntrack ct_foo=1
weft_vsctl() { "$WEFT_BIN/weft-vsctl" --db="unix:$dir/s/db.sock" --timeout=10 "$@"; }
check "a policy in the database" weft_vsctl -- --id=@p create ct_timeout_policy timeouts='"udp_first"=7,"udp_single"=7' -- \
    --id=@z create ct_zone timeout_policy=@p limit=4 -- --id=@d create datapath datapath_version=0 ct_zones:3=@z -- set open_vswitch . datapaths:netdev=@d
has "its limit" 'zone=3,limit=4' "$(appctl s dpctl/ct-get-limits)"
check "flush by tuple" appctl s dpctl/flush-conntrack zone=3 ct_nw_proto=17
udp ca 10.0.0.2 9 >/dev/null
has "its timeout" '^udp,.*timeout=[5-7],zone=3' "$(dump -s)"
has "capabilities say so" 'ct_state="?true' "$(weft_vsctl list datapath)"
check "no policy" vsctl s clear open_vswitch . datapaths
equal "no limit" $'default limit=0\nzone=9,limit=2,count=0' "$(appctl s dpctl/ct-get-limits)"
weft_ofctl() { WEFT_RUNDIR=$dir/s "$WEFT_BIN/weft-ofctl" "$@"; }
check "flush by OpenFlow, another zone" ofctl s ct-flush br0 zone=4 ct_nw_dst=10.0.0.2,ct_nw_proto=17
has "leaves this one" '^udp' "$(dump)"
check "flush by OpenFlow, by a tuple" ofctl s ct-flush br0 zone=3 ct_nw_dst=10.0.0.2,ct_nw_proto=17
equal "takes those with the tuple" "icmp tcp" "$(dump | sed 's/,.*//' | sort -u | xargs)"
refuse "our client knows tuples, too" 'invalid conntrack tuple field: x' weft_ofctl ct-flush br0 x=1
check "and flushes by reply" weft_ofctl ct-flush br0 zone=3 "" ct_nw_src=10.0.0.2,ct_nw_proto=1
equal "takes those" "tcp" "$(dump | sed 's/,.*//' | sort -u | xargs)"
check "flush" appctl s dpctl/flush-conntrack zone=3
equal "it is empty" "" "$(dump)"

# Translation, in one switch: ca is 10.0.0.1, cb has 10.0.0.2, and 10.0.9.x are addresses that only the flows know. Packets to them
# get cb's MAC.
macb=$(ip -n wswcb link show eth0 | awk '/ether/ { print $2 }')
maca=$(ip -n wswca link show eth0 | awk '/ether/ { print $2 }')
ip -n wswca neigh replace 10.0.0.9 lladdr "$macb" dev eth0
ip -n wswcb neigh replace 10.0.0.8 lladdr "$maca" dev eth0
check "NAT: the source becomes 10.0.0.8, and 10.0.0.9 is cb" flows <<'F'
table=0,priority=10,arp,actions=normal
table=0,priority=100,ip,in_port=1,actions=ct(table=1,zone=1,nat)
table=0,priority=100,ip,in_port=2,actions=ct(table=2,zone=2,nat)
table=1,priority=20,ip,nw_dst=10.0.0.9,ct_state=+new,actions=ct(commit,zone=1,nat(dst=10.0.0.2),table=3)
table=1,priority=10,ip,actions=ct(commit,zone=1,nat,table=3)
table=2,priority=10,ip,actions=ct(table=4,zone=1,nat)
table=3,ip,actions=ct(commit,zone=2,nat(src=10.0.0.8),table=5)
table=4,ip,ct_state=+est,actions=1
table=4,ip,ct_state=+rel,actions=1
table=5,ip,ct_state=+snat,actions=2
F
check "ping through SNAT" pings ca 10.0.0.2
check "ping through SNAT and DNAT" pings ca 10.0.0.9
check "fragments through SNAT and DNAT" ip netns exec wswca ping -n -c 3 -i 0.2 -W 2 -s 4000 10.0.0.9
check "TCP through SNAT and DNAT" transfer cb ca 10.0.0.9 20
equal "a related error is translated back" ConnectionRefusedError "$(udp ca 10.0.0.9 9)"
has "the source is translated" 'orig=\(src=10.0.0.1,dst=10.0.0.2,sport=[0-9]+,dport=5001\),reply=\(src=10.0.0.2,dst=10.0.0.8,sport=5001,dport=[0-9]+\),zone=2' "$(dump zone=2)"
has "and the destination" 'orig=\(src=10.0.0.1,dst=10.0.0.9,sport=[0-9]+,dport=5001\),reply=\(src=10.0.0.2,dst=10.0.0.1,sport=5001,dport=[0-9]+\),zone=1' "$(dump zone=1)"
# FTP: only port 21 may be connected to, and what the control connection announces, in both modes.
check "a firewall that knows FTP" flows <<'F'
table=0,priority=10,arp,actions=normal
table=0,priority=100,ip,actions=ct(table=1,zone=6)
table=1,in_port=1,tcp,tp_dst=21,ct_state=+new-rel,actions=ct(commit,alg=ftp,zone=6),2
table=1,in_port=1,ip,ct_state=+est,actions=2
table=1,in_port=2,ip,ct_state=+est,actions=1
table=1,priority=100,in_port=1,tcp,ct_state=+new+rel,actions=ct(commit,zone=6),2
table=1,priority=100,in_port=2,tcp,ct_state=+new+rel,actions=ct(commit,zone=6),1
F
start ftpd ip netns exec wswcb timeout 60 python3 -c '
import socket
s = socket.create_server(("", 21)); s.settimeout(50)
while True:
    c, _ = s.accept(); f = c.makefile("rw", newline="\r\n"); data = None
    def say(t): f.write(t + "\n"); f.flush()
    say("220 hello")
    for line in f:
        word, _, rest = line.strip().partition(" ")
        if word == "PORT":
            n = rest.split(","); data = lambda: socket.create_connection((".".join(n[:4]), int(n[4]) * 256 + int(n[5])), 5); say("200 ok")
        elif word == "PASV":
            l = socket.create_server(("", 0)); l.settimeout(5); p = l.getsockname()[1]; data = lambda: l.accept()[0]
            say("227 Entering Passive Mode (10,0,0,2,%d,%d)" % (p >> 8, p & 255))
        elif word == "RETR":
            say("150 here it comes"); d = data(); d.sendall(b"x" * 300000); d.close(); say("226 done")
        elif word == "QUIT": say("221 bye"); break
        else: say("230 ok")
'
wait_for 5 ip netns exec wswcb sh -c 'ss -ltn | grep -q :21'
fetch() { # MODE: passive or active; through FTP
    ip netns exec wswca timeout 20 python3 -c '
import ftplib, sys
f = ftplib.FTP("10.0.0.2", timeout=5); f.login(); f.set_pasv(sys.argv[1] == "passive"); n = []
f.retrbinary("RETR x", lambda b: n.append(len(b))); f.quit(); assert sum(n) == 300000' "$1"
}
check "FTP in active mode" fetch active
check "FTP in passive mode" fetch passive
has "a data connection knows its parent" 'orig=\(src=10.0.0.2,dst=10.0.0.1,.*parent=\(src=10.0.0.1,dst=10.0.0.2,sport=[0-9]+,dport=21\)' "$(dump)"
refuse "anything else is not let through" 'timed out' ip netns exec wswca timeout 5 python3 -c '
import socket
socket.create_connection(("10.0.0.2", 22), 1)'
equal "nothing was lost for want of something" "" "$(appctl s dpif/show-drops | grep -E 'recirc|unsupported')"
