/* flow_monitor.h - FLOW_MONITOR: who wants to hear of changes of flows, and what is told.
 *
 * OpenFlow 1.4 and later (7.3.5.18 of 1.5), Nicira's form for 1.0 and ONF's for 1.3; these two have no filter by group and
 * call what exists already ADDED. The standard's flag ONLY_OWN is used as Open vSwitch does, whose clients set it always: as another
 * NO_ABBREV, so that nobody can ask for the changes of its own alone.
 */
#pragma once

#include "openflow/flow_mod.h"

/* flags of a request */
#define OF_MONITOR_INITIAL 1
#define OF_MONITOR_ADD 2
#define OF_MONITOR_REMOVED 4
#define OF_MONITOR_MODIFY 8
#define OF_MONITOR_ACTIONS 16   /* tell actions */
#define OF_MONITOR_NO_ABBREV 32 /* tell in full what this connection did itself */

enum of_monitor_command { OF_MONITOR_CREATE, OF_MONITOR_CHANGE, OF_MONITOR_DELETE };

struct of_flow_monitor {
    enum of_monitor_command command;
    uint32_t id;
    uint16_t flags;               /* OF_MONITOR_* */
    uint32_t out_port, out_group; /* PORT_ANY, OF_GROUP_ANY: no filter */
    uint8_t table_id;             /* OF_TABLE_ALL */
    struct match match;
};

/* One that wants everything of all flows. */
void of_flow_monitor_init(struct of_flow_monitor *fm);
/* A request with one monitor; an extension in versions before 1.4. */
void of_flow_monitor_encode(const struct of_flow_monitor *fm, uint8_t version, uint32_t xid,
                            struct of_buf *out);
/* Walks the monitors of a request: *OFS starts at 0. 1: RET is filled, 0: the end, negative: -OF_ERROR. */
int of_flow_monitor_next(const struct of_msg *msg, size_t *ofs,
                         struct of_flow_monitor *ret) MUST_CHECK;
/* NXT_FLOW_MONITOR_CANCEL, of versions before 1.4. */
void of_flow_monitor_cancel_encode(uint32_t id, uint8_t version, uint32_t xid, struct of_buf *out);
/* Text as after "watch:", ovs-ofctl(8): "!initial,!own,table=1,in_port=2". */
int of_flow_monitor_parse(const char *text, const struct port_names *ports,
                          struct of_flow_monitor *ret, struct diag *diag) MUST_CHECK;
void of_flow_monitor_print(struct str *s, const struct of_flow_monitor *fm,
                           const struct port_names *ports);

enum of_update_event {
    OF_UPDATE_INITIAL,
    OF_UPDATE_ADDED,
    OF_UPDATE_REMOVED,
    OF_UPDATE_MODIFIED,
    OF_UPDATE_ABBREV, /* only xid counts */
    OF_UPDATE_PAUSED, /* what follows on a pause is not told until OF_UPDATE_RESUMED; no other member */
    OF_UPDATE_RESUMED,
};
struct of_flow_update {
    enum of_update_event event;
    uint32_t xid; /* ABBREV: of the message that made the change */
    uint8_t reason, table_id;
    uint16_t priority, idle_timeout, hard_timeout;
    uint64_t cookie;
    struct match match;
    struct of_actions actions; /* encoding: borrowed */
};
/* Appends one update to REPLY, that of a FLOW_MONITOR request. PAUSED and RESUMED are such only from 1.4 on. */
void of_flow_update_put(struct of_reply *reply, const struct of_flow_update *u);
/* Walks the updates of a reply; RET is to be finished. */
int of_flow_update_next(const struct of_msg *msg, size_t *ofs,
                        struct of_flow_update *ret) MUST_CHECK;
void of_flow_update_fini(struct of_flow_update *u);
/* " event=ADDED table=0 cookie=0 in_port=1 actions=drop" */
void of_flow_update_print(struct str *s, const struct of_flow_update *u,
                          const struct port_names *ports);
