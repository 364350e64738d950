/* failover.h - a hypervisor that carries an edge dies: the edge's next gateway must carry it, with nobody told, until it is back. */
#pragma once

#include "sim/probe.h"

void failover_try(struct net *net, unsigned n_probes, struct probe_counts *counts);
