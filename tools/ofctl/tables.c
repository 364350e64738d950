/* tables.c - mod-table: what a flow table does when it is full, what it tells of the room it has, and its name. Each setting changes
 * one thing, so the others are asked for first. */
#include "tools/ofctl/ofctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openflow/table.h"

enum { NAME_AT = 8, NAME_LEN = 32 }; /* in an entry of TABLE_FEATURES */
enum { FLAGS_AT = 10 };              /* in a multipart message */

struct search {
    uint8_t id;
    bool found;
    struct of_table_mod desc;
    const char *name;      /* to be */
    uint32_t xid;          /* of the request that says so */
    struct of_buf request; /* one message for each of the reply's, with that name */
};

static uint8_t table_arg(const struct ofctl *o)
{
    const char *text = o->argv[1];
    uint64_t id;
    if (!strcasecmp(text, "all"))
        return OF_TABLE_ALL;
    if (text_to_u64(text, 10, &id) || id >= OF_TABLE_ALL)
        ofctl_fatal("%s: unknown table \"%s\"", o->argv[0], text);
    return (uint8_t)id;
}

static void find_desc(struct client *c UNUSED, const struct of_msg *reply, void *search_)
{
    struct search *search = search_;
    struct of_table_mod desc;
    size_t ofs = 0;
    while (of_table_desc_next(reply, &ofs, &desc) > 0) {
        if (desc.id == search->id) {
            search->desc = desc;
            search->found = true;
        }
    }
}

/* A switch may want to hear of all tables at once: what it said goes back to it, with another name. */
static void rename_in(struct client *c, const struct of_msg *reply, void *search_)
{
    struct search *search = search_;
    struct of_table_features tf;
    size_t start = of_begin(&search->request, c->version, OF_TABLE_FEATURES_REQUEST, search->xid);
    put_be16(search->request.data + start + FLAGS_AT, reply->flags);
    size_t at = search->request.n, ofs = 0, before = 0;
    of_buf_put(&search->request, reply->body, reply->body_len);
    while (of_table_features_next(reply, &ofs, &tf) > 0) {
        if (tf.id == search->id) {
            uint8_t *name = search->request.data + at + before + NAME_AT;
            memset(name, 0, NAME_LEN);
            memcpy(name, search->name, strlen(search->name));
            search->found = true;
        }
        before = ofs;
    }
    of_end(&search->request, start);
}

static void ask(struct ofctl *o, enum of_type type, struct search *search,
                void (*fn)(struct client *c, const struct of_msg *reply, void *aux))
{
    struct of_buf b = OF_BUF_INIT;
    of_multipart_request_encode(type, o->client.version, client_next_xid(&o->client), &b);
    client_transact(&o->client, &b, fn, search);
    of_buf_fini(&b);
    if (!search->found && search->id != OF_TABLE_ALL)
        ofctl_fatal("%s: the switch has no table %s", o->argv[0], o->argv[1]);
}

static bool set_vacancy(struct of_table_mod *tm, const char *range)
{
    unsigned down, up;
    int end = 0;
    if (sscanf(range, "%u,%u%n", &down, &up, &end) != 2 || range[end])
        return false;
    if (down >= up || up > 100)
        ofctl_fatal("Invalid vacancy range, vacancy up should be greater than vacancy down (%s)",
                    of_error_name(OF_ERR_PROP_BAD_VALUE));
    tm->vacancy_down = (uint8_t)down;
    tm->vacancy_up = (uint8_t)up;
    tm->config |= OF_TC_VACANCY_EVENTS;
    return true;
}

static void set(struct of_table_mod *tm, const char *setting)
{
    if (!strcmp(setting, "evict"))
        tm->config |= OF_TC_EVICTION;
    else if (!strcmp(setting, "noevict"))
        tm->config &= ~(uint32_t)OF_TC_EVICTION;
    else if (!strcmp(setting, "novacancy"))
        tm->config &= ~(uint32_t)OF_TC_VACANCY_EVENTS;
    else if (strncmp(setting, "vacancy:", 8) || !set_vacancy(tm, setting + 8))
        ofctl_fatal("invalid mod-table setting %s", setting);
}

static void rename_table(struct ofctl *o, struct search *search, const char *name)
{
    if (o->client.version < OF13_VERSION)
        ofctl_fatal("table_mod 'name' requires OpenFlow13 or later; use -O");
    if (strlen(name) >= NAME_LEN)
        ofctl_fatal("%s: the name of a table has at most %d characters", name, NAME_LEN - 1);
    if (search->id == OF_TABLE_ALL)
        ofctl_fatal("%s: a name is for one table", o->argv[0]);
    search->name = name;
    search->xid = client_next_xid(&o->client);
    ask(o, OF_TABLE_FEATURES_REQUEST, search, rename_in);
    client_transact_noreply(&o->client, &search->request);
}

void ofctl_mod_table(struct ofctl *o)
{
    const char *setting = o->argv[2];
    struct search search = {.id = table_arg(o), .request = OF_BUF_INIT};
    struct of_table_mod trial = {0};
    if (strncmp(setting, "name:", 5))
        set(&trial, setting); /* what is wrong with it is said before the switch is asked */
    ofctl_connect(o);
    if (!strncmp(setting, "name:", 5)) {
        rename_table(o, &search, setting + 5);
    } else {
        if (o->client.version < OF14_VERSION)
            ofctl_fatal("table_mod '%.*s' requires one of the OpenFlow versions OpenFlow14, "
                        "OpenFlow15",
                        (int)strcspn(setting, ":"), setting);
        ask(o, OF_TABLE_DESC_REQUEST, &search, find_desc);
        search.desc.id = search.id;
        search.desc.vacancy = 0;
        set(&search.desc, setting);
        struct of_buf b = OF_BUF_INIT;
        of_table_mod_encode(&search.desc, o->client.version, client_next_xid(&o->client), &b);
        client_transact_noreply(&o->client, &b);
        of_buf_fini(&b);
    }
    of_buf_fini(&search.request);
}
