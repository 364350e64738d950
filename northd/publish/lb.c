/* lb.c - Load_Balancer and Service_Monitor rows of SB (rows.c; room 5 of docs/architecture.md). The first has the uuid of its NB row, whose uuid in
 * external_ids:lb_id is what peers know it by. The switches are in datapaths, by element: groups of datapaths would be shared
 * with flows.
 */
#include "northd/publish/internal.h"

#include <stdlib.h>

static const struct datum *switches_of(struct publisher *pub, const struct uuid *at)
{
    struct inc_facts all = inc_look(pub->inc, pub->p->lb.member_by_class, at);
    union atom *atoms = xcalloc(all.n + 1, sizeof *atoms);
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        const struct fact_class_member *member = all.v[i];
        const struct pub_datapath *dp = datapaths_find(pub, &member->datapath);
        if (dp && dp->in_sb)
            atoms[n++].uuid = dp->sb;
    }
    const struct datum *d = datum_new_set(ATOM_UUID, atoms, n);
    free(atoms);
    return d;
}

/* Many load balancers have one group's switches. */
static const struct datum *switches(struct publisher *pub, const struct uuid *lb)
{
    struct inc_facts places = inc_look(pub->inc, pub->p->lb.place_by_lb, lb);
    struct pub_switches *last = &pub->last_switches;
    if (!places.n)
        return datum_new_empty(ATOM_UUID, DATUM_SET);
    const struct fact_lb_place *place = places.v[0];
    if (!last->datum || !uuid_equal(&last->at, &place->at)) {
        datum_unref(last->datum);
        *last = (struct pub_switches){place->at, switches_of(pub, &place->at)};
    }
    return datum_ref(last->datum);
}

void lb_end(struct publisher *pub)
{
    datum_unref(pub->last_switches.datum);
    pub->last_switches.datum = NULL;
}

/* hairpin_orig_tuple: flows keep the VIP in registers before they translate. */
static const struct datum *options(const struct nb_load_balancer *nb)
{
    struct pairs pairs = {0};
    pairs_put(&pairs, "hairpin_orig_tuple", "true");
    pairs_put_all(&pairs, nb_load_balancer_options(nb));
    return pairs_take(&pairs);
}

static const struct datum *external_ids(const struct uuid *lb)
{
    struct pairs pairs = {0};
    char text[UUID_TEXT_LEN + 1];
    pairs_put(&pairs, "lb_id", uuid_print(lb, text));
    return pairs_take(&pairs);
}

void lb_write_binding(struct publisher *pub, const void *fact, const struct row *row)
{
    enum { T = SB_TABLE_LOAD_BALANCER };
    const struct fact_lb_binding *f = fact;
    const struct nb_load_balancer *nb = nb_load_balancer_cast(f->row);
    publisher_put(pub, T, &f->lb, row, SB_LOAD_BALANCER_COL_NAME,
                  datum_new_string(nb_load_balancer_name(nb)));
    publisher_put(pub, T, &f->lb, row, SB_LOAD_BALANCER_COL_VIPS,
                  datum_ref(nb_load_balancer_vips(nb)));
    publisher_put(pub, T, &f->lb, row, SB_LOAD_BALANCER_COL_PROTOCOL,
                  datum_ref(f->row->values[NB_LOAD_BALANCER_COL_PROTOCOL]));
    publisher_put(pub, T, &f->lb, row, SB_LOAD_BALANCER_COL_OPTIONS, options(nb));
    publisher_put(pub, T, &f->lb, row, SB_LOAD_BALANCER_COL_EXTERNAL_IDS, external_ids(&f->lb));
    publisher_put(pub, T, &f->lb, row, SB_LOAD_BALANCER_COL_DATAPATHS, switches(pub, &f->lb));
}

static const struct datum *address_text(const struct address *a)
{
    struct str s = STR_INIT;
    address_put(&s, a);
    const struct datum *d = datum_new_string(str_c(&s));
    str_fini(&s);
    return d;
}

static const struct datum *optional_text(const char *text)
{
    union atom atom = {.string = rstr_new(text)};
    return datum_new_set(ATOM_STRING, &atom, 1);
}

/* All but the status, which the controller at the backend's port writes. */
void lb_write_monitor(struct publisher *pub, const void *fact, const struct row *row)
{
    enum { T = SB_TABLE_SERVICE_MONITOR };
    const struct fact_lb_monitor *f = fact;
    const struct {
        int column;
        const struct datum *value;
    } columns[] = {
        {SB_SERVICE_MONITOR_COL_TYPE, optional_text("load-balancer")},
        {SB_SERVICE_MONITOR_COL_IP, address_text(&f->backend)},
        {SB_SERVICE_MONITOR_COL_PROTOCOL, optional_text(f->protocol->s)},
        {SB_SERVICE_MONITOR_COL_PORT, datum_new_integer((int64_t)f->backend_port)},
        {SB_SERVICE_MONITOR_COL_LOGICAL_PORT, datum_new_string(f->port->s)},
        {SB_SERVICE_MONITOR_COL_SRC_MAC, datum_new_string(f->mac->s)},
        {SB_SERVICE_MONITOR_COL_SRC_IP, address_text(&f->source)},
        {SB_SERVICE_MONITOR_COL_OPTIONS, datum_ref(nb_load_balancer_health_check_options(
                                             nb_load_balancer_health_check_cast(f->check)))},
    };
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
        publisher_put(pub, T, &f->monitor, row, columns[i].column, columns[i].value);
}
