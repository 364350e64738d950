/* controller_internal.h - the state of a controller, as its own files know it. */
#pragma once

#include "controller/allocate/ids.h"
#include "controller/chassis/binding.h"
#include "controller/chassis/config.h"
#include "controller/chassis/hypervisor.h"
#include "controller/chassis/progress.h"
#include "controller/chassis/register.h"
#include "controller/controller.h"
#include "controller/sb_index.h"
#include "controller/scope.h"

struct controller {
    struct controller_options options;
    char *switch_db, *rundir;
    struct env *env;
    struct schema *ovs_schema, *sb_schema;

    struct replica *ovs, *sb; /* sb NULL: no remote is configured */
    struct replica_source *ovs_source, *sb_source;
    char *sb_remote;
    bool ovs_loaded, sb_loaded; /* contents have been complete once */
    struct writer ovs_writer, sb_writer, mac_writer;
    struct config config;

    struct program program;
    struct inc *inc;
    struct feed *feed;
    struct sb_index index;
    struct hypervisor hypervisor;
    unsigned tunnel_option; /* the one in the engine */
    struct ids ids;
    bool has_restored_ids;
    int64_t forget_ms; /* when restored numbers that nobody wants are free; 0: they are */
    struct registration registration;
    struct scope scope;
    bool is_complete;      /* the rows that the scope asks for are here, and compiled */
    bool is_settling;      /* the engine has yielded */
    bool has_arrived;      /* all rows that were asked for, before the engine began to settle */
    bool is_holding;       /* nothing is published until they are */
    bool has_asked_more;   /* a portion of rows, since the engine last was settled */
    bool is_local_changed; /* something of the switch database changed, or our chassis row */
    bool is_register_due, are_tunnels_due, are_uplinks_due; /* what is in a database may differ */
    bool are_tunnels_open; /* the switch has made all; while they are not due */

    char *bridge_target;
    struct installer *installer;
    bool is_installer_new; /* it has not heard yet what the switch should have */
    struct pinctrl *pinctrl;

    struct binding binding;
    struct progress progress;
    uint64_t generation; /* of published flows */
    uint64_t verified, verify_failures;
    uint64_t recomputes, ovs_updates, sb_updates; /* for coverage/show */
    bool is_published;                            /* the settled state has been handed on */

    struct deferred run;
    struct timer later, health;
    unsigned ovs_failures, sb_failures; /* connections that failed, as far as they are logged */
    struct explain *explain;            /* a question to explain.c that waits; NULL: none */
    bool is_leaving;
    void (*left)(void *aux);
    void *left_aux;
};

void controller_wake(void *controller);
/* Of our row in Chassis, or NULL. */
const struct uuid *controller_own_uuid(const struct controller *controller);

/* databases.c */
void controller_open_switch_db(struct controller *controller);
void controller_open_sb(struct controller *controller, const char *remote);
void controller_close_sb(struct controller *controller);

/* publish.c */
/* One slice of work; true when everything is settled and published. */
bool controller_settle(struct controller *controller);

/* control.c */
void control_register(struct controller *controller);
void control_unregister(struct controller *controller);
/* explain.c */
unixctl_fn control_explain;
/* Answers what still waits. */
void control_explain_end(struct controller *controller);
