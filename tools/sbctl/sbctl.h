/* sbctl.h - weft-sbctl: what its files share.
 *
 * program.c  the list of commands      chassis.c  chassis-*, lsp-bind, lsp-unbind, list-bindings
 * lflow.c    lflow-list, count-flows    neighbors.c  neighbors
 * vflows.c   lflow-list --vflows
 *
 * Commands, messages and exit codes are ovn-sbctl's.
 */
#pragma once

#include "ctl/ctl.h"

int sbctl_main(int argc, char **argv);

extern const struct ctl_command sb_chassis_commands[], sb_lflow_commands[], sb_neighbor_commands[];
