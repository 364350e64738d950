/* sb_index.c - see sb_index.h. Beside Room 11 of docs/architecture.md. Holds references to rows; knows no more than the last change set.
 */
#include "controller/sb_index.h"

#include <stdlib.h>

#include "base/hash.h"

struct entry {
    struct hnode node;
    const struct row *row;
};

struct local {
    struct hnode node;
    struct uuid datapath;
};

struct count {
    struct hnode node;
    size_t n;
    char port[];
};

static struct count *find_count(const struct sb_index *index, const char *port)
{
    struct count *c;
    HMAP_FOR_EACH_WITH_HASH (c, node, hash_text(port), &index->n_neighbors)
        if (!strcmp(c->port, port))
            return c;
    return NULL;
}

static void count_neighbor(struct sb_index *index, const char *port, bool add)
{
    struct count *c = find_count(index, port);
    if (!c) {
        size_t n = strlen(port) + 1;
        c = xcalloc(1, sizeof *c + n);
        memcpy(c->port, port, n);
        hmap_insert(&index->n_neighbors, &c->node, hash_text(port));
    }
    c->n += add ? 1 : (size_t)-1;
    if (!c->n) {
        hmap_remove(&index->n_neighbors, &c->node);
        free(c);
    }
}

size_t sb_index_n_neighbors(const struct sb_index *index, const char *port)
{
    const struct count *c = find_count(index, port);
    return c ? c->n : 0;
}

void sb_index_init(struct sb_index *index)
{
    memset(index, 0, sizeof *index);
}

static void clear_map(struct hmap *map)
{
    struct entry *e;
    HMAP_FOR_EACH_SAFE (e, node, map) {
        hmap_remove(map, &e->node);
        row_unref(e->row);
        free(e);
    }
}

void sb_index_clear(struct sb_index *index)
{
    clear_map(&index->datapaths);
    clear_map(&index->uuids);
    clear_map(&index->ports);
    clear_map(&index->port_uuids);
    clear_map(&index->localnets);
    clear_map(&index->names);
    clear_map(&index->mac_bindings);
    clear_map(&index->fdbs);
    dns_index_clear(&index->dns);
    struct count *c;
    HMAP_FOR_EACH_SAFE (c, node, &index->n_neighbors) {
        hmap_remove(&index->n_neighbors, &c->node);
        free(c);
    }
}

void sb_index_fini(struct sb_index *index)
{
    sb_index_clear(index);
    hmap_fini(&index->datapaths);
    hmap_fini(&index->uuids);
    struct local *l;
    HMAP_FOR_EACH_SAFE (l, node, &index->locals) {
        hmap_remove(&index->locals, &l->node);
        free(l);
    }
    hmap_fini(&index->locals);
    hmap_fini(&index->n_neighbors);
    hmap_fini(&index->port_uuids);
    hmap_fini(&index->localnets);
    hmap_fini(&index->ports);
    hmap_fini(&index->names);
    hmap_fini(&index->mac_bindings);
    hmap_fini(&index->fdbs);
    dns_index_fini(&index->dns);
}

static void put(struct hmap *map, const struct row *row, uint64_t hash, bool add)
{
    struct entry *e;
    if (add) {
        e = NEW(struct entry);
        e->row = row_ref(row);
        hmap_insert(map, &e->node, hash);
        return;
    }
    HMAP_FOR_EACH_WITH_HASH (e, node, hash, map) {
        if (uuid_equal(&e->row->uuid, &row->uuid)) {
            hmap_remove(map, &e->node);
            row_unref(e->row);
            free(e);
            return;
        }
    }
}

static uint64_t port_hash(const struct uuid *datapath, int64_t key)
{
    return hash_u64((uint64_t)key, datapath ? uuid_hash(datapath) : 0);
}

static uint64_t binding_hash(const char *port, const char *ip)
{
    return hash_u64(hash_text(port), hash_text(ip));
}

static void put_row(struct sb_index *index, const struct row *row, bool add)
{
    switch (row->table->index) {
    case SB_TABLE_DATAPATH_BINDING: {
        const struct sb_datapath_binding *r = sb_datapath_binding_cast(row);
        put(&index->datapaths, row, hash_u64((uint64_t)sb_datapath_binding_tunnel_key(r), 0), add);
        put(&index->uuids, row, uuid_hash(&row->uuid), add);
        break;
    }
    case SB_TABLE_PORT_BINDING: {
        const struct sb_port_binding *r = sb_port_binding_cast(row);
        put(&index->ports, row,
            port_hash(sb_port_binding_datapath(r), sb_port_binding_tunnel_key(r)), add);
        put(&index->names, row, hash_text(sb_port_binding_logical_port(r)), add);
        put(&index->port_uuids, row, uuid_hash(&row->uuid), add);
        if (!strcmp(sb_port_binding_type(r), "localnet") && sb_port_binding_datapath(r))
            put(&index->localnets, row, uuid_hash(sb_port_binding_datapath(r)), add);
        break;
    }
    case SB_TABLE_MAC_BINDING: {
        const struct sb_mac_binding *r = sb_mac_binding_cast(row);
        put(&index->mac_bindings, row,
            binding_hash(sb_mac_binding_logical_port(r), sb_mac_binding_ip(r)), add);
        count_neighbor(index, sb_mac_binding_logical_port(r), add);
        break;
    }
    case SB_TABLE_FDB: {
        const struct sb_fdb *r = sb_fdb_cast(row);
        put(&index->fdbs, row, hash_u64((uint64_t)sb_fdb_dp_key(r), hash_text(sb_fdb_mac(r))), add);
        break;
    }
    default:
        break;
    }
}

