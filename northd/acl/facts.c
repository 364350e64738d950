/* facts.c - order, references and text of the facts in acl/facts.h (room 2 of docs/architecture.md). */
#include "northd/acl/facts.h"

#include "northd/fact_type.h"

FACT_COMPARE(acl, uuid_compare(&a->uuid, &b->uuid)) /* one a row */
static void acl_ref(const void *fact)
{
    const struct fact_acl *f = fact;
    expr_ref(f->match);
    fact_ref_text(f->name);
    fact_ref_text(f->severity);
    fact_ref_text(f->meter);
}
static void acl_unref(const void *fact)
{
    const struct fact_acl *f = fact;
    expr_unref(f->match);
    rstr_unref(f->name);
    rstr_unref(f->severity);
    rstr_unref(f->meter);
}
static void acl_print(const void *fact, struct str *out)
{
    const struct fact_acl *f = fact;
    fact_put_uuid(out, &f->uuid);
    str_putf(out, " place %u action %u priority %u tier %u (", f->place, f->action, f->priority,
             f->tier);
    expr_print(f->match, EXPR_STYLE_TEXT, out);
    str_putc(out, ')');
}

FACT_COMPARE(acl_on, uuid_compare(&a->acl, &b->acl), uuid_compare(&a->at, &b->at),
             fact_compare_u64(a->place, b->place), fact_compare_u64(a->action, b->action),
             fact_compare_u64(a->tier, b->tier))

FACT_COMPARE(group_class, uuid_compare(&a->group, &b->group), uuid_compare(&a->id, &b->id),
             fact_compare_u64(a->traits, b->traits))

FACT_COMPARE(port_group, uuid_compare(&a->uuid, &b->uuid), fact_compare_text(a->name, b->name))
FACT_TEXTS(port_group, name)
static void port_group_print(const void *fact, struct str *out)
{
    str_put(out, ((const struct fact_port_group *)fact)->name->s);
}

FACT_COMPARE(group_port, uuid_compare(&a->group, &b->group), uuid_compare(&a->ls, &b->ls),
             uuid_compare(&a->port, &b->port))
FACT_COMPARE(group_switch, uuid_compare(&a->group, &b->group), uuid_compare(&a->ls, &b->ls))

FACT_COMPARE(set, uuid_compare(&a->owner, &b->owner), fact_compare_u64(a->table, b->table),
             fact_compare_text(a->name, b->name))
FACT_TEXTS(set, name)
static void set_print(const void *fact, struct str *out)
{
    const struct fact_set *f = fact;
    str_putf(out, "%c%s", f->table == SET_ADDRESSES ? '$' : '@', f->name->s);
}

FACT_COMPARE(meter, uuid_compare(&a->uuid, &b->uuid), fact_compare_text(a->name, b->name),
             uuid_compare(&a->row->version, &b->row->version))
static void meter_ref(const void *fact)
{
    rstr_ref(((const struct fact_meter *)fact)->name);
    row_ref(((const struct fact_meter *)fact)->row);
}
static void meter_unref(const void *fact)
{
    rstr_unref(((const struct fact_meter *)fact)->name);
    row_unref(((const struct fact_meter *)fact)->row);
}
static void meter_print(const void *fact, struct str *out)
{
    str_put(out, ((const struct fact_meter *)fact)->name->s);
}

FACT_COMPARE(meter_band, uuid_compare(&a->uuid, &b->uuid), fact_compare_u64(a->rate, b->rate),
             fact_compare_u64(a->burst, b->burst))

FACT_TYPE(meter, meter_print);
FACT_TYPE_PLAIN(meter_band, NULL);
FACT_TYPE(acl, acl_print);
FACT_TYPE_PLAIN(acl_on, NULL);
FACT_TYPE_PLAIN(group_class, NULL);
FACT_TYPE(port_group, port_group_print);
FACT_TYPE_PLAIN(group_port, NULL);
FACT_TYPE_PLAIN(group_switch, NULL);
FACT_TYPE(set, set_print);

const struct inc_type northd_key_acl_on = {.name = "ACL on a switch",
                                           .size = sizeof(struct key_acl_on)};
