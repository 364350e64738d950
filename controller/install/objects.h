/* objects.h - groups and meters of the switch, which flows refer to by number: part of the installer (installer.h).
 *
 * Like flows they are held as desired and actual, both as the text that ovs-ofctl writes after a trip over the wire, so that equal texts are the
 * same thing to a switch. Around the flows of a bundle they are sent in an order in which no flow ever refers to what is not
 * there: meters and groups that come, flows, groups and meters that go. Meters cannot be in a bundle and are sent beside it.
 */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "base/rstr.h"
#include "base/vec.h"
#include "openflow/protocol.h"

enum object_kind { OBJECT_GROUP, OBJECT_METER };

struct object {
    struct hnode node;
    struct list changed; /* in objects->changed, or alone */
    enum object_kind kind;
    uint32_t id;
    char *desired, *actual; /* NULL: none */
    char *rejected;         /* a text that the switch, or the parser, refused */
    uint32_t xid;           /* of the message on its way */
    bool is_sent;
};

struct objects {
    struct hmap map;
    struct list changed;       /* those whose two texts may differ */
    VEC(struct object *) sent; /* on their way */
    uint64_t n_messages;       /* ever */
};

void objects_init(struct objects *objects);
void objects_fini(struct objects *objects);
/* The object should be as SPEC says (ovs-ofctl's syntax without the number; NULL: not there). What cannot be read is logged. */
void objects_set(struct objects *objects, enum object_kind kind, uint32_t id, const char *spec);

/* Reading back: forget what the switch has; ask for it; take an answer in. */
void objects_forget_actual(struct objects *objects);
void objects_ask(struct of_buf *out, uint32_t meters_xid, uint32_t groups_xid);
/* 0 or OF_ERROR. */
int objects_take(struct objects *objects, const struct of_msg *msg) MUST_CHECK;

/* Something must be sent. */
bool objects_differ(const struct objects *objects);
/* Like flows, what is put counts as there; when it is refused everything is read back. What is to be sent before the bundle (DELETES false: meters) and behind it (true). XID gives numbers. */
void objects_put_meters(struct objects *objects, bool deletes, uint32_t (*xid)(void *aux),
                        void *aux, struct of_buf *out);
/* What belongs in the bundle before the flows (DELETES false) and behind them: calls FN for each message. */
void objects_put_groups(struct objects *objects, bool deletes, uint32_t (*xid)(void *aux),
                        void (*fn)(void *aux, const struct object *o, struct of_buf *out),
                        void *aux, struct of_buf *out);
/* Appends the modification that makes O what is desired. */
void object_encode(const struct object *o, uint32_t xid, struct of_buf *out);
/* The switch complains of the message XID: the object is set aside. False: it is none of these. */
bool objects_reject(struct objects *objects, uint32_t xid, const char *why);
/* What was on its way has arrived, or the connection is gone. */
void objects_sent(struct objects *objects);