void sb_index_change(struct sb_index *index, const struct change *change)
{
    const struct row *row = change->after ? change->after : change->before;
    if (row->table->index == SB_TABLE_DNS) {
        dns_index_change(&index->dns, change->before, change->after);
        return;
    }
    if (change->before)
        put_row(index, change->before, false);
    if (change->after)
        put_row(index, change->after, true);
}

const struct sb_datapath_binding *sb_index_datapath(const struct sb_index *index, uint32_t key)
{
    const struct entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash_u64(key, 0), &index->datapaths)
        if (sb_datapath_binding_tunnel_key(sb_datapath_binding_cast(e->row)) == key)
            return sb_datapath_binding_cast(e->row);
    return NULL;
}

const struct sb_datapath_binding *sb_index_datapath_uuid(const struct sb_index *index,
                                                         const struct uuid *uuid)
{
    const struct entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, uuid_hash(uuid), &index->uuids)
        if (uuid_equal(&e->row->uuid, uuid))
            return sb_datapath_binding_cast(e->row);
    return NULL;
}

const struct sb_port_binding *sb_index_port_uuid(const struct sb_index *index,
                                                 const struct uuid *uuid)
{
    const struct entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, uuid_hash(uuid), &index->port_uuids)
        if (uuid_equal(&e->row->uuid, uuid))
            return sb_port_binding_cast(e->row);
    return NULL;
}

void sb_index_for_each_port(const struct sb_index *index,
                            void (*fn)(const struct sb_port_binding *port, void *aux), void *aux)
{
    const struct entry *e;
    HMAP_FOR_EACH (e, node, &index->port_uuids)
        fn(sb_port_binding_cast(e->row), aux);
}

void sb_index_for_each_neighbor(const struct sb_index *index,
                                void (*fn)(const struct sb_mac_binding *row, void *aux), void *aux)
{
    const struct entry *e;
    HMAP_FOR_EACH (e, node, &index->mac_bindings)
        fn(sb_mac_binding_cast(e->row), aux);
}

bool sb_index_has_localnet(const struct sb_index *index, const struct uuid *datapath)
{
    const struct entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, uuid_hash(datapath), &index->localnets)
        if (uuid_equal(sb_port_binding_datapath(sb_port_binding_cast(e->row)), datapath))
            return true;
    return false;
}

static struct local *find_local(const struct sb_index *index, const struct uuid *datapath)
{
    struct local *l;
    HMAP_FOR_EACH_WITH_HASH (l, node, uuid_hash(datapath), &index->locals)
        if (uuid_equal(&l->datapath, datapath))
            return l;
    return NULL;
}

void sb_index_set_local(struct sb_index *index, const struct uuid *datapath, bool is_local)
{
    struct local *l = find_local(index, datapath);
    if (is_local && !l) {
        l = NEW(struct local);
        l->datapath = *datapath;
        hmap_insert(&index->locals, &l->node, uuid_hash(datapath));
    } else if (!is_local && l) {
        hmap_remove(&index->locals, &l->node);
        free(l);
    }
}

bool sb_index_is_local(const struct sb_index *index, const struct uuid *datapath)
{
    return find_local(index, datapath) != NULL;
}

bool sb_index_keys(const struct sb_index *index, const char *name, uint32_t *datapath_key,
                   uint32_t *port_key)
{
    const struct sb_port_binding *port = sb_index_port_named(index, name);
    const struct uuid *at = port ? sb_port_binding_datapath(port) : NULL;
    const struct sb_datapath_binding *datapath = at ? sb_index_datapath_uuid(index, at) : NULL;
    if (!datapath)
        return false;
    *datapath_key = (uint32_t)sb_datapath_binding_tunnel_key(datapath);
    *port_key = (uint32_t)sb_port_binding_tunnel_key(port);
    return true;
}

const struct sb_port_binding *sb_index_port(const struct sb_index *index, uint32_t datapath_key,
                                            uint32_t port_key)
{
    const struct sb_datapath_binding *datapath = sb_index_datapath(index, datapath_key);
    if (!datapath)
        return NULL;
    const struct uuid *uuid = sb_datapath_binding_uuid(datapath);
    const struct entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, port_hash(uuid, port_key), &index->ports) {
        const struct sb_port_binding *port = sb_port_binding_cast(e->row);
        const struct uuid *at = sb_port_binding_datapath(port);
        if (at && uuid_equal(at, uuid) && sb_port_binding_tunnel_key(port) == port_key)
            return port;
    }
    return NULL;
}

const struct sb_port_binding *sb_index_port_named(const struct sb_index *index, const char *name)
{
    const struct entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash_text(name), &index->names)
        if (!strcmp(sb_port_binding_logical_port(sb_port_binding_cast(e->row)), name))
            return sb_port_binding_cast(e->row);
    return NULL;
}

const struct sb_mac_binding *sb_index_mac_binding(const struct sb_index *index, const char *port,
                                                  const char *ip)
{
    const struct entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, binding_hash(port, ip), &index->mac_bindings) {
        const struct sb_mac_binding *r = sb_mac_binding_cast(e->row);
        if (!strcmp(sb_mac_binding_logical_port(r), port) && !strcmp(sb_mac_binding_ip(r), ip))
            return r;
    }
    return NULL;
}

const struct sb_fdb *sb_index_fdb(const struct sb_index *index, uint32_t datapath_key,
                                  const char *mac)
{
    const struct entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash_u64(datapath_key, hash_text(mac)), &index->fdbs) {
        const struct sb_fdb *r = sb_fdb_cast(e->row);
        if (sb_fdb_dp_key(r) == datapath_key && !strcmp(sb_fdb_mac(r), mac))
            return r;
    }
    return NULL;
}
