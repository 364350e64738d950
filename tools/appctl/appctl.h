/* appctl.h - weft-appctl, the role of ovs-appctl and ovn-appctl: one command to one daemon.
 *
 * Beside the rooms of the architecture. Exit status: 0 the command succeeded (its answer is on
 * standard output), 2 it failed (its error is on standard error), 1 it could not be asked.
 */
#pragma once

int appctl_main(int argc, char **argv);
