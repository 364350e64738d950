#!/bin/bash
# weft-ofctl beside ovs-ofctl, both against ovs-vswitchd with dummy ports: what either adds, in any OpenFlow version, dumps
# the same through both, and a list of commands (tests/data/openflow/ofctl_commands.txt) prints the same and ends the same. So do those
# that need no switch (ofctl_texts.txt), with files that libcaptures.py makes.
set -u
for p in ovs-ofctl ovs-vswitchd ovsdb-server ovsdb-tool ovs-vsctl; do
    command -v $p >/dev/null || { echo "skipped: $p is not installed"; exit 0; }
done
W=$WEFT_BIN/weft-ofctl
DATA=$WEFT_SRC/tests/data/openflow
D=$(mktemp -d)
export OVS_RUNDIR=$D OVS_LOGDIR=$D OVS_DBDIR=$D OVS_SYSCONFDIR=$D
stop() {
    for p in vswitchd ovsdb; do [ -s "$D/$p.pid" ] && kill "$(cat "$D/$p.pid")" 2>/dev/null; done
    rm -rf "$D"
}
trap stop EXIT
cd "$D" || exit 1
ovsdb-tool create conf.db /usr/share/openvswitch/vswitch.ovsschema || exit 1
ovsdb-server conf.db --remote=punix:$D/db.sock --pidfile=$D/ovsdb.pid --detach --log-file=$D/db.log --unixctl=$D/db.ctl -vconsole:off || exit 1
ovs-vswitchd unix:$D/db.sock --disable-system --enable-dummy=override --pidfile=$D/vswitchd.pid --detach --log-file=$D/v.log --unixctl=$D/v.ctl -vconsole:off || exit 1
ovs-vsctl --db=unix:$D/db.sock --no-wait init
ovs-vsctl --db=unix:$D/db.sock --timeout=10 add-br br0 -- set bridge br0 datapath_type=dummy \
    protocols=OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15 -- add-port br0 p1 -- set interface p1 type=dummy ofport_request=1 \
    -- add-port br0 p2 -- set interface p2 type=dummy ofport_request=2 \
    -- add-port br0 veth-x3 -- set interface veth-x3 type=dummy ofport_request=3 \
    -- --id=@a create Flow_Table name=thirty -- --id=@b create Flow_Table name=thirty-one -- set bridge br0 flow_tables:30=@a flow_tables:31=@b >/dev/null || exit 1

failures=0
strip='s/duration=[0-9.]*s,* *//; s/duration:[0-9.]*s//; s/idle_age=[0-9]*, //; s/hard_age=[0-9]*, //; s/^weft-ofctl/ovs-ofctl/'
check() { # NAME FILE FILE
    diff "$2" "$3" >diff.txt && return
    echo "different: $1"
    head -6 diff.txt | cut -c1-300
    failures=$((failures + 1))
}

for v in 10 13 14 15; do
    for adder in ovs-ofctl "$W"; do
        ovs-ofctl del-flows br0
        "$adder" -O OpenFlow$v add-flows br0 "$DATA/flows.txt" || failures=$((failures + 1))
        for d in 10 13 15; do
            ovs-ofctl -O OpenFlow$d dump-flows br0 | sed "$strip" | sort >theirs.txt
            "$W" -O OpenFlow$d dump-flows br0 | sed "$strip" | sort >ours.txt
            check "dump in $d of what $(basename "$adder") added in $v" theirs.txt ours.txt
            cp theirs.txt "dump.$v.$(basename "$adder").$d"
        done
    done
    for d in 10 13 15; do
        check "adding in $v, dumped in $d" dump.$v.ovs-ofctl.$d dump.$v.weft-ofctl.$d
    done
done

printf 'table=20,priority=5,ip,actions=output:1\ntable=20,arp,actions=drop\n' >fl2.txt
for tool in ovs-ofctl "$W"; do
    ovs-ofctl del-flows br0
    i=0
    while IFS= read -r line; do
        i=$((i + 1))
        set -f
        # shellcheck disable=SC2086
        "$tool" $line >raw.txt 2>&1 </dev/null
        echo "exit $?" >>raw.txt
        set +f
        case $line in
        *dump-groups*) sort -o raw.txt raw.txt ;; # a hash table's order
        esac
        sed "$strip" raw.txt >"out.$(basename "$tool").$i"
    done <"$DATA/ofctl_commands.txt"
done
i=0
while IFS= read -r line; do
    i=$((i + 1))
    check "$line" out.ovs-ofctl.$i out.weft-ofctl.$i
done <"$DATA/ofctl_commands.txt"
"$WEFT_SRC/tests/interop/libcaptures.py" "$D" || exit 1
cat >fields.txt <<'EOF'
NXM_OF_IN_PORT(fffe), NXM_OF_ETH_TYPE(0800)
# a comment

<any>
NXM_OF_ETH_TYPE(0800) NXM_OF_IP_SRC_W(01020000/ffff0000)
NXM_OF_ETH_DST_W(000000000000/010000000000)
NXM_OF_IN_PORT(0001),NXM_OF_IN_PORT(0001)
NXM_NX_COOKIE_W(000000000000abcd/00000000ffffffff)
NXM_OF_VLAN_TCI_W(1000/1000)
OXM_OF_VLAN_VID(1005)
NXM_OF_ETH_TYPE(0800) NXM_OF_IP_PROTO(06) NXM_OF_TCP_SRC(0050)
NXM_OF_ETH_TYPE(86dd) NXM_OF_IP_PROTO(3a) NXM_NX_ICMPV6_TYPE(87) NXM_NX_ICMPV6_CODE(00) NXM_NX_ND_TARGET(20010db83c4d00010002000300040005)
NXM_NX_REG0_W(a0e0d050/f0f0f0f0)
OXM_OF_METADATA(0000000000000001)
00000002(0001)
EOF
cat >matches10.txt <<'EOF'
003820f0fffe50540000000550540000000612340000080600000000c0a80001c0a8000200000000 # a tag
003820ef0001ffffffffffff000000000000123412000806000600000102030405060708000a000b
000000000001505400000005505400000006ffff0000080000060000c0a80001c0a80002001f0035
EOF
cat >actions.txt <<'EOF'
0000 0008 0001 0000 # output
0000 0010 0000 0001 0000 0000 0000 0000
ffff 0010 00002320 0001 0002 00000000
0004 0018 00000000 0000 0010 0000 0001 0000 0000 0000 0000
0003 0018 00000000 0000 0010 0000 0001 0000 0000 0000 0000 0001 0008 03 000000
0006 0008 00000001
EOF
export TZ=UTC T
n=0
while IFS= read -r line; do
    n=$((n + 1))
    for T in ovs-ofctl "$W"; do
        bash -c "$line" >raw.txt 2>err.txt </dev/null
        echo "exit $?" >>raw.txt
        # What ovs-ofctl logs, with dumps of bytes, is not its answer.
        sed '/^....-..-..T/d; /^0000/d' err.txt >>raw.txt
        sed "$strip" raw.txt >"text.$(basename "$T")"
    done
    check "$line" text.ovs-ofctl text.weft-ofctl
done <"$DATA/ofctl_texts.txt"
echo "$i commands, $n without a switch, 36 dumps, $failures different"
[ $failures = 0 ]
