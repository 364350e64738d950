/* dbd.h - weft-dbd: serves any schema from SQLite files over the OVSDB protocol, nothing else.
 *
 * The role of ovsdb-server, whose command line and control commands it takes. Rooms 1 and 5 in a
 * process of their own; knows no network concept.
 */
#pragma once

struct daemon_spec;
struct dbd;

int dbd_main(int argc, char **argv);
/* For daemon_embed. */
struct dbd *dbd_new(void);
void dbd_free(struct dbd *dbd);
extern const struct daemon_spec dbd_spec; /* its aux is a struct dbd */
