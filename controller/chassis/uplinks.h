/* uplinks.h - patch ports between the integration bridge and the bridges of physical networks, written as the engine wants them. */
#pragma once

#include "controller/chassis/config.h"
#include "controller/program.h"
#include "controller/writer.h"

/* Adds the pairs that are wanted (want_uplink facts) and not there, removes those there and not wanted. The engine must not be in the
 * middle of a settle. */
void uplinks_write(const struct config *config, const struct program *program,
                   const struct inc *inc, const struct replica *ovs, struct writer *writer);
