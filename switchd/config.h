/* config.h - the switch database made real: Bridge, Port and Interface rows become bridges and ports,
 * and what became of them is written back.
 *
 * Reads a replica of Open_vSwitch (hosted here or elsewhere). After each change it computes what should
 * be and changes what differs: running bridges, ports whose rows did not change and their flows are
 * not touched. Everything a waiting ovs-vsctl reads (ofport, error, cur_cfg) is written in one
 * transaction. Statistics follow every 5 seconds.
 *
 *     config.c         rows -> bridges
 *     config_export.c  rows -> collectors of samples
 *     config_inband.c  rows -> whom in-band control keeps the way open to
 *     config_mirror.c  rows -> mirrors
 *     config_qos.c     rows -> queues of ports
 *     config_ct.c      rows -> the connection tracker
 *     config_tables.c  rows -> limits and names of flow tables
 *     config_tls.c     rows -> keys and certificates
 *     status.c         bridges -> rows
 */
#pragma once

#include "replica/replica.h"
#include "switchd/vswitch.h"

enum { STATISTICS_MS = 5000 };

struct port_error {
    char *name; /* of the Interface */
    char *text;
};

typedef VEC(uint16_t) config_zones;

struct config {
    struct vswitch *vs;
    struct replica *db; /* borrowed */
    const struct schema *schema;
    struct deferred apply;
    VEC(struct port_error) errors; /* of the last application */
    bool applied;                  /* once at least */
    bool writing;                  /* a transaction is on its way */
    bool write_again;
    bool look_at_all; /* in what is written next: also at ports whose rows have not changed */
    int64_t statistics_at_ms, statistics_ms; /* next, and how often */
    int64_t retry_at_ms;                     /* of ports that could not be opened */
    bool links_changed;                      /* so they are tried now */
    config_zones ct_zones;                   /* of which the database says something */
    bool ct_default_limit;                   /* the database says the default */
    char *tls_texts;     /* what the database last said of TLS; NULL: not asked yet */
    bool manage_sockets; /* bridges listen at RUNDIR/BRIDGE.mgmt */
};

void config_init(struct config *config, struct vswitch *vs, struct replica *db,
                 const struct schema *schema);
void config_fini(struct config *config);
/* The database or the devices have changed: looks in this turn of the loop. */
void config_schedule(struct config *config);
/* Each second, and after port_refresh_device. */
void config_tick(struct config *config);

/* ---- between config.c, config_ct.c and status.c ---- */
const struct row *config_root(const struct config *config); /* the Open_vSwitch row, or NULL */
/* The row of a reference, or NULL. */
const struct row *config_ref(const struct config *config, int table, const struct uuid *uuid);
/* Calls for each element of a column of references that exists. */
void config_each(const struct config *config, const struct datum *refs, int table,
                 void (*fn)(void *aux, const struct row *row), void *aux);
const char *config_error(const struct config *config, const char *interface);
/* Timeouts and limits of zones; ROOT may be NULL. */
void config_apply_ct(struct config *config, const struct row *root);
/* Keys and certificates for OpenFlow; ROOT may be NULL. */
void config_apply_tls(struct config *config, const struct row *root);
void status_write(struct config *config);
/* What Flow_Table says of the tables of a bridge, of row ROW of Bridge. */
void config_apply_tables(const struct config *config, struct bridge *br, const struct row *row);
/* The collectors that sample actions of a bridge may name, of row ROW of Bridge. */
void config_apply_exports(const struct config *config, struct bridge *br, const struct row *row);
/* The mirrors of a bridge, of row ROW of Bridge. */
void config_apply_mirrors(struct config *config, struct bridge *br, const struct row *row);
/* Queues and policing of PORT, by its rows of Port and Interface. */
void config_apply_qos(const struct config *config, struct vport *port, const struct row *port_row,
                      const struct row *interface_row);
void config_read_smap(struct smap *map, const struct datum *d); /* empties MAP first */
/* Gives BR, of row ROW of Bridge, the in-band control that the database asks for. */
void config_apply_inband(struct config *config, struct bridge *br, const struct row *row);
