/* context.c - the example world of weft-lflow; see context.h. */
#include "tools/lflow/context.h"

#include "net/addr.h"

struct symtab *context_symtab(void)
{
    struct symtab *st = symtab_new();
    symtab_add_field(st, "bad_prereq", -1, 64, false, "xyzzy", 0);
    symtab_add_field(st, "self_recurse", -1, 64, false, "self_recurse != 0", 0);
    symtab_add_field(st, "mutual_recurse_1", -1, 64, false, "mutual_recurse_2 != 0", 0);
    symtab_add_field(st, "mutual_recurse_2", -1, 64, false, "mutual_recurse_1 != 0", 0);
    symtab_add_field(st, "big_string", -1, 64, true, NULL, 0);
    return st;
}

bool context_port(const char *name, uint32_t *ret)
{
    static const struct {
        const char *name;
        uint32_t number;
    } ports[] = {{"eth0", 5},    {"eth1", 6},    {"lsp1", 0x11},
                 {"lsp2", 0x12}, {"lsp3", 0x13}, {"LOCAL", 0xfffe}};
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
        if (!strcmp(ports[i].name, name)) {
            *ret = ports[i].number;
            return true;
        }
    return false;
}

static bool number(void *aux UNUSED, const struct symbol *sym UNUSED, const char *name,
                   uint32_t *ret)
{
    return context_port(name, ret);
}

static bool has_set(void *aux UNUSED, const char *name)
{
    return !strncmp(name, "set", 3) && name[3] >= '1' && name[3] <= '4' && !name[4];
}

static bool has_group(void *aux UNUSED, const char *name)
{
    return !strcmp(name, "pg1") || !strcmp(name, "pg_empty");
}

static bool set(void *aux, const char *name, void (*add)(void *add_aux, u128 value, u128 mask),
                void *add_aux)
{
    if (!has_set(aux, name))
        return false;
    for (unsigned i = 1; i <= 3 && name[3] != '4'; i++)
        add(add_aux, (name[3] == '1' ? 0x0a000000u : 0) + i, u128_ones(128));
    return true;
}

static bool group(void *aux, const char *name, void (*add)(void *add_aux, const char *port),
                  void *add_aux)
{
    if (!has_group(aux, name))
        return false;
    if (!strcmp(name, "pg1")) {
        add(add_aux, "lsp1");
        add(add_aux, "lsp2");
        add(add_aux, "lsp3");
    }
    return true;
}

static bool resident(void *aux UNUSED, const char *port)
{
    return !strcmp(port, "eth1");
}

const struct expr_names context_names = {NULL, has_set, has_group};
const struct expr_world context_world = {.set = set, .group = group, .resident = resident};
const struct norm_ports context_ports = {NULL, number};
