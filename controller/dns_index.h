/* dns_index.h - the rows of SB's DNS table by datapath, for answers to queries (pinctrl/dns.c).
 */
#pragma once

#include "base/hmap.h"
#include "rows/sb.h"

struct dns_index {
    struct hmap rows; /* by datapath */
};

void dns_index_clear(struct dns_index *index);
void dns_index_fini(struct dns_index *index);
/* BEFORE and AFTER are versions of one row; NULL: there is none. */
void dns_index_change(struct dns_index *index, const struct row *before, const struct row *after);
/* What DATAPATH's records say of NAME (lower case), or NULL. *IS_OWNED: nobody else is to be asked for what is missing. */
const char *dns_index_find(const struct dns_index *index, const struct uuid *datapath,
                           const char *name, bool *is_owned);
