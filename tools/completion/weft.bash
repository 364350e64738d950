# Completion of weft-nbctl, weft-sbctl, weft-vsctl, weft-dbctl, weft-ofctl, weft-appctl, weft-trace, weft-lflow, weft-lab and the daemons for bash.
#
# Nothing is listed here: commands, their options and the kinds of their arguments are what the programs themselves print
# with --commands, --options and --tables, and names of switches, ports and bridges come from the database (with a short
# timeout, so that a missing server does not hold up the shell).

# The words of the command line so far that concern the present command: behind the last "--".
_weft_words()
{
    local i
    _weft_command=() _weft_position=-1
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --) _weft_command=() _weft_position=-1 ;;
        -*) ;;
        =) ((i++)) ;;
        *)
            _weft_command+=("${COMP_WORDS[i]}")
            ((_weft_position++))
            ;;
        esac
    done
}

# _weft_names PROGRAM KIND: what may stand where the usage says KIND.
_weft_names()
{
    local ask=("$1" --timeout=1)
    case $2 in
    SWITCH | ROUTER | 'SWITCH|ROUTER' | 'SWITCH|PORTGROUP')
        [[ $2 == *SWITCH* ]] && "${ask[@]}" --bare --columns=name list Logical_Switch
        [[ $2 == *ROUTER* ]] && "${ask[@]}" --bare --columns=name list Logical_Router
        [[ $2 == *PORTGROUP* ]] && "${ask[@]}" --bare --columns=name list Port_Group
        ;;
    LB) "${ask[@]}" --bare --columns=name list Load_Balancer ;;
    MIRROR | METER) "${ask[@]}" --bare --columns=name list "$2" ;;
    ADDRESS_SET) "${ask[@]}" --bare --columns=name list Address_Set ;;
    DIRECTION) printf '%s\n' from-lport to-lport ;;
    ACTION) _weft_actions ;;
    GROUP) "${ask[@]}" --bare --columns=name list "$(_weft_group_table)" ;;
    PORT)
        case $1 in
        *nbctl) "${ask[@]}" --bare --columns=name list "$(_weft_port_table)" ;;
        *sbctl) "${ask[@]}" --bare --columns=logical_port list Port_Binding ;;
        *vsctl) "${ask[@]}" --no-wait --bare --columns=name list Port ;;
        esac
        ;;
    BRIDGE | PARENT) "${ask[@]}" list-br ;;
    IFACE) "${ask[@]}" --bare --columns=name list Interface ;;
    CHASSIS) "${ask[@]}" --bare --columns=name list Chassis ;;
    DATAPATH) "${ask[@]}" --bare --columns=external_ids list Datapath_Binding | sed -n 's/.*name=\([^ ]*\).*/\1/p' ;;
    TABLE) "$1" --tables ;;
    RECORD)
        "${ask[@]}" --bare --columns=name list "${_weft_command[1]}" ||
            "${ask[@]}" --bare --columns=_uuid list "${_weft_command[1]}"
        ;;
    STATE) printf '%s\n' enabled disabled ;;
    MODE) printf '%s\n' standalone secure ;;
    FILE | SCHEMA) compgen -f -- "$cur" ;;
    esac 2>/dev/null
}

_weft_port_table()
{
    [[ ${_weft_command[0]} == lrp-* || ${_weft_command[0]} == static-mac-* ]] && echo Logical_Router_Port || echo Logical_Switch_Port
}

_weft_group_table()
{
    case ${_weft_command[0]} in
    pg-*) echo Port_Group ;;
    fwd-*) echo Forwarding_Group ;;
    *) echo HA_Chassis_Group ;;
    esac
}

_weft_actions()
{
    case ${_weft_command[0]} in
    acl-add) printf '%s\n' allow allow-related allow-stateless drop reject ;;
    lr-policy-add) printf '%s\n' allow drop reroute jump ;;
    meter-add) echo drop ;;
    esac
}

