/* tunnels.h - tunnel ports of the integration bridge: written as the engine wants them. */
#pragma once

#include "controller/chassis/config.h"
#include "controller/program.h"
#include "controller/writer.h"

/* Adds the ports that are wanted (want_tunnel facts) and not there, removes those there and not wanted. The engine must
 * not be in the middle of a settle. True when the switch has opened all that are wanted, or has said that it cannot. */
bool tunnels_write(const struct config *config, const struct program *program,
                   const struct inc *inc, const struct replica *ovs, struct writer *writer);
/* Removes all of them: a graceful exit. */
void tunnels_remove(const struct config *config, const struct replica *ovs, struct writer *writer);
