/* test_rows.c - tests of what schemas/rowgen makes: the schemas parse, the generated indexes are those of lib/schema,
 * accessors read what was set, and nothing of the published interface is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rows/nb.h"
#include "rows/ovs.h"
#include "rows/sb.h"
#include "rows/server.h"

static void schemas_parse(void **state)
{
    struct schema *(*const makers[])(void) = {nb_schema_new, sb_schema_new, ovs_schema_new,
                                              server_schema_new};
    static const char *const names[] = {"OVN_Northbound", "OVN_Southbound", "Open_vSwitch",
                                        "_Server"};
    static const size_t n_tables[] = {NB_N_TABLES, SB_N_TABLES, OVS_N_TABLES, SERVER_N_TABLES};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
        struct schema *schema = makers[i]();
        assert_string_equal(schema->name, names[i]);
        assert_int_equal(schema->n_tables, n_tables[i]);
        assert_null(strstr(schema->text, "\"doc\""));
        assert_null(strstr(schema->text, "\"writer\""));
        schema_free(schema);
    }
}

static void indexes_agree(void **state)
{
    struct schema *schema = nb_schema_new();
    const struct schema_table *lsp = &schema->tables[NB_TABLE_LOGICAL_SWITCH_PORT];
    (void)state;
    assert_string_equal(lsp->name, "Logical_Switch_Port");
    assert_int_equal(lsp->n_columns, NB_LOGICAL_SWITCH_PORT_N_COLS);
    assert_string_equal(lsp->columns[NB_LOGICAL_SWITCH_PORT_COL_ADDRESSES].name, "addresses");
    assert_string_equal(lsp->columns[NB_LOGICAL_SWITCH_PORT_COL_UP].name, "up");
    assert_string_equal(schema->tables[NB_TABLE_NB_GLOBAL].name, "NB_Global");
    schema_free(schema);
}

static void accessors_read(void **state)
{
    struct schema *schema = nb_schema_new();
    const struct schema_table *table = &schema->tables[NB_TABLE_LOGICAL_SWITCH_PORT];
    struct uuid uuid = {{1, 2, 3}}, dhcp = {{9}};
    struct row *row = row_new(table, &uuid);
    const struct nb_logical_switch_port *lsp = nb_logical_switch_port_cast(row);
    union atom key = {.string = rstr_new("router-port")}, value = {.string = rstr_new("rp")};
    (void)state;
    assert_null(nb_logical_switch_port_cast(NULL));
    assert_true(uuid_equal(nb_logical_switch_port_uuid(lsp), &uuid));
    assert_string_equal(nb_logical_switch_port_name(lsp), "");
    assert_null(nb_logical_switch_port_parent_name(lsp));
    assert_false(nb_logical_switch_port_up_present(lsp));
    assert_false(nb_logical_switch_port_up(lsp));
    assert_int_equal(nb_logical_switch_port_tag(lsp), 0);
    assert_null(nb_logical_switch_port_dhcpv4_options(lsp));
    assert_null(nb_logical_switch_port_options_value(lsp, "router-port"));
    row_set(row, &table->columns[NB_LOGICAL_SWITCH_PORT_COL_NAME], datum_new_string("p"));
    row_set(row, &table->columns[NB_LOGICAL_SWITCH_PORT_COL_UP], datum_new_boolean(true));
    row_set(row, &table->columns[NB_LOGICAL_SWITCH_PORT_COL_TAG], datum_new_integer(7));
    row_set(row, &table->columns[NB_LOGICAL_SWITCH_PORT_COL_DHCPV4_OPTIONS], datum_new_uuid(&dhcp));
    row_set(row, &table->columns[NB_LOGICAL_SWITCH_PORT_COL_OPTIONS],
            datum_new_map(ATOM_STRING, ATOM_STRING, &key, &value, 1));
    assert_string_equal(nb_logical_switch_port_name(lsp), "p");
    assert_true(nb_logical_switch_port_up_present(lsp) && nb_logical_switch_port_up(lsp));
    assert_true(nb_logical_switch_port_tag_present(lsp));
    assert_int_equal(nb_logical_switch_port_tag(lsp), 7);
    assert_true(uuid_equal(nb_logical_switch_port_dhcpv4_options(lsp), &dhcp));
    assert_string_equal(nb_logical_switch_port_options_value(lsp, "router-port"), "rp");
    assert_null(nb_logical_switch_port_options_value(lsp, "router"));
    assert_int_equal(nb_logical_switch_port_addresses(lsp)->n, 0);
    row_unref(row);
    schema_free(schema);
}

/* One line of tests/data/ovsdb/published-columns.txt. */
struct published {
    char db[8], table[64], column[64], key[16], value[16], ref[80], enumeration[512];
    unsigned n_min, n_max; /* n_max 0: unlimited */
    int is_ephemeral;
};

static bool same_reference(const struct base_type *type, const char *ref)
{
    char *ours = type->ref == REF_NONE ? xstrdup("-")
                                       : xasprintf("%s:%s", type->ref_table_name,
                                                   type->ref == REF_STRONG ? "strong" : "weak");
    bool same = !strcmp(ours, ref);
    free(ours);
    return same;
}

static bool allows(const struct base_type *type, char *enumeration)
{
    char *save = NULL;
    if (!strcmp(enumeration, "-"))
        return type->enumeration == NULL;
    for (char *w = strtok_r(enumeration, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
        if (type->type == ATOM_STRING && !datum_has_string(type->enumeration, w))
            return false;
    }
    return true;
}

/* Everything that was ever published is there, with its type or a wider one. */
static bool covers(const struct schema *schema, struct published *p)
{
    const struct schema_table *table = schema_table_find(schema, p->table);
    const struct schema_column *c = table ? schema_column_find(table, p->column) : NULL;
    return c && !strcmp(atom_type_name(c->type.key.type), p->key) &&
           !strcmp(c->type.is_map ? atom_type_name(c->type.value.type) : "-", p->value) &&
           c->type.n_min <= p->n_min && c->type.n_max >= (p->n_max ? p->n_max : SCHEMA_UNLIMITED) &&
           same_reference(&c->type.key, p->ref) && c->is_ephemeral == p->is_ephemeral &&
           allows(&c->type.key, p->enumeration);
}

static void nothing_published_is_missing(void **state)
{
    struct schema *nb = nb_schema_new(), *sb = sb_schema_new(), *ovs = ovs_schema_new();
    FILE *f = fopen(TEST_DATA "/ovsdb/published-columns.txt", "r");
    char line[1024];
    size_t n = 0;
    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        struct published p;
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%7s %63s %63s %15s %15s %u %u %79s %d %511s", p.db, p.table,
                                p.column, p.key, p.value, &p.n_min, &p.n_max, p.ref,
                                &p.is_ephemeral, p.enumeration),
                         10);
        const struct schema *schema = !strcmp(p.db, "nb") ? nb : !strcmp(p.db, "sb") ? sb : ovs;
        if (!covers(schema, &p))
            fail_msg("%s", line);
        n++;
    }
    assert_true(n > 600);
    fclose(f);
    schema_free(nb);
    schema_free(sb);
    schema_free(ovs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_parse),
        cmocka_unit_test(indexes_agree),
        cmocka_unit_test(accessors_read),
        cmocka_unit_test(nothing_published_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
