/* lflow.h - lflow-list: what its files share. lflow.c: logical flows; vflows.c: what else makes flows of a switch. */
#pragma once

#include "openflow/flow_list.h"
#include "tools/sbctl/sbctl.h"

struct listing {
    struct ctl_call *call;
    const struct row *wanted; /* datapath; NULL: all */
    bool show_uuid;
    struct flow_list *switch_flows; /* --ovs; NULL: not wanted, or not to be had */
};

/* The beginning of a row's line: two blanks, and with --uuid the cookie of its flows. */
void listing_put_uuid(struct listing *l, const struct row *row);
/* With --ovs: the flows of the switch that come from ROW. */
void listing_put_flows(struct listing *l, const struct row *row);
/* vflows.c */
void listing_put_vflows(struct listing *l);
void listing_need_vflows(struct ctl_call *call);
