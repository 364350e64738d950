/* nbctl.h - weft-nbctl: what its files share.
 *
 * program.c    options, waiting for northd and hypervisors (--wait), the list of commands
 * datapath.c   ls-* lr-*    port.c lsp-*    addresses.c what lsp-set-addresses accepts
 * router_port.c lrp-*       gateway_chassis.c    route.c lr-route-*    policy.c lr-policy-*
 * nat.c        lr-nat-*     load_balancer.c lb-*    balancer_use.c ls-lb-* lr-lb-*
 * acl.c        acl-*        qos.c qos-*    rule.c what lists of rules have in common
 * meter.c port_group.c ha_group.c dhcp.c forwarding.c copp.c static_mac.c mirror.c
 * check.c      check: what can never work
 * show.c       show         find.c rows by name or uuid     attribute.c columns and arguments
 *
 * Commands, messages and exit codes are ovn-nbctl's.
 */
#pragma once

#include "ctl/ctl.h"
#include "net/addr.h"

int nbctl_main(int argc, char **argv);

extern const struct ctl_command nb_general_commands[], nb_check_commands[], nb_switch_commands[],
    nb_port_commands[], nb_router_commands[], nb_router_port_commands[], nb_gateway_commands[],
    nb_route_commands[], nb_policy_commands[], nb_nat_commands[], nb_balancer_commands[],
    nb_acl_commands[], nb_qos_commands[], nb_meter_commands[], nb_port_group_commands[],
    nb_ha_group_commands[], nb_dhcp_commands[], nb_forwarding_commands[], nb_copp_commands[],
    nb_static_mac_commands[], nb_mirror_commands[], nb_balancer_use_commands[];

/* ---- find.c ---- */

/* A table whose rows people name, and the words for them in messages. */
struct nb_kind {
    const char *table, *word, *plural;
};
extern const struct nb_kind nb_switch, nb_port, nb_router, nb_router_port, nb_load_balancer,
    nb_port_group, nb_ha_group, nb_address_set, nb_mirror, nb_copp, nb_dhcp_options;

/* By uuid or name. *ret is NULL when there is none and that is allowed. */
int nb_find(struct ctl_call *call, const struct nb_kind *kind, const char *id, bool must_exist,
            const struct row **ret);
/* The row with that uuid, or all of that name. */
struct row_list nb_find_all(struct ctl_call *call, const struct nb_kind *kind, const char *id);
/* The row of TABLE whose COLUMN refers to ROW, or NULL. */
const struct row *nb_owner(struct ctl_call *call, const char *table, const char *column,
                           const struct row *row);
/* The first of the rows in column REFS of OWNER whose COLUMN is TEXT, or NULL. */
const struct row *nb_find_in(struct ctl_call *call, const struct row *owner, const char *refs,
                             const char *column, const char *text);
/* Deletes OWNER with everything in its COLUMN. */
void nb_delete_with(struct ctl_call *call, const struct row *owner, const char *column);
/* Deletes ROW, which is in COLUMN of OWNER (NULL: of nobody). */
void nb_delete_from(struct ctl_call *call, const struct row *owner, const char *column,
                    const struct row *row);
/* A new row in COLUMN of OWNER. */
const struct row *nb_insert_into(struct ctl_call *call, const struct row *owner,
                                 const char *column);
/* Prints "UUID (NAME)" of each. */
void nb_put_names(struct ctl_call *call, const struct row_list *rows);
/* The same of the rows in COLUMN of what the first argument names. */
int nb_list_names(struct ctl_call *call, const struct nb_kind *kind, const char *column);

/* ---- attribute.c: of the row that the first argument names ---- */
int nb_put_texts(struct ctl_call *call, const struct nb_kind *kind, const char *column);
int nb_put_bool(struct ctl_call *call, const struct nb_kind *kind, const char *column,
                bool if_empty, const char *yes, const char *no);
int nb_put_options(struct ctl_call *call, const struct nb_kind *kind); /* KEY=VALUE lines */
/* The other arguments become the whole of it. */
int nb_set_texts(struct ctl_call *call, const struct nb_kind *kind, const char *column);
int nb_set_options(struct ctl_call *call, const struct nb_kind *kind);
int nb_set_enabled(struct ctl_call *call, const struct nb_kind *kind);
/* "KEY=VALUE" words become the whole of a map of strings. */
void nb_set_pairs(struct ctl_call *call, const struct row *row, const char *column, char **words,
                  int n);
bool nb_parse_integer(const char *text, int64_t min, int64_t max, int64_t *ret);
int nb_parse_priority(struct ctl_call *call, const char *text, int64_t *ret);
/* "to-lport" or "from-lport"; WHAT it is called in the message. */
int nb_parse_direction(struct ctl_call *call, const char *what, const char *text, const char **ret);
/* An address of VERSION (0: any) as it is printed, owned by the caller; NULL: not one. */
char *nb_normal_address(const char *text, unsigned version);
/* The network in its shortest form, owned by the caller; NULL: not a prefix. */
char *nb_normal_prefix(const char *text, struct ip_prefix *ret);

/* ---- rule.c: ACLs, QoS rules and policies are lists in a column of their owner ---- */
struct nb_rule {
    const char *direction; /* NULL: rules of this kind have none, or any */
    int64_t priority;      /* -1: any */
    const char *match;     /* NULL: any */
};
/* A rule of COLUMN of OWNER that is exactly RULE, or NULL. */
const struct row *nb_rule_find(struct ctl_call *call, const struct row *owner, const char *column,
                               const struct nb_rule *rule);
/* Adds RULE to OWNER; the caller sets the other columns. */
const struct row *nb_rule_insert(struct ctl_call *call, const struct row *owner, const char *column,
                                 const struct nb_rule *rule);
/* Deletes all that RULE describes. */
void nb_rule_delete(struct ctl_call *call, const struct row *owner, const char *column,
                    const struct nb_rule *rule);
/* By direction, then the highest priority first, then by match. */
struct row_list nb_rules(struct ctl_call *call, const struct row *owner, const char *column);
/* "DIRECTION [PRIORITY MATCH]", the arguments from FROM on. */
int nb_rule_parse(struct ctl_call *call, int from, struct nb_rule *rule);

/* ---- others ---- */
/* The Gateway_Chassis rows of a router port, the highest priority first. */
struct row_list nb_gateways(struct ctl_call *call, const struct row *port);
/* Can traffic of a router leave through PORT on one chassis? */
bool nb_is_gateway_port(const struct row *port);
/* May PORT have ADDRESS? Its form, and that no other port has its IPv4 address. */
int nb_check_address(struct ctl_call *call, const struct row *port, const char *address);
/* The BFD session to DST over router port PORT, made when there is none. */
const struct row *nb_get_bfd(struct ctl_call *call, const char *port, const char *dst);
/* Prints these load balancers as a table; ROWS is sorted. */
void nb_put_balancers(struct ctl_call *call, struct row_list *rows);
