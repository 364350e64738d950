/* flows.h - the OpenFlow flows of a hypervisor's integration bridge as text, to tell what has changed. */
#pragma once

#include "base/str.h"
#include "sim/cluster.h"

typedef VEC(char *) flow_texts;

void flows_read(struct hypervisor *hv, flow_texts *ret); /* sorted */
void flows_free(flow_texts *flows);
/* Lines "- FLOW" for what is only in BEFORE, "+ FLOW" for what is only in AFTER. */
void flows_put_difference(const flow_texts *before, const flow_texts *after, struct str *out);
/* All flows with their packets to file "flows" in the hypervisor's directory: for who has to find out why the simulation failed. */
void flows_write(struct hypervisor *hv);
