/* objects.c - see objects.h. Room 8 of docs/architecture.md.
 */
#include "controller/install/objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "openflow/group.h"
#include "openflow/meter.h"

LOG_MODULE(objects);

void objects_init(struct objects *objects)
{
    memset(objects, 0, sizeof *objects);
    list_init(&objects->changed);
}

static void object_free(struct objects *objects, struct object *o)
{
    hmap_remove(&objects->map, &o->node);
    list_remove(&o->changed);
    free(o->desired);
    free(o->actual);
    free(o->rejected);
    free(o);
}

void objects_fini(struct objects *objects)
{
    struct object *o;
    HMAP_FOR_EACH_SAFE (o, node, &objects->map)
        object_free(objects, o);
    hmap_fini(&objects->map);
    vec_fini(&objects->sent);
}

static struct object *object_get(struct objects *objects, enum object_kind kind, uint32_t id)
{
    uint64_t hash = hash_u64((uint64_t)kind << 32 | id, 0);
    struct object *o;
    HMAP_FOR_EACH_WITH_HASH (o, node, hash, &objects->map)
        if (o->kind == kind && o->id == id)
            return o;
    o = NEW(struct object);
    o->kind = kind;
    o->id = id;
    list_init(&o->changed);
    hmap_insert(&objects->map, &o->node, hash);
    return o;
}

