/* group_text.c - groups and meters in ovs-ofctl's words, out and in. */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/err.h"
#include "openflow/group.h"
#include "openflow/keyvalue.h"
#include "openflow/meter.h"

static const char *const type_names[] = {"all", "select", "indirect", "ff"};

static void put_bucket(struct str *s, const struct of_group *g, const struct of_bucket *b,
                       uint8_t version, const struct port_names *names)
{
    str_put(s, ",bucket=");
    if (version >= OF15_VERSION || version == OF10_VERSION)
        str_putf(s, "bucket_id:%u,", b->id);
    if (b->weight != (g->type == OF_GROUP_TYPE_SELECT ? 1 : 0))
        str_putf(s, "weight:%u,", b->weight);
    if (b->watch_port != PORT_ANY) {
        str_put(s, "watch_port:");
        port_put(s, b->watch_port, names);
        str_putc(s, ',');
    }
    if (b->watch_group != OF_GROUP_ANY)
        str_putf(s, "watch_group:%u,", b->watch_group);
    str_put(s, "actions=");
    of_actions_put(s, b->actions.data, b->actions.n, names);
}

static void put_hash_fields(struct str *s, const struct of_group *g)
{
    size_t n = 0;
    while (n < sizeof g->field_order && g->field_order[n])
        n++;
    if (!n)
        return;
    str_put(s, n == 1 ? ",fields=" : ",fields(");
    for (size_t i = 0; i < n; i++) {
        const struct field *f = field_get(g->field_order[i]);
        u128 mask = mask_get(&g->fields, f->id);
        str_putf(s, "%s%s", i ? "," : "", f->name);
        if (mask != u128_ones(f->n_bits)) {
            str_putc(s, '=');
            field_put(s, f, mask, u128_ones(f->n_bits), NULL);
        }
    }
    if (n > 1)
        str_putc(s, ')');
}

void of_group_put(struct str *s, const struct of_group *g, uint8_t version,
                  const struct port_names *names)
{
    str_putf(s, "group_id=%u,type=%s", g->id, type_names[g->type]);
    if (g->method[0]) {
        str_putf(s, ",selection_method=%s", g->method);
        if (g->method_param)
            str_putf(s, ",selection_method_param=%llu", (unsigned long long)g->method_param);
        put_hash_fields(s, g);
    }
    for (size_t i = 0; i < g->n_buckets; i++)
        put_bucket(s, g, &g->buckets[i], version, names);
}

void of_group_put_buckets(struct str *s, const struct of_group_mod *gm, uint8_t version,
                          const struct port_names *names)
{
    uint32_t at = gm->command_bucket_id;
    const char *name = at == OF_BUCKET_ALL     ? "all"
                       : at == OF_BUCKET_FIRST ? "first"
                       : at == OF_BUCKET_LAST  ? "last"
                                               : NULL;
    if (name)
        str_putf(s, "command_bucket_id:%s,group_id=%u", name, gm->group.id);
    else
        str_putf(s, "command_bucket_id:%u,group_id=%u", at, gm->group.id);
    for (size_t i = 0; i < gm->group.n_buckets; i++)
        put_bucket(s, &gm->group, &gm->group.buckets[i], version, names);
}

/* ---- Groups: reading ---- */

static int number(const char *what, const char *text, uint64_t max, uint64_t *ret,
                  struct diag *diag)
{
    if (!isdigit((unsigned char)*text) || text_to_u64(text, 0, ret) || *ret > max)
        return diag_set(diag, ERR_SYNTAX, "invalid %s \"%s\"", what, text);
    return 0;
}

