/* dns.c - DNS rows of SB (rows.c; room 5 of docs/architecture.md): the row has the uuid of its NB row, which external_ids:dns_id names
 * for peers.
 */
#include "northd/publish/internal.h"

#include <stdlib.h>

static const struct datum *switches(struct publisher *pub, const struct uuid *dns)
{
    struct inc_facts all = inc_look(pub->inc, pub->p->dns.in_ls_dns_by_dns, dns);
    union atom *atoms = xcalloc(all.n + 1, sizeof *atoms);
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        const struct feed_ref *use = all.v[i];
        const struct pub_datapath *dp = datapaths_find(pub, &use->row);
        if (dp && dp->in_sb)
            atoms[n++].uuid = dp->sb;
    }
    const struct datum *d = datum_new_set(ATOM_UUID, atoms, n);
    free(atoms);
    return d;
}

void dns_write(struct publisher *pub, const void *fact, const struct row *row)
{
    enum { T = SB_TABLE_DNS };
    const struct fact_dns_binding *f = fact;
    struct pairs ids = {0};
    char text[UUID_TEXT_LEN + 1];
    pairs_put(&ids, "dns_id", uuid_print(&f->dns, text));
    publisher_put(pub, T, &f->dns, row, SB_DNS_COL_RECORDS,
                  datum_ref(nb_dns_records(nb_dns_cast(f->row))));
    publisher_put(pub, T, &f->dns, row, SB_DNS_COL_EXTERNAL_IDS, pairs_take(&ids));
    publisher_put(pub, T, &f->dns, row, SB_DNS_COL_DATAPATHS, switches(pub, &f->dns));
}
