/* register.h - our rows in SB: Chassis, its Encaps, Chassis_Private. */
#pragma once

#include "controller/chassis/config.h"
#include "controller/writer.h"

/* Writes what is missing or different. */
void register_run(const struct config *config, const struct replica *sb, struct writer *writer);
/* Deletes our rows and frees the ports bound here: a graceful exit. True when there was something to write. */
bool register_remove(const struct config *config, const struct replica *sb, struct writer *writer);
/* Our row in Chassis_Private, or NULL. */
const struct row *register_private_row(const struct config *config, const struct replica *sb);