static bool known_bucket_key(const char *key)
{
    static const char *const keys[] = {"weight",    "watch_port", "watch_group",
                                       "bucket_id", "actions",    "action"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (!strcasecmp(key, keys[i]))
            return true;
    return false;
}

static int parse_bucket_key(struct of_bucket *b, struct keyvalue *kv,
                            const struct port_names *names, struct diag *diag)
{
    uint64_t x;
    int err;
    if (!strcasecmp(kv->key, "weight")) {
        err = number("weight", kv->value, UINT16_MAX, &x, diag);
        b->weight = (uint16_t)(err ? 0 : x);
        b->has_weight = true;
        return err;
    }
    if (!strcasecmp(kv->key, "bucket_id")) {
        err = number("bucket_id", kv->value, OF_BUCKET_MAX - 1, &x, diag);
        b->id = (uint32_t)(err ? 0 : x);
        return err;
    }
    if (!strcasecmp(kv->key, "watch_port"))
        return port_parse(kv->value, names, &b->watch_port)
                   ? diag_set(diag, ERR_SYNTAX, "%s: invalid watch_port", kv->value)
                   : 0;
    err = number("watch_group", kv->value, UINT32_MAX, &x, diag);
    b->watch_group = (uint32_t)(err ? 0 : x);
    return err;
}

/* TEXT is "weight:100,actions=..." or actions alone. */
static int parse_bucket(char *text, struct of_group *g, const struct port_names *names,
                        struct diag *diag)
{
    struct of_bucket *b = of_group_add_bucket(g);
    b->weight = g->type == OF_GROUP_TYPE_SELECT ? 1 : 0;
    for (;;) {
        text += strspn(text, ", ");
        size_t n = strcspn(text, ":=(,");
        char key[16];
        if (n >= sizeof key)
            break;
        memcpy(key, text, n);
        key[n] = '\0';
        if (!known_bucket_key(key))
            break;
        if (!strncasecmp(key, "action", 6)) {
            text += n + (text[n] ? 1 : 0);
            break;
        }
        struct keyvalue kv;
        if (keyvalue_next(&text, &kv) <= 0)
            return diag_set(diag, ERR_SYNTAX, "bad bucket");
        int err = parse_bucket_key(b, &kv, names, diag);
        if (err)
            return err;
    }
    return of_actions_parse(text, NULL, names, &b->actions, diag);
}

static int parse_fields(struct of_group *g, char *text, struct diag *diag)
{
    struct keyvalue kv;
    size_t n = 0;
    while (keyvalue_next(&text, &kv) > 0) {
        const struct field *f = field_find(kv.key);
        u128 value, mask;
        if (!f || n >= sizeof g->field_order)
            return diag_set(diag, ERR_SYNTAX, "%s: unknown field", kv.key);
        value = u128_ones(f->n_bits);
        if (*kv.value && field_parse(f, kv.value, NULL, &value, &mask))
            return diag_set(diag, ERR_SYNTAX, "%s: bad value", kv.value);
        g->field_order[n++] = (uint8_t)f->id;
        mask_set_masked(&g->fields, f->id, value);
    }
    return 0;
}

static int parse_type(struct of_group *g, const char *text, struct diag *diag)
{
    for (size_t i = 0; i < ARRAY_SIZE(type_names); i++) {
        if (!strcasecmp(text, type_names[i])) {
            g->type = i;
            return 0;
        }
    }
    if (!strcasecmp(text, "fast_failover")) {
        g->type = OF_GROUP_TYPE_FF;
        return 0;
    }
    return diag_set(diag, ERR_SYNTAX, "invalid group type %s", text);
}

static int parse_group_id(const char *text, uint32_t *ret, struct diag *diag)
{
    uint64_t x = OF_GROUP_ALL;
    int err = strcasecmp(text, "all") ? number("group_id", text, 0xffffff00u, &x, diag) : 0;
    *ret = (uint32_t)(err ? 0 : x);
    return err;
}

static int parse_bucket_position(const char *text, uint32_t *ret, struct diag *diag)
{
    uint64_t x = 0;
    int err = 0;
    if (!strcasecmp(text, "all"))
        x = OF_BUCKET_ALL;
    else if (!strcasecmp(text, "first"))
        x = OF_BUCKET_FIRST;
    else if (!strcasecmp(text, "last"))
        x = OF_BUCKET_LAST;
    else
        err = number("command_bucket_id", text, OF_BUCKET_MAX - 1, &x, diag);
    *ret = (uint32_t)x;
    return err;
}

static int parse_group_key(struct of_group_mod *gm, struct keyvalue *kv, struct diag *diag)
{
    struct of_group *g = &gm->group;
    if (!strcmp(kv->key, "group_id"))
        return parse_group_id(kv->value, &g->id, diag);
    if (!strcmp(kv->key, "type"))
        return parse_type(g, kv->value, diag);
    if (!strcmp(kv->key, "command_bucket_id"))
        return parse_bucket_position(kv->value, &gm->command_bucket_id, diag);
    if (!strcmp(kv->key, "selection_method")) {
        if (strlen(kv->value) >= sizeof g->method - 1)
            return diag_set(diag, ERR_SYNTAX, "selection method is longer than 15 bytes long");
        strcpy(g->method, kv->value);
        return 0;
    }
    if (!strcmp(kv->key, "selection_method_param"))
        return number("selection_method_param", kv->value, UINT64_MAX, &g->method_param, diag);
    if (!strcmp(kv->key, "fields"))
        return parse_fields(g, kv->value, diag);
    return diag_set(diag, ERR_SYNTAX, "unknown keyword %s", kv->key);
}

/* Where "bucket=" or "buckets=" next stands, outside of what was read; NULL: nowhere. */
static char *find_bucket(char *text)
{
    for (char *p = text; (p = strstr(p, "bucket")) != NULL; p++) {
        char *q = p + 6;
        if ((p == text || strchr(", ", p[-1])) && (*q == '=' || *q == ':' || !strncmp(q, "s=", 2)))
            return p;
    }
    return NULL;
}

static int parse_buckets(char *bucket, struct of_group *g, const struct port_names *names,
                         struct diag *diag)
{
    while (bucket) {
        char *body = bucket + strcspn(bucket, "=:") + 1, *next = find_bucket(body);
        if (next)
            next[-1] = '\0';
        for (size_t n = strlen(body); n && strchr(", ", body[n - 1]); n--)
            body[n - 1] = '\0';
        int err = parse_bucket(body, g, names, diag);
        if (err)
            return err;
        bucket = next;
    }
    return 0;
}

/* What no switch would take, said in words before it is sent. */
static int check_group(const struct of_group_mod *gm, struct diag *diag)
{
    const struct of_group *g = &gm->group;
    bool deletes = gm->command == OF_GROUP_DELETE || gm->command == OF_GROUP_REMOVE_BUCKET;
    bool buckets = gm->command == OF_GROUP_INSERT_BUCKET || gm->command == OF_GROUP_REMOVE_BUCKET;
    if (gm->command != OF_GROUP_DELETE && g->id == OF_GROUP_ALL)
        return diag_set(diag, ERR_SYNTAX, "must specify a group_id");
    if (deletes && g->n_buckets)
        return diag_set(diag, ERR_SYNTAX, "bucket is not needed");
    if (gm->command == OF_GROUP_INSERT_BUCKET && gm->command_bucket_id == OF_BUCKET_ALL)
        return diag_set(diag, ERR_SYNTAX, "must specify a command bucket id");
    if (g->field_order[0] && strcmp(g->method, "hash") != 0)
        return diag_set(diag, ERR_SYNTAX,
                        "fields may only be specified with \"selection_method=hash\"");
    if (deletes || buckets)
        return 0;
    if (g->type == OF_GROUP_TYPE_INDIRECT && g->n_buckets > 1)
        return diag_set(diag, ERR_SYNTAX, "Indirect groups can have at most one bucket.");
    for (size_t i = 0; i < g->n_buckets; i++) {
        const struct of_bucket *b = &g->buckets[i];
        if (b->has_weight && g->type != OF_GROUP_TYPE_SELECT)
            return diag_set(diag, ERR_SYNTAX, "Only select groups can have bucket weights.");
        if (g->type == OF_GROUP_TYPE_FF && b->watch_port == PORT_ANY &&
            b->watch_group == OF_GROUP_ANY)
            return diag_set(diag, ERR_SYNTAX,
                            "fast failover bucket requires watch_port or watch_group");
    }
    return 0;
}

int of_group_mod_parse(const char *text, enum of_group_command command,
                       const struct port_names *names, struct of_group_mod *ret, struct diag *diag)
{
    char *copy = xstrdup(text), *bucket = find_bucket(copy), *head = copy;
    struct keyvalue kv;
    int more = 0, err = 0;
    bool has_type = strstr(text, "type=") || strstr(text, "type:");
    of_group_mod_init(ret, command, OF_GROUP_ALL);
    if (bucket && bucket > copy)
        bucket[-1] = '\0';
    if (bucket != copy)
        while (!err && (more = keyvalue_next(&head, &kv)) > 0)
            err = parse_group_key(ret, &kv, diag);
    if (!err && more < 0)
        err = diag_set(diag, ERR_SYNTAX, "unbalanced parentheses");
    if (!err && !has_type && (command == OF_GROUP_ADD || command == OF_GROUP_MODIFY))
        err = diag_set(diag, ERR_SYNTAX, "must specify a type");
    if (!err)
        err = parse_buckets(bucket, &ret->group, names, diag);
    if (!err)
        err = check_group(ret, diag);
    if (err)
        of_group_mod_fini(ret);
    free(copy);
    return err;
}

/* ---- Meters ---- */

static const char *const meter_flags[] = {"kbps", "pktps", "burst", "stats"};

void of_meter_put_id(struct str *s, uint32_t id)
{
    if (id == OF_METER_ALL)
        str_put(s, "all");
    else if (id == OF_METER_CONTROLLER)
        str_put(s, "controller");
    else if (id == OF_METER_SLOWPATH)
        str_put(s, "slowpath");
    else
        str_putf(s, "%u", id);
}

void of_meter_put(struct str *s, const struct of_meter *m)
{
    str_put(s, "meter=");
    of_meter_put_id(s, m->id);
    str_putc(s, ' ');
    for (unsigned i = 0; i < ARRAY_SIZE(meter_flags); i++)
        if (m->flags & 1u << i)
            str_putf(s, "%s ", meter_flags[i]);
    str_put(s, "bands=");
    for (size_t i = 0; i < m->n_bands; i++) {
        const struct of_meter_band *b = &m->bands[i];
        str_putf(s, "\ntype=%s rate=%u", b->type == OF_BAND_DROP ? "drop" : "dscp_remark", b->rate);
        if (m->flags & OF_METER_BURST)
            str_putf(s, " burst_size=%u", b->burst);
        if (b->type == OF_BAND_DSCP_REMARK)
            str_putf(s, " prec_level=%u", b->prec_level);
    }
    str_putc(s, '\n');
}

static int parse_meter_id(const char *text, uint32_t *id, struct diag *diag)
{
    uint64_t x;
    if (!strcmp(text, "all"))
        *id = OF_METER_ALL;
    else if (!strcmp(text, "controller"))
        *id = OF_METER_CONTROLLER;
    else if (!strcmp(text, "slowpath"))
        *id = OF_METER_SLOWPATH;
    else if (number("meter", text, OF_METER_MAX, &x, diag) || !x)
        return diag_set(diag, ERR_SYNTAX, "invalid meter \"%s\"", text);
    else
        *id = (uint32_t)x;
    return 0;
}

static int parse_band(struct of_meter *m, struct keyvalue *kv, struct diag *diag)
{
    struct of_meter_band *b = m->n_bands ? &m->bands[m->n_bands - 1] : NULL;
    uint64_t x;
    if (!strcmp(kv->key, "type")) {
        if (m->n_bands >= 64)
            return diag_set(diag, ERR_SYNTAX, "too many bands");
        m->bands = xrealloc(m->bands, (m->n_bands + 1) * sizeof *m->bands);
        b = &m->bands[m->n_bands++];
        memset(b, 0, sizeof *b);
        b->type = !strcmp(kv->value, "drop")          ? OF_BAND_DROP
                  : !strcmp(kv->value, "dscp_remark") ? OF_BAND_DSCP_REMARK
                                                      : 0;
        return b->type ? 0 : diag_set(diag, ERR_SYNTAX, "unknown band type %s", kv->value);
    }
    if (!b)
        return diag_set(diag, ERR_SYNTAX, "band without type");
    int err = number(kv->key, kv->value, UINT32_MAX, &x, diag);
    if (err)
        return err;
    if (!strcmp(kv->key, "rate"))
        b->rate = (uint32_t)x;
    else if (!strcmp(kv->key, "burst_size"))
        b->burst = (uint32_t)x;
    else if (!strcmp(kv->key, "prec_level"))
        b->prec_level = (uint8_t)x;
    else
        return diag_set(diag, ERR_SYNTAX, "unknown keyword %s", kv->key);
    return 0;
}

static int parse_meter_key(struct of_meter *m, struct keyvalue *kv, struct diag *diag)
{
    if (!strcmp(kv->key, "meter"))
        return parse_meter_id(kv->value, &m->id, diag);
    for (unsigned i = 0; i < ARRAY_SIZE(meter_flags); i++) {
        if (!strcmp(kv->key, meter_flags[i])) {
            m->flags |= (uint16_t)(1u << i);
            return 0;
        }
    }
    return parse_band(m, kv, diag);
}

static int check_meter(const struct of_meter *m, struct diag *diag)
{
    if (m->id == OF_METER_ALL)
        return diag_set(diag, ERR_SYNTAX, "must specify 'meter'");
    if (!(m->flags & (OF_METER_KBPS | OF_METER_PKTPS)))
        return diag_set(diag, ERR_SYNTAX, "meter must specify either 'kbps' or 'pktps'");
    if (!m->n_bands)
        return diag_set(diag, ERR_SYNTAX, "must specify bands");
    for (size_t i = 0; i < m->n_bands; i++)
        if (!m->bands[i].rate)
            return diag_set(diag, ERR_SYNTAX, "band must have 'rate'");
    return 0;
}

int of_meter_mod_parse(const char *text, enum of_meter_command command, struct of_meter_mod *ret,
                       struct diag *diag)
{
    char *copy = xstrdup(text), *p = copy;
    struct keyvalue kv;
    int more, err = 0;
    memset(ret, 0, sizeof *ret);
    ret->command = command;
    ret->meter.id = OF_METER_ALL;
    /* "band=type=drop rate=5" and "bands=type=drop,rate=5": the word only announces. */
    for (char *b = copy; (b = strstr(b, "band")) != NULL; b++) {
        size_t n = strspn(b, "bands");
        if (b[n] == '=' || b[n] == ':')
            memset(b, ' ', n + 1);
    }
    while (!err && (more = keyvalue_next(&p, &kv)) > 0)
        err = parse_meter_key(&ret->meter, &kv, diag);
    if (!err && command != OF_METER_DELETE)
        err = check_meter(&ret->meter, diag);
    if (err)
        of_meter_mod_fini(ret);
    free(copy);
    return err;
}