static void note_changed(struct objects *objects, struct object *o)
{
    list_remove(&o->changed);
    list_push_back(&objects->changed, &o->changed);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static void replace(char **slot, char *text)
{
    free(*slot);
    *slot = text;
}

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

/* --- Text and wire */

static char *group_text(const struct of_group *g)
{
    struct str s = STR_INIT;
    of_group_put(&s, g, OF15_VERSION, NULL);
    return str_steal(&s);
}

static char *meter_text(const struct of_meter *m)
{
    struct str s = STR_INIT;
    of_meter_put(&s, m);
    return str_steal(&s);
}

/* SPEC as a switch would say it, or NULL with DIAG. */
static char *normal_group(uint32_t id, const char *spec, struct diag *diag)
{
    struct of_group_mod gm, back;
    struct of_msg msg;
    struct of_buf wire = OF_BUF_INIT;
    char *text = xasprintf("group_id=%u,%s", id, spec), *ret = NULL;
    if (!of_group_mod_parse(text, OF_GROUP_ADD, NULL, &gm, diag)) {
        of_group_mod_encode(&gm, OF15_VERSION, 0, &wire);
        of_group_mod_fini(&gm);
        if (of_msg_parse(wire.data, wire.n, &msg) || of_group_mod_decode(&msg, &back)) {
            diag_set(diag, ERR_TOO_BIG, "it does not fit a message");
        } else {
            ret = group_text(&back.group);
            of_group_mod_fini(&back);
        }
    }
    of_buf_fini(&wire);
    free(text);
    return ret;
}

static char *normal_meter(uint32_t id, const char *spec, struct diag *diag)
{
    struct of_meter_mod mm;
    char *text = xasprintf("meter=%u,%s", id, spec), *ret = NULL;
    for (char *p = text; *p; p++) /* words may be separated by spaces, and lines */
        if (*p == ' ')
            *p = ',';
    if (!of_meter_mod_parse(text, OF_METER_ADD, &mm, diag)) {
        ret = meter_text(&mm.meter);
        of_meter_mod_fini(&mm);
    }
    free(text);
    return ret;
}

static void encode_group(const struct object *o, uint32_t xid, struct of_buf *out)
{
    struct of_group_mod gm;
    if (o->desired) {
        enum of_group_command command = o->actual ? OF_GROUP_MODIFY : OF_GROUP_ADD;
        INVARIANT(!of_group_mod_parse(o->desired, command, NULL, &gm, NULL));
    } else {
        of_group_mod_init(&gm, OF_GROUP_DELETE, o->id);
    }
    of_group_mod_encode(&gm, OF15_VERSION, xid, out);
    of_group_mod_fini(&gm);
}

static void encode_meter(const struct object *o, uint32_t xid, struct of_buf *out)
{
    struct of_meter_mod mm = {.command = OF_METER_DELETE, .meter = {.id = o->id}};
    if (o->desired) {
        char *text = xstrdup(o->desired);
        enum of_meter_command command = o->actual ? OF_METER_MODIFY : OF_METER_ADD;
        for (char *p = text; *p; p++)
            if (*p == '\n' || *p == ' ')
                *p = ',';
        INVARIANT(!of_meter_mod_parse(text, command, &mm, NULL));
        free(text);
    }
    of_meter_mod_encode(&mm, OF15_VERSION, xid, out);
    of_meter_mod_fini(&mm);
}

void object_encode(const struct object *o, uint32_t xid, struct of_buf *out)
{
    if (o->kind == OBJECT_GROUP)
        encode_group(o, xid, out);
    else
        encode_meter(o, xid, out);
}

/* --- What is wanted */

static const char *kind_name(enum object_kind kind)
{
    return kind == OBJECT_GROUP ? "group" : "meter";
}

void objects_set(struct objects *objects, enum object_kind kind, uint32_t id, const char *spec)
{
    struct diag diag = DIAG_INIT;
    char *normal = !spec                  ? NULL
                   : kind == OBJECT_GROUP ? normal_group(id, spec, &diag)
                                          : normal_meter(id, spec, &diag);
    struct object *o = object_get(objects, kind, id);
    if (spec && !normal)
        log_err("%s %u is left out (%s): %.500s", kind_name(kind), id, diag_text(&diag), spec);
    diag_fini(&diag);
    replace(&o->desired, normal);
    note_changed(objects, o);
    if (o->rejected && !same(o->rejected, normal))
        replace(&o->rejected, NULL);
    if (!o->desired && !o->actual && !o->is_sent)
        object_free(objects, o);
}

static bool differs(const struct object *o)
{
    return !same(o->desired, o->actual) && (!o->desired || !same(o->desired, o->rejected));
}

bool objects_differ(const struct objects *objects)
{
    const struct object *o;
    LIST_FOR_EACH (o, changed, &objects->changed)
        if (differs(o))
            return true;
    return false;
}

/* --- What the switch has */

void objects_forget_actual(struct objects *objects)
{
    struct object *o;
    objects_sent(objects);
    HMAP_FOR_EACH_SAFE (o, node, &objects->map) {
        replace(&o->actual, NULL);
        note_changed(objects, o);
        if (!o->desired)
            object_free(objects, o);
    }
}

void objects_ask(struct of_buf *out, uint32_t meters_xid, uint32_t groups_xid)
{
    of_meter_request_encode(OF_METER_CONFIG_REQUEST, OF_METER_ALL, OF15_VERSION, meters_xid, out);
    of_group_request_encode(OF_GROUP_DESC_REQUEST, OF_GROUP_ALL, OF15_VERSION, groups_xid, out);
}

/* The switch has it so. */
static void take(struct objects *objects, enum object_kind kind, uint32_t id, char *text)
{
    struct object *o = object_get(objects, kind, id);
    replace(&o->actual, text);
    note_changed(objects, o);
}

int objects_take(struct objects *objects, const struct of_msg *msg)
{
    size_t ofs = 0;
    int rc;
    if (msg->type == OF_GROUP_DESC_REPLY) {
        struct of_group g;
        while ((rc = of_group_desc_next(msg, &ofs, &g)) > 0) {
            take(objects, OBJECT_GROUP, g.id, group_text(&g));
            of_group_fini(&g);
        }
        return rc;
    }
    struct of_meter m;
    while ((rc = of_meter_config_next(msg, &ofs, &m)) > 0) {
        if (m.id <= OF_METER_MAX)
            take(objects, OBJECT_METER, m.id, meter_text(&m));
        of_meter_fini(&m);
    }
    return rc;
}

/* --- Sending */

static bool is_due(const struct object *o, enum object_kind kind, bool deletes)
{
    return o->kind == kind && !o->desired == deletes && differs(o);
}

static void sending(struct objects *objects, struct object *o, uint32_t xid)
{
    o->xid = xid;
    o->is_sent = true;
    objects->n_messages++;
    vec_push(&objects->sent, o);
}

void objects_put_meters(struct objects *objects, bool deletes, uint32_t (*xid)(void *aux),
                        void *aux, struct of_buf *out)
{
    struct object *o;
    LIST_FOR_EACH (o, changed, &objects->changed) {
        if (!is_due(o, OBJECT_METER, deletes))
            continue;
        sending(objects, o, xid(aux));
        object_encode(o, o->xid, out);
        replace(&o->actual, copy(o->desired));
    }
}

void objects_put_groups(struct objects *objects, bool deletes, uint32_t (*xid)(void *aux),
                        void (*fn)(void *aux, const struct object *o, struct of_buf *out),
                        void *aux, struct of_buf *out)
{
    struct object *o;
    LIST_FOR_EACH (o, changed, &objects->changed) {
        if (!is_due(o, OBJECT_GROUP, deletes))
            continue;
        sending(objects, o, xid(aux));
        fn(aux, o, out);
        replace(&o->actual, copy(o->desired));
    }
}

bool objects_reject(struct objects *objects, uint32_t xid, const char *why)
{
    for (size_t i = 0; i < objects->sent.n; i++) {
        struct object *o = objects->sent.data[i];
        if (o->xid != xid)
            continue;
        log_err("%s %u is left out (%s): %.500s", kind_name(o->kind), o->id, why,
                o->desired ? o->desired : "to be deleted");
        replace(&o->rejected, copy(o->desired));
        return true;
    }
    return false;
}

void objects_sent(struct objects *objects)
{
    for (size_t i = 0; i < objects->sent.n; i++) {
        struct object *o = objects->sent.data[i];
        o->is_sent = false;
        if (!o->desired && !o->actual)
            object_free(objects, o);
    }
    vec_clear(&objects->sent);
    struct object *o, *next;
    LIST_FOR_EACH_SAFE (o, next, changed, &objects->changed) {
        if (differs(o))
            continue;
        list_remove(&o->changed);
        list_init(&o->changed);
    }
}