_weft()
{
    local program=$1 cur=${COMP_WORDS[COMP_CWORD]} name usage options kinds kind
    local -a _weft_command
    local _weft_position
    COMPREPLY=()
    _weft_words
    if ((_weft_position < 0)); then
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$("$program" --options 2>/dev/null)
                $("$program" --commands 2>/dev/null | cut -f3 | tr ',' '\n' | sort -u)" -- "$cur")
            [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
        else
            mapfile -t COMPREPLY < <(compgen -W "$("$program" --commands 2>/dev/null | cut -f1)" -- "$cur")
        fi
        return
    fi
    while IFS=$'\t' read -r name usage options; do
        [[ $name == "${_weft_command[0]}" ]] && kinds=$usage
    done < <("$program" --commands 2>/dev/null)
    # The kind of the argument at the cursor: the usage's word there, or its last when that repeats.
    read -ra kinds <<<"${kinds//[\[\]]/}"
    ((${#kinds[@]})) || return
    kind=${kinds[_weft_position]-${kinds[-1]}}
    mapfile -t COMPREPLY < <(compgen -W "$(_weft_names "$program" "${kind%...}")" -- "$cur")
}

complete -F _weft weft-nbctl weft-sbctl weft-vsctl weft-dbctl

# weft-ofctl: NAME<tab>ARGUMENTS of each command, from its help.
_weft_ofctl_commands()
{
    "$1" --help 2>/dev/null | sed -n '/^Commands:/,/^Options:/ { /^  [a-z]/ { s/^  //; s/   *.*//; s/ /\t/; p } }'
}

# weft-ofctl: bridges are those of the database, and those whose switch listens; ports and tables are what the switch says.
_weft_ofctl_names()
{
    case $2 in
    SWITCH | TARGET | SOURCE*)
        weft-vsctl --timeout=1 --no-wait list-br
        find "${WEFT_RUNDIR:-/var/run/openvswitch}" -name '*.mgmt' -printf '%f\n' | sed 's/\.mgmt$//'
        [[ $2 == SOURCE* ]] && compgen -f -- "$3"
        ;;
    IFACE | PORT) "$1" -t 1 -O OpenFlow14 dump-ports-desc "${_weft_command[1]}" | sed -n 's/^ *[A-Z0-9]*(\(.*\)): addr.*/\1/p' ;;
    ACT) printf '%s\n' up down {,no-}{stp,receive,receive-stp,flood,forward,packet-in} ;;
    FRAG_MODE) printf '%s\n' normal drop nx-match ;;
    SETTING) printf '%s\n' evict noevict vacancy: novacancy name: ;;
    VERSION) printf '%s\n' OpenFlow10 OpenFlow13 OpenFlow14 OpenFlow15 ;;
    FLOW) printf '%s\n' table= cookie= priority= in_port= ;;
    FILE | PCAP) compgen -f -- "$3" ;;
    esac 2>/dev/null | sort -u
}

