#!/bin/bash
# Smaller options and commands of weft-dbd beside ovsdb-server's: another user, log levels of each destination, the status of
# Managers with locks and seconds, storage status.
. "$WEFT_SRC/tests/support/lib.sh"
begin dbd-options
cd "$dir" || exit 1
ctl() { ovs-appctl -t "$dir/dbd.ctl" "$@"; }
chmod 711 "$dir"
mkdir own && chown nobody:nogroup own
check "create" "$WEFT_BIN/weft-dbctl" create own/conf.db /usr/share/openvswitch/vswitch.ovsschema
chown nobody:nogroup own/*
check "--user, below a monitor" "$WEFT_BIN/weft-dbd" --detach --monitor --user=nobody:daemon --no-self-confinement --pidfile="$dir/own/dbd.pid" \
    --unixctl="$dir/own/dbd.ctl" --log-file="$dir/own/dbd.log" --remote=punix:"$dir/own/db.sock" --remote=ptcp:640:127.0.0.1 "$dir/own/conf.db"
equal "who it is" "nobody daemon" "$(stat -c '%U %G' "/proc/$(cat own/dbd.pid)")"
equal "capabilities: ports below 1024 and locked memory" 0000000000004400 "$(sed -n 's/^CapEff:\t//p' "/proc/$(cat own/dbd.pid)/status")"
check "it serves" ovsdb-client -t 5 list-dbs tcp:127.0.0.1:640
check "exit" ovs-appctl -t "$dir/own/dbd.ctl" exit
wait_for 10 test ! -e own/dbd.pid
refuse "no such user" 'there is no user "nobodyatall"' "$WEFT_BIN/weft-dbd" --user=nobodyatall --no-dbs --unixctl=none
refuse "no such group" 'there is no group' "$WEFT_BIN/weft-dbd" --user=:nogroupatall --no-dbs --unixctl=none
refuse "as somebody who is not root" 'only root' setpriv --reuid=nobody --regid=nogroup --clear-groups "$WEFT_BIN/weft-dbd" --user=root --no-dbs --unixctl=none

check "create" "$WEFT_BIN/weft-dbctl" create conf.db /usr/share/openvswitch/vswitch.ovsschema
run() { "$WEFT_BIN/weft-dbd" -vconsole:info --unixctl=none --remote=punix:run.sock --run="$1" conf.db; }
check "--run" run "ovsdb-client list-dbs 'unix:$dir/run.sock' >run.txt"
has "the command had its server" 'Open_vSwitch' "$(cat run.txt)"
refuse "--run of what fails" 'ended with status 3' run 'exit 3'
refuse "--run of what is killed" 'ended by signal 15' run 'kill $$'
start dbd "$WEFT_BIN/weft-dbd" -vconsole:warn -vfile:off -vsyslog:err --syslog-method=null --log-file="$dir/dbd.log" --unixctl="$dir/dbd.ctl" --remote=punix:db.sock \
    --remote=db:Open_vSwitch,Open_vSwitch,manager_options conf.db
wait_for 10 test -S db.sock
has "vlog/list" 'dbd  *WARN  *ERR  *OFF' "$(ctl vlog/list)"
check "vlog/set of one destination" ctl vlog/set dbd:file:dbg
has "vlog/list" 'dbd  *WARN  *ERR  *DBG' "$(ctl vlog/list)"
check "vlog/set of console and file" ctl vlog/set any:any:info
has "vlog/list" 'dbd  *INFO  *ERR  *INFO' "$(ctl vlog/list)"
refuse "vlog/set nonsense" 'no destination, level, or module "nonsense"' ctl vlog/set nonsense
check "vlog/close, vlog/reopen and rate limits" bash -c "for c in vlog/close vlog/reopen vlog/disable-rate-limit 'vlog/enable-rate-limit dbd'; do ovs-appctl -t '$dir/dbd.ctl' \$c || exit 1; done"
refuse "--syslog-method" 'is not libc' "$WEFT_BIN/weft-dbd" --syslog-method=pigeon --no-dbs

vsctl() { ovs-vsctl --db="unix:$dir/db.sock" --no-wait --timeout=20 "$@"; }
status() { vsctl --bare --columns=status find manager "target=\"$1\""; }
check "managers" vsctl init -- set-manager ptcp:16671:127.0.0.1 ptcp:16672:127.0.0.1 tcp:127.0.0.1:16673
wait_for 10 bash -c "ovs-vsctl --db='unix:$dir/db.sock' --no-wait --bare --columns=status list manager | grep -q 'last_error=.*refused.*state=BACKOFF'"
start peer ovsdb-client --timeout=60 -vconsole:off monitor ptcp:16673:127.0.0.1 Open_vSwitch Open_vSwitch cur_cfg
start held ovsdb-client --timeout=60 -vconsole:off lock tcp:127.0.0.1:16671 first
start other ovsdb-client --timeout=60 -vconsole:off lock tcp:127.0.0.1:16671 second
wait_for 10 bash -c "ovs-vsctl --db='unix:$dir/db.sock' --no-wait --bare --columns=status list manager | grep -q 'locks_held=.*first'"
wait_for 20 bash -c "ovs-vsctl --db='unix:$dir/db.sock' --no-wait --bare --columns=status find manager target='\"tcp:127.0.0.1:16673\"' | grep -q state=ACTIVE"
start thief ovsdb-client --timeout=60 -vconsole:off steal tcp:127.0.0.1:16672 second
wait_for 10 bash -c "ovs-vsctl --db='unix:$dir/db.sock' --no-wait --bare --columns=status list manager | grep -q 'locks_lost=second'"
has "two clients of one, one lost its lock" 'bound_port=16671 locks_held=first locks_lost=second n_connections=2 sec_since_connect=[0-9]+' "$(status ptcp:16671:127.0.0.1)"
has "the thief" 'bound_port=16672 locks_held=second sec_since_connect=[0-9]+' "$(status ptcp:16672:127.0.0.1)"
has "what it connects to" 'sec_since_connect=[0-9]+ state=ACTIVE' "$(status tcp:127.0.0.1:16673)"
equal "storage status" "status: ok" "$(ctl ovsdb-server/get-db-storage-status Open_vSwitch)"
refuse "of no database" 'Failed to find the database' ctl ovsdb-server/get-db-storage-status Nope
check "compact with memory" bash -c "ovs-appctl -t '$dir/dbd.ctl' ovsdb-server/memory-trim-on-compaction on && ovs-appctl -t '$dir/dbd.ctl' ovsdb-server/compact"
for p in "${pids[@]:1}"; do kill "$p"; wait "$p" 2>/dev/null; done
pids=("${pids[0]}")
wait_for 10 bash -c "ovs-vsctl --db='unix:$dir/db.sock' --no-wait --bare --columns=status list manager | grep -q 'sec_since_connect=.*sec_since_disconnect='"
check "exit" ctl exit
