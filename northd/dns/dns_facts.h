/* dns_facts.h - facts of DNS records (rooms 2 to 5 of docs/architecture.md), and the room's collections. */
#pragma once

#include "northd/facts.h"

/* A southbound DNS row, which has the uuid of its NB row. */
struct fact_dns_binding {
    struct uuid dns;
    const struct row *row; /* NB */
    uint64_t switches[2];  /* changes when they do */
};

extern const struct inc_type northd_type_dns_binding;

struct dns_facts {
    struct inc_coll *in_dns, *in_ls_dns;
    struct inc_index *in_dns_by_uuid, *in_ls_dns_by_dns;
    struct inc_coll *binding, *answers; /* answers: switches (a uuid) that have records */
    struct inc_index *answers_by_ls;
};
