/* nbctl.h - weft-nbctl: what its files share.
 *
 * program.c  options, waiting for northd and hypervisors (--wait), the list of commands
 * switch.c   ls-*       port.c    lsp-*       addresses.c   what lsp-set-addresses accepts
 * router.c   lr-*       router_port.c  lrp-*    route.c  lr-route-*
 * show.c     show       find.c    switches, routers, ports by name or uuid
 *
 * Commands, messages and exit codes are ovn-nbctl's.
 */
#pragma once

#include "ctl/ctl.h"

int nbctl_main(int argc, char **argv);

extern const struct ctl_command nb_general_commands[], nb_switch_commands[], nb_port_commands[],
    nb_router_commands[], nb_router_port_commands[], nb_route_commands[];

/* By uuid or name. *ret is NULL when there is none and that is allowed. */
int nb_switch_find(struct ctl_call *call, const char *id, bool must_exist, const struct row **ret);
int nb_port_find(struct ctl_call *call, const char *id, bool must_exist, const struct row **ret);
int nb_router_find(struct ctl_call *call, const char *id, bool must_exist, const struct row **ret);
int nb_router_port_find(struct ctl_call *call, const char *id, bool must_exist,
                        const struct row **ret);
/* The row of TABLE whose column "ports" holds PORT, or NULL. */
const struct row *nb_owner(struct ctl_call *call, const char *table, const struct row *port);
/* Deletes OWNER with everything in its COLUMN. */
void nb_delete_with(struct ctl_call *call, const struct row *owner, const char *column);
/* Prints "UUID (NAME)" of each. */
void nb_put_names(struct ctl_call *call, const struct row_list *rows);
int nb_parse_enabled(struct ctl_call *call, const char *text, bool *ret);
/* "KEY=VALUE" words become the whole of a map of strings. */
void nb_set_options(struct ctl_call *call, const struct row *row, const char *column, char **words,
                    int n);
/* The Gateway_Chassis rows of a router port, the highest priority first. */
struct row_list nb_gateways(struct ctl_call *call, const struct row *port);
/* May PORT have ADDRESS? Its form, and that no other port has its IPv4 address. */
int nb_check_address(struct ctl_call *call, const struct row *port, const char *address);
