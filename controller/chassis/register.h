/* register.h - our rows in SB: Chassis, its Encaps, Chassis_Private. */
#pragma once

#include "controller/chassis/config.h"
#include "controller/writer.h"

struct registration {
    char *name;      /* our rows had this name when we saw them last; NULL: not seen yet */
    char *written;   /* the end points that we have written and seen, as text; NULL: none */
    bool is_refused; /* the row of this name is another host's: nothing may be written for it */
};

void registration_fini(struct registration *r);
/* Writes what is missing or different. When the chassis is given another name its rows are renamed, so that its ports stay bound. End points that
 * another chassis has, and a name that another controller uses at the same time, are refused with a sentence in the log. */
void register_run(struct registration *r, const struct config *config, const struct replica *sb,
                  struct writer *writer);
/* Deletes our rows and frees the ports bound here: a graceful exit. True when there was something to write. */
bool register_remove(const struct config *config, const struct replica *sb, struct writer *writer);
/* Our row in Chassis_Private, or NULL. */
const struct row *register_private_row(const struct config *config, const struct replica *sb);
