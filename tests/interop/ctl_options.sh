#!/bin/bash
# Options of the command lines that only newer releases of Debian's have, or that say something about the process: columns that acl-add,
# lr-route-add and lb-add set, of which northd's log says that it does not act on them; log file, syslog and TLS.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/support/pki.sh"
begin ctl-options
cd "$dir" || exit 1
ca red && signed server red && signed client red || exit 1
start northd "$WEFT_BIN/weft-northd" -vconsole:info -p server.key -c server.pem -C red.pem --peer-ca-cert=red.pem --ssl-protocols=TLSv1.3
wait_for 20 test -S "$dir/ovnsb_db.sock"
export OVN_NB_DB=unix:$dir/ovnnb_db.sock
nbctl() { "$WEFT_BIN/weft-nbctl" --timeout=20 "$@"; }
told() { grep -qE "$1" "$dir"/northd.out; }

# Settings.
check "samples of an ACL" nbctl ls-add s -- --id=@new create Sample metadata=1 -- --id=@est create Sample metadata=2 \
    -- --sample-new=@new --sample-est=@est acl-add s to-lport 1 ip4 allow-related
new=$(nbctl --bare --columns=_uuid find Sample metadata=1)
est=$(nbctl --bare --columns=_uuid find Sample metadata=2)
equal "are in the row" "$new $est" "$(echo $(nbctl --bare --columns=sample_new,sample_est find ACL priority=1))"
check "by uuid and by its beginning" nbctl --sample-new="$new" --sample-est="${est:0:8}" acl-add s to-lport 2 ip4 allow-related
equal "too" "$new $est" "$(echo $(nbctl --bare --columns=sample_new,sample_est find ACL priority=2))"
refuse "a sample that is none" '^weft-nbctl: no row "none" in table Sample$' nbctl --sample-new=none acl-add s to-lport 3 ip4 allow
nbctl qos-add s to-lport 1 ip4 dscp=4 mark=5 rate=10 burst=5
check "a mark" [ "$(nbctl qos-list s)" = "  to-lport     1 (ip4) rate=10 burst=5 dscp=4 mark=5" ]
refuse "another word" '^weft-nbctl: foo=5: supported arguments are "dscp=", "mark=", "rate=", and "burst="$' nbctl qos-add s to-lport 2 ip4 foo=5
check "a route" nbctl lr-add r -- lrp-add r rp 0a:00:00:00:00:01 10.0.0.1/24 -- --override-connected lr-route-add r 10.1.0.0/16 10.0.0.2
equal "is said to override" override-connected=true "$(nbctl --bare --columns=options list Logical_Router_Static_Route)"
check "a load balancer" nbctl --reject --add-route lb-add lb 30.0.0.1:80 10.0.0.5:80
equal "has its options" "add_route=true reject=true" "$(nbctl --bare --columns=options list Load_Balancer)"
check "a NAT" nbctl --add-route lr-nat-add r dnat_and_snat 30.0.0.2 10.0.0.6
for said in 'does not sample' 'Load_Balancer have options:add_route.*not act' 'Static_Route have options:override-connected.*not act' \
    'NAT have options:add_route.*not act'; do
    check "northd's log: $said" wait_for 20 told "$said"
done

# Log lines.
check "a change, logged" nbctl --log-file="$dir/a.log" ls-add logged
has "as the command line that it was" 'ctl\|INFO\|Called as .*weft-nbctl .*ls-add logged$' "$(cat "$dir/a.log")"
check "a question" nbctl --log-file="$dir/b.log" ls-list
equal "is not logged" "" "$(grep Called "$dir/b.log")"
check "no file is asked for" env WEFT_LOGDIR="$dir" "$WEFT_BIN/weft-nbctl" --log-file ls-add more
has "and it has the program's name" 'Called as .*ls-add more' "$(cat "$dir/weft-nbctl.log")"
refuse "a log that cannot be" "^weft-nbctl: /nonexistent/x: cannot log to it: No such file" nbctl --log-file=/nonexistent/x ls-list
refuse "a syslog that is none" 'bogus.*libc, unix:FILE' nbctl --syslog-method=bogus ls-list
start syslog python3 -c "
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('$dir/syslog')
while True:
    print(s.recv(4096).decode(), flush=True)"
wait_for 20 test -S "$dir/syslog"
check "not for syslog" nbctl --no-syslog --syslog-method="unix:$dir/syslog" ls-add secret
check "for syslog" nbctl --syslog-method="unix:$dir/syslog" ls-add public
check "is there" wait_for 20 grep -q 'Called as .*ls-add public' "$dir/syslog.out"
equal "and nothing else" 1 "$(grep -c Called "$dir/syslog.out")"

# TLS.
check "a server that speaks 1.3 only" nbctl set-connection pssl:16671:127.0.0.1
as() { "$WEFT_BIN/weft-nbctl" --db=ssl:127.0.0.1:16671 -p "$dir/client.key" -c "$dir/client.pem" --timeout=20 "$@"; }
wait_for 20 as -C "$dir/red.pem" ls-list
refuse "is none for a client of 1.2" 'connection failed' as -C "$dir/red.pem" --ssl-protocols=TLSv1.2 ls-list
has "is one for a client of 1.3" public "$(as -C "$dir/red.pem" --ssl-protocols=TLSv1.3 --ssl-ciphersuites=TLS_AES_128_GCM_SHA256 ls-list)"
refuse "ciphers that are none" 'rubbish' as -C "$dir/red.pem" --ssl-ciphers=rubbish ls-list
has "a server whose CA is learnt, at once" public "$(as --bootstrap-ca-cert="$dir/learnt.pem" ls-list)"
has "is trusted by it then" public "$(as -C "$dir/learnt.pem" ls-list)"
has "one of several in any order" public "$(nbctl --shuffle-remotes --db="unix:$dir/none,$OVN_NB_DB" ls-list)"
