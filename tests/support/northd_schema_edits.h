/* northd_schema_edits.h - random edits made from the schema: of the tables and columns of NB that the other edits of northd's oracle do
 * not speak of, so that nothing in NB is left out, whether northd acts on it or not. Included by one file a test program.
 */
#pragma once

#include "support/northd_pick.h"

/* Columns beside whole tables; what other edits keep account of (ports, names) is not here. */
static const struct {
    const char *table, *column; /* NULL: all */
} schema_edited[] = {
    {"ACL", "network_function_group"},
    {"ACL", "sample_new"},
    {"ACL", "sample_est"},
    {"ACL", "external_ids"},
    {"BFD", NULL},
    {"Chassis_Template_Var", NULL},
    {"Connection", NULL},
    {"Copp", NULL},
    {"DHCP_Relay", NULL},
    {"Forwarding_Group", NULL},
    {"Load_Balancer", "external_ids"},
    {"Logical_Router", "copp"},
    {"Logical_Router", "external_ids"},
    {"Logical_Router_Policy", "chain"},
    {"Logical_Router_Policy", "jump_chain"},
    {"Logical_Router_Policy", "bfd_sessions"},
    {"Logical_Router_Policy", "external_ids"},
    {"Logical_Router_Port", "ipv6_prefix"},
    {"Logical_Router_Port", "dhcp_relay"},
    {"Logical_Router_Port", "status"},
    {"Logical_Router_Port", "external_ids"},
    {"Logical_Router_Static_Route", "bfd"},
    {"Logical_Switch", "copp"},
    {"Logical_Switch", "forwarding_groups"},
    {"Logical_Switch", "external_ids"},
    {"Logical_Switch_Port", "tag"},
    {"Logical_Switch_Port", "up"},
    {"Logical_Switch_Port", "mirror_rules"},
    {"Logical_Switch_Port", "health_checks"},
    {"Logical_Switch_Port", "external_ids"},
    {"Mirror", NULL},
    {"Mirror_Rule", NULL},
    {"NB_Global", "nb_cfg"},
    {"NB_Global", "ipsec"},
    {"NB_Global", "connections"},
    {"NB_Global", "ssl"},
    {"Network_Function", NULL},
    {"Network_Function_Group", NULL},
    {"Network_Function_Health_Check", NULL},
    {"SSL", NULL},
    {"Sample", NULL},
    {"Sample_Collector", NULL},
    {"Sampling_App", NULL},
};

static const struct datum *schema_value(struct world *w, const struct column_type *type,
                                        unsigned depth);

static const struct row *schema_any_row(struct world *w, const struct schema_table *t)
{
    const struct row *row;
    size_t n = replica_n_rows(w->nb_client, t), k = n ? pick(w, n) : 0;
    REPLICA_FOR_EACH(row, pos, w->nb_client, t)
    if (!k--)
        return row;
    return NULL;
}

static struct uuid schema_new_row(struct world *w, const struct schema_table *t, unsigned depth)
{
    struct uuid uuid = replica_txn_insert(world_txn(w), t);
    for (size_t i = 0; i < t->n_columns; i++)
        replica_txn_set(world_txn(w), t, &uuid, &t->columns[i],
                        schema_value(w, &t->columns[i].type, depth + 1));
    return uuid;
}

static union atom schema_atom(struct world *w, const struct base_type *type, unsigned depth)
{
    if (type->enumeration) {
        union atom atom = type->enumeration->atoms[pick(w, type->enumeration->n)];
        if (type->type == ATOM_STRING)
            rstr_ref(atom.string);
        return atom;
    }
    switch (type->type) {
    case ATOM_INTEGER:
        return (union atom){.integer = MAX(type->min_integer, 0) + (int64_t)pick(w, 4)};
    case ATOM_BOOLEAN:
        return (union atom){.boolean = pick(w, 2)};
    case ATOM_STRING:
        return (union atom){.string = rstr_new(PICK(w, "x", "y", "10.0.0.1", "rp1", "p1", "hv1",
                                                    "nonsense", "30.0.0.1:80"))};
    case ATOM_UUID: {
        const struct row *row = schema_any_row(w, type->ref_table);
        return (union atom){.uuid = row && pick(w, 2) ? row->uuid
                                                      : schema_new_row(w, type->ref_table, depth)};
    }
    default:
        return (union atom){.real = 1};
    }
}

/* At most one element; references end after two rows. */
static const struct datum *schema_value(struct world *w, const struct column_type *type,
                                        unsigned depth)
{
    bool empty = !type->n_min && (depth > 2 || !pick(w, 3));
    union atom key, value;
    if (empty || (depth > 4 && type->key.type == ATOM_UUID))
        return datum_new_empty(type->key.type,
                               type->is_map ? (uint8_t)type->value.type : (uint8_t)DATUM_SET);
    key = schema_atom(w, &type->key, depth);
    if (!type->is_map)
        return datum_new_set(type->key.type, &key, 1);
    value = schema_atom(w, &type->value, depth);
    return datum_new_map(type->key.type, type->value.type, &key, &value, 1);
}

static UNUSED void schema_edit(struct world *w)
{
    size_t i = pick(w, sizeof schema_edited / sizeof *schema_edited);
    const struct schema_table *t = replica_table(w->nb_client, schema_edited[i].table);
    const struct row *row = schema_any_row(w, t);
    const struct schema_column *c = schema_edited[i].column
                                        ? schema_column_find(t, schema_edited[i].column)
                                        : &t->columns[pick(w, t->n_columns)];
    assert_non_null(c);
    if (!schema_edited[i].column && t->is_root && (!row || !pick(w, 6)))
        (void)schema_new_row(w, t, 0);
    else if (row && !schema_edited[i].column && t->is_root && !pick(w, 6))
        replica_txn_delete(world_txn(w), t, &row->uuid);
    else if (row && c->is_mutable)
        replica_txn_set(world_txn(w), t, &row->uuid, c, schema_value(w, &c->type, 0));
}
