/* bind_vport.c - opcode 17, bind_vport(V, P): the machine behind port P has shown that it has the virtual port V; both are then here.
 *
 * Rooms 11 and 12 of docs/architecture.md. Userdata: the key of V; reg14 is that of P. Port_Binding of V gets our chassis and P as its
 * parent. When P leaves this hypervisor V is given back.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "controller/pinctrl/pinctrl.h"

LOG_MODULE(bind_vport);

enum { BINDS_MAX = 1000 };

struct bind {
    struct hnode node;
    struct uuid port;
    char *parent; /* NULL: to be released */
};

static void bind_free(struct pinctrl *p, struct bind *b)
{
    hmap_remove(&p->vports.binds, &b->node);
    free(b->parent);
    free(b);
}

void vport_clear(struct pinctrl *p)
{
    struct bind *b;
    HMAP_FOR_EACH_SAFE (b, node, &p->vports.binds)
        bind_free(p, b);
}

static void bind_set(struct pinctrl *p, const struct uuid *port, const char *parent)
{
    struct bind *b;
    HMAP_FOR_EACH_WITH_HASH (b, node, uuid_hash(port), &p->vports.binds)
        if (uuid_equal(&b->port, port))
            break;
    if (!b) {
        if (p->vports.binds.n >= BINDS_MAX)
            return;
        b = NEW(struct bind);
        b->port = *port;
        hmap_insert(&p->vports.binds, &b->node, uuid_hash(port));
    }
    free(b->parent);
    b->parent = parent ? xstrdup(parent) : NULL;
    p->options.wake(p->options.aux);
}

void bind_vport_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    const struct sb_index *sb = p->options.sb;
    uint32_t datapath = pinctrl_datapath(event);
    if (event->n_args < 4) {
        p->stats.malformed++;
        return;
    }
    const struct sb_port_binding *port = sb_index_port(sb, datapath, get_be32(event->args));
    const struct sb_port_binding *parent =
        sb_index_port(sb, datapath, pinctrl_reg(event, FIELD_REG14));
    if (!port || strcmp(sb_port_binding_type(port), "virtual") != 0 || !pinctrl_is_ours(p, parent))
        return;
    const char *name = sb_port_binding_logical_port(parent);
    const char *known = sb_port_binding_virtual_parent(port);
    if (!pinctrl_is_ours(p, port) || !known || strcmp(known, name) != 0)
        bind_set(p, sb_port_binding_uuid(port), name);
}

struct leaving {
    struct pinctrl *pinctrl;
    const char *parent;
};

static void release_child(const struct sb_port_binding *port, void *leaving_)
{
    struct leaving *l = leaving_;
    const char *parent = sb_port_binding_virtual_parent(port);
    if (parent && !strcmp(parent, l->parent) && pinctrl_is_ours(l->pinctrl, port))
        bind_set(l->pinctrl, sb_port_binding_uuid(port), NULL);
}

void vport_port_changed(struct pinctrl *p, const struct sb_port_binding *before,
                        const struct sb_port_binding *after)
{
    if (before && !*sb_port_binding_type(before) && pinctrl_is_ours(p, before) &&
        !pinctrl_is_ours(p, after)) {
        struct leaving l = {p, sb_port_binding_logical_port(before)};
        sb_index_for_each_port(p->options.sb, release_child, &l);
    }
}

static void write_bind(struct pinctrl *p, const struct bind *b, struct writer *w)
{
    const struct sb_port_binding *port = sb_index_port_uuid(p->options.sb, &b->port);
    const struct sb_port_binding *parent =
        b->parent ? sb_index_port_named(p->options.sb, b->parent) : NULL;
    if (!port || (b->parent ? !pinctrl_is_ours(p, parent) : !pinctrl_is_ours(p, port)))
        return; /* meanwhile it has changed */
    log_info("%s virtual port %s%s%s", b->parent ? "binding" : "releasing",
             sb_port_binding_logical_port(port), b->parent ? " of " : "",
             b->parent ? b->parent : "");
    writer_uuid(w, "Port_Binding", &b->port, "chassis", b->parent ? &p->options.sb->chassis : NULL);
    writer_datum(w, "Port_Binding", &b->port, "virtual_parent",
                 b->parent ? datum_new_string(b->parent) : datum_new_empty(ATOM_STRING, DATUM_SET));
    writer_datum(w, "Port_Binding", &b->port, "up", datum_new_boolean(b->parent != NULL));
    p->stats.vports_bound += b->parent != NULL;
}

void vport_write(struct pinctrl *p, struct writer *w)
{
    struct bind *b;
    HMAP_FOR_EACH (b, node, &p->vports.binds)
        write_bind(p, b, w);
    vport_clear(p);
}
