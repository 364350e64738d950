/* config.h - the switch database made real: Bridge, Port and Interface rows become bridges and ports,
 * and what became of them is written back.
 *
 * Reads a replica of Open_vSwitch (hosted here or elsewhere). After each change it computes what should
 * be and changes what differs: running bridges, ports whose rows did not change and their flows are
 * not touched, nor even looked at. Everything a waiting ovs-vsctl reads (ofport, error, cur_cfg) is written in one
 * transaction. Statistics follow every 5 seconds.
 *
 *     config.c         rows -> bridges
 *     config_ports.c   rows -> ports of bridges
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
#include "switchd/slice.h"
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
    struct deferred apply, show;   /* show: a round goes on */
    VEC(struct port_error) errors; /* of the last application */
    bool applied;                  /* once at least */
    bool writing;                  /* a transaction is on its way */
    bool write_again;
    bool look_at_all; /* in what is written next: also at ports whose rows have not changed */
    /* What the next application has to look at: rows of Port and Interface, or everything; and the ports there are. */
    VEC(struct uuid) changed;
    bool is_all_changed;
    struct list ports; /* struct config_ports, one a bridge */
    uint64_t n_applied,
        n_shown; /* interfaces that were looked at: for the database's sake, for its status */
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
/* The database or the devices have changed, whatever of them: looks at everything in this turn of the loop. */
void config_schedule(struct config *config);
/* Device NAME has: looks at the ports that stand on it, and those that could not be opened. */
void config_device_changed(struct config *config, const char *name);
/* Each second, and after port_refresh_device. */
void config_tick(struct config *config);

/* ---- between config.c, its companions and status.c ---- */
const struct row *config_root(const struct config *config); /* the Open_vSwitch row, or NULL */
/* The row of a reference, or NULL. */
const struct row *config_ref(const struct config *config, int table, const struct uuid *uuid);
/* Calls for each element of a column of references that exists. */
void config_each(const struct config *config, const struct datum *refs, int table,
                 void (*fn)(void *aux, const struct row *row), void *aux);
const char *config_error(const struct config *config, const char *interface);
void config_error_add(struct config *config, const char *interface,
                      const char *text); /* unless it has one */
/* The next application looks at the row of Port or Interface. */
void config_note_row(struct config *config, const struct uuid *uuid);
/* The ports of BR, of row ROW of Bridge: those that may differ from their rows are looked at. */
void config_apply_ports(struct config *config, struct bridge *br, const struct row *row);
void config_ports_device_changed(struct config *config, const char *name);
/* A device that went away took the port's socket with it. */
bool config_port_is_gone(const struct vport *port);
void config_ports_forget(struct config *config, const struct bridge *br); /* it goes */
void config_ports_fini(struct config *config); /* the schema may go before the ports do */
/* A look at all ports, also those that showed all at the last one. */
struct show_round {
    bool begins, has_statistics;
    struct slice slice; /* for it */
    bool is_over;       /* the slice */
};
/* Calls FN for each Interface of BR that may differ from its port, then for those of the round while the slice lasts. FN: true when it
 * shows all that there is to show; STATISTICS: with these. True: some of the round are left. */
bool config_show_ports(struct config *config, const struct bridge *br, struct show_round *round,
                       bool (*fn)(void *aux, const struct row *row, bool statistics), void *aux);
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