_weft_ofctl()
{
    local program=$1 cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i name usage kinds='' kind
    local -a _weft_command=()
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -O | -F | -t) ((i++)) ;;
        -*) ;;
        =) ((i++)) ;;
        *) _weft_command+=("${COMP_WORDS[i]}") ;;
        esac
    done
    if [[ $before == -O || $before == --protocols ]]; then
        kind=VERSION
    elif [[ $before == -F || $before == --flow-format ]]; then
        mapfile -t COMPREPLY < <(compgen -W "any OpenFlow10 NXM OXM" -- "$cur")
        return
    elif [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" --help 2>/dev/null | sed -n 's/^  \(-., \)\?\(--[a-z-]*\)\[\?\(=\?\).*/\2\3/p')" -- "$cur")
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
        return
    elif ((!${#_weft_command[@]})); then
        mapfile -t COMPREPLY < <(compgen -W "$(_weft_ofctl_commands "$program" | cut -f1)" -- "$cur")
        return
    else
        while IFS=$'\t' read -r name usage; do
            [[ $name == "${_weft_command[0]}" ]] && kinds=$usage
        done < <(_weft_ofctl_commands "$program")
        read -ra kinds <<<"${kinds//[\[\]]/}"
        ((${#kinds[@]})) || return
        kind=${kinds[${#_weft_command[@]} - 1]-}
    fi
    mapfile -t COMPREPLY < <(compgen -W "$(_weft_ofctl_names "$program" "${kind%...}" "$cur")" -- "$cur")
    [[ ${COMPREPLY[0]-} == *[:=] ]] && compopt -o nospace 2>/dev/null
    true
}

# weft-appctl: the daemons, and what the chosen one says it can be asked.
_weft_appctl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} target=() i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -t | --target) target=(-t "${COMP_WORDS[i + 1]-}") ;;
        esac
    done
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    -t | --target)
        mapfile -t COMPREPLY < <(compgen -W "weft-northd weft-switchd weft-controller weft-dbd weft-testcontroller" -- "$cur")
        return
        ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "-t --target= --timeout= --help --version" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -W "$(timeout 1 "$1" "${target[@]}" list-commands 2>/dev/null | sed -n 's/^  \([^ ]*\).*/\1/p')" -- "$cur")
    fi
}

# weft-lab: its commands, and for those that take a node the nodes of the lab "lab".
_weft_lab()
{
    local cur=${COMP_WORDS[COMP_CWORD]}
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    exec | shell | pid | vm-del)
        mapfile -t COMPREPLY < <(compgen -W "$(cd "${WEFT_LAB_DIR:-/run/weft-lab}/lab" 2>/dev/null && ls)" -- "$cur")
        ;;
    *) ((COMP_CWORD > 1)) || mapfile -t COMPREPLY < <(compgen -W "--name --help --version up vm vm-del exec shell show pid down" -- "$cur") ;;
    esac
}

# weft-trace: its options, and the names of datapaths.
_weft_trace()
{
    local cur=${COMP_WORDS[COMP_CWORD]}
    case $cur in
    -*)
        mapfile -t COMPREPLY < <(compgen -W "--detailed --summary --minimal --all --ovs --friendly-names --no-friendly-names --ct= --lb-dst= --select-id= --db= --leader-only
            --no-leader-only --private-key= --certificate= --ca-cert= --help --version" -- "$cur")
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
        ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$(_weft_names weft-sbctl DATAPATH)" -- "$cur") ;;
    esac
}

# weft-lflow: one word, which --help lists; what follows explain is a match.
_weft_lflow()
{
    COMPREPLY=()
    ((COMP_CWORD > 1)) || mapfile -t COMPREPLY < <(compgen -W "explain pipeline --help --version
        $("$1" --help 2>/dev/null | sed -n 's/^  \([a-z-]*\)  .*/\1/p')" -- "${COMP_WORDS[COMP_CWORD]}")
}

# The daemons: what --help lists; the kinds of methods of those that take some; files behind an option's "=".
_weft_daemon()
{
    local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    if [[ $cur == = || $before == = ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "${cur#=}")
    elif [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$1" --help 2>/dev/null | sed -n 's/^  \(-., \)\?\(--[a-z0-9-]*\)\[\?\(=\?\).*/\2\3/p')" -- "$cur")
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
    elif [[ $1 == *testcontroller ]]; then
        mapfile -t COMPREPLY < <(compgen -W "ptcp: pssl: punix: tcp: ssl: unix:" -- "$cur")
        compopt -o nospace 2>/dev/null
    fi
    true
}

complete -F _weft_daemon weft-testcontroller weft-switchd weft-northd weft-controller weft-dbd
complete -F _weft_trace weft-trace
complete -F _weft_lflow weft-lflow
complete -F _weft_ofctl weft-ofctl
complete -F _weft_appctl weft-appctl
complete -F _weft_lab weft-lab
