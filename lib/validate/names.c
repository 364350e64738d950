/* names.c - what rows call by name: ports, sets, groups, meters, of chassis the southbound database
 * knows. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "validate/internal.h"

struct search {
    const struct row *before, *row;
    const char *column;
    const struct validate_names *names;
    void (*report)(void *aux, const char *sentence);
    void *aux;
};

static void look(const struct search *s, const char *what, const char *table, const char *name)
{
    if (!*name || s->names->exists(s->names->aux, table, name))
        return;
    char uuid[UUID_TEXT_LEN + 1];
    struct str text = STR_INIT;
    str_putf(&text, "table %s, row %s, column %s: there is no %s \"%s\"", s->row->table->name,
             uuid_print(&s->row->uuid, uuid), s->column, what, name);
    s->report(s->aux, str_c(&text));
    str_fini(&text);
}

static void look_at_leaf(void *s_, const struct expr *leaf)
{
    const struct search *s = s_;
    const char *name = leaf->name->s;
    if (leaf->kind == EXPR_SET) {
        /* The sets that port groups bring along: GROUP_ip4, GROUP_ip6. */
        size_t n = strlen(name);
        if (n > 4 && (text_ends_with(name, "_ip4") || text_ends_with(name, "_ip6"))) {
            char *group = xstrndup(name, n - 4);
            bool is_group = s->names->exists(s->names->aux, "Port_Group", group);
            free(group);
            if (is_group)
                return;
        }
        look(s, "address set", "Address_Set", name);
    } else if (leaf->kind == EXPR_PORT_GROUP) {
        look(s, "port group", "Port_Group", name);
    } else if (leaf->kind == EXPR_STR) {
        if (!s->names->exists(s->names->aux, "Logical_Router_Port", name))
            look(s, "port", "Logical_Switch_Port", name);
    }
}

static bool is_new(const struct row *before, const struct row *after, const char *column)
{
    const struct datum *old = before ? validate_value(before, column) : NULL;
    return !old || !datum_equal(old, validate_value(after, column));
}

static void look_in_match(struct validate *v, struct search *s)
{
    const char *match = validate_text(s->row, "match");
    struct expr *e;
    struct diag diag = DIAG_INIT;
    s->column = "match";
    if (*match && is_new(s->before, s->row, "match") &&
        !expr_parse(v->pool, match, NULL, &e, &diag)) {
        expr_for_each_name(e, look_at_leaf, s);
        expr_unref(e);
    }
    diag_fini(&diag);
}

/* Columns that hold names. */
static const struct {
    const char *table, *column, *key, *target, *word;
} references[] = {
    {"ACL", "meter", NULL, "Meter", "meter"},
    {"Logical_Switch_Port", "parent_name", NULL, "Logical_Switch_Port", "port"},
    {"Logical_Switch_Port", "options", "router-port", "Logical_Router_Port", "router port"},
    {"Logical_Router_Port", "peer", NULL, "Logical_Router_Port", "router port"},
    {"Logical_Router_Static_Route", "output_port", NULL, "Logical_Router_Port", "router port"},
    {"NAT", "logical_port", NULL, "Logical_Switch_Port", "port"},
    {"Static_MAC_Binding", "logical_port", NULL, "Logical_Router_Port", "router port"},
    {"BFD", "logical_port", NULL, "Logical_Router_Port", "router port"},
};

static void on_unknown_option(void *s_, const char *name)
{
    const struct search *s = s_;
    char uuid[UUID_TEXT_LEN + 1];
    struct str text = STR_INIT;
    str_putf(&text,
             "table %s, row %s, column options: there is no DHCP option \"%s\" of this version of "
             "IP: it is left out",
             s->row->table->name, uuid_print(&s->row->uuid, uuid), name);
    s->report(s->aux, str_c(&text));
    str_fini(&text);
}

bool validate_is_port_type(const char *text)
{
    static const char *const types[] = {"",     "l2gateway", "localnet", "localport", "router",
                                        "vtep", "external",  "virtual",  "remote"};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (!strcmp(types[i], text))
            return true;
    return false;
}

static void look_at_type(const struct search *s)
{
    const char *type = validate_text(s->row, "type");
    if (strcmp(s->row->table->name, "Logical_Switch_Port") || validate_is_port_type(type) ||
        !is_new(s->before, s->row, "type"))
        return;
    char uuid[UUID_TEXT_LEN + 1];
    struct str text = STR_INIT;
    str_putf(&text, "table %s, row %s, column type: there is no type \"%s\"", s->row->table->name,
             uuid_print(&s->row->uuid, uuid), type);
    s->report(s->aux, str_c(&text));
    str_fini(&text);
}

void validate_row_names(struct validate *v, const struct row *before, const struct row *row,
                        const struct validate_names *names,
                        void (*report)(void *aux, const char *sentence), void *aux)
{
    struct search s = {.before = before, .row = row, .names = names, .report = report, .aux = aux};
    look_in_match(v, &s);
    if (!strcmp(row->table->name, "DHCP_Options"))
        validate_dhcp_names(before, row, on_unknown_option, &s);
    look_at_type(&s);
    for (size_t i = 0; i < ARRAY_SIZE(references); i++) {
        if (strcmp(references[i].table, row->table->name))
            continue;
        s.column = references[i].column;
        const struct datum *value = validate_value(row, s.column);
        if (!value || !is_new(before, row, s.column))
            continue;
        const char *name = references[i].key ? datum_map_text(value, references[i].key)
                                             : validate_text(row, s.column);
        look(&s, references[i].word, references[i].target, name ? name : "");
    }
}
