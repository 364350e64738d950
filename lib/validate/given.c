/* given.c - see given.h; ovn-nb(5) "IP Address Assignment". */
#include "validate/given.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "validate/internal.h"

static bool has_subnet(const struct row *ls)
{
    const struct datum *config = validate_value(ls, "other_config");
    const char *text = config ? datum_map_text(config, "subnet") : NULL;
    struct ip_prefix subnet;
    return text && !ip_prefix_parse(text, &subnet) && subnet.addr.version == 4;
}

/* Is one of the words "dynamic", or, without WORD, an IPv4 address? */
static bool has_word(const char *text, const char *word)
{
    char *copy = xstrdup(text), *rest = copy, *next;
    struct ip_addr ip;
    bool found = false;
    while (!found && (next = strsep(&rest, " \t")) != NULL)
        found = word ? !strcmp(next, word) : !ip_addr_parse(next, &ip) && ip.version == 4;
    free(copy);
    return found;
}

static bool wants_address(const struct row *port)
{
    const struct datum *value = validate_value(port, "addresses");
    for (size_t i = 0; value && i < value->n; i++)
        if (has_word(value->atoms[i].string->s, "dynamic"))
            return true;
    return false;
}

void given_addresses(struct validate *v UNUSED, const struct row *ls, const struct row *const *rows,
                     const bool *is_new UNUSED, size_t n, const struct validate_list_world *world)
{
    char uuid[UUID_TEXT_LEN + 1];
    if (!has_subnet(ls))
        return;
    for (size_t i = 0; i < n; i++) {
        struct str s = STR_INIT;
        if (!wants_address(rows[i]) || has_word(validate_text(rows[i], "dynamic_addresses"), NULL))
            continue;
        str_putf(&s,
                 "table %s, row %s (%s): it has been given no address of other_config:subnet of "
                 "switch \"%s\"",
                 rows[i]->table->name, uuid_print(&rows[i]->uuid, uuid),
                 validate_text(rows[i], "name"), validate_text(ls, "name"));
        world->report(world->aux, str_c(&s));
        str_fini(&s);
    }
}
