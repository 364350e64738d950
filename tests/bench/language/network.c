/* network.c - a network's logical flows and names, from a file; see network.h. */
#include "language/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { MAX_COLUMNS = 6 };

struct port {
    struct hnode node;
    uint32_t datapath, key;
    bool is_away;
    char name[];
};

struct group {
    struct hnode node;
    const char *name;
    VEC(const char *) ports;
};

static uint64_t hash_port(const char *name, uint32_t datapath)
{
    return hash_u64(datapath, hash_text(name));
}

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

static void add_port(struct network *net, char **col)
{
    size_t n = strlen(col[1]) + 1;
    struct port *p = xmalloc(sizeof *p + n);
    memcpy(p->name, col[1], n);
    p->datapath = number(col[2]);
    p->key = number(col[3]);
    p->is_away = !strcmp(col[4], "away");
    hmap_insert(&net->ports, &p->node, hash_port(p->name, p->datapath));
}

static void add_group(struct network *net, char **col)
{
    struct group *g = NEW(struct group);
    g->name = col[1];
    for (char *name; (name = strsep(&col[2], " ")) != NULL;)
        vec_push(&g->ports, (const char *)name);
    hmap_insert(&net->groups, &g->node, hash_text(g->name));
}

static void add_over(struct network *net, char **col)
{
    struct net_over *o = NEW(struct net_over);
    o->id = col[1];
    for (char *key; (key = strsep(&col[2], " ")) != NULL;)
        vec_push(&o->datapaths, number(key));
    hmap_insert(&net->overs, &o->node, hash_text(o->id));
}

static void add_datapath(struct network *net, char **col)
{
    uint32_t key = number(col[1]);
    while (net->is_router.n <= key)
        vec_push(&net->is_router, false);
    net->is_router.data[key] = !strcmp(col[2], "router");
}

static void add_flow(struct network *net, char **col)
{
    struct net_flow flow = {
        .pipeline = strcmp(col[1], "ingress") ? PIPELINE_EGRESS : PIPELINE_INGRESS,
        .table = number(col[2]),
        .match = col[3],
        .actions = col[4],
    };
    struct net_over *o;
    HMAP_FOR_EACH_WITH_HASH (o, node, hash_text(col[5]), &net->overs)
        if (!strcmp(o->id, col[5]))
            flow.over = o;
    if (!flow.over)
        bug("no datapaths \"%s\"", col[5]);
    vec_push(&net->flows, flow);
}

static const struct {
    const char *name;
    size_t n;
    void (*add)(struct network *, char **);
} kinds[] = {
    {"port", 5, add_port},  {"group", 3, add_group},       {"over", 3, add_over},
    {"lflow", 6, add_flow}, {"datapath", 3, add_datapath},
};

static void add_line(struct network *net, char *line)
{
    char *col[MAX_COLUMNS + 1];
    size_t n = 0;
    while (n <= MAX_COLUMNS && (col[n] = strsep(&line, "\t")) != NULL)
        n++;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (n == kinds[i].n && !strcmp(col[0], kinds[i].name)) {
            kinds[i].add(net, col);
            return;
        }
    bug("a line \"%s\" with %zu columns", col[0], n);
}

void network_read(struct network *net, const char *path)
{
    *net = (struct network){.ports = HMAP_INIT, .groups = HMAP_INIT, .overs = HMAP_INIT};
    FILE *f = fopen(path, "r");
    size_t cap = 0;
    if (!f || getdelim(&net->text, &cap, '\0', f) < 0)
        bug("%s: cannot be read", path);
    fclose(f);
    char *rest = net->text, *line;
    while ((line = strsep(&rest, "\n")) != NULL)
        if (*line)
            add_line(net, line);
}

void network_free(struct network *net)
{
    struct port *p;
    struct group *g;
    struct net_over *o;
    HMAP_FOR_EACH_SAFE (p, node, &net->ports)
        free(p);
    HMAP_FOR_EACH_SAFE (g, node, &net->groups) {
        vec_fini(&g->ports);
        free(g);
    }
    HMAP_FOR_EACH_SAFE (o, node, &net->overs) {
        vec_fini(&o->datapaths);
        free(o);
    }
    hmap_fini(&net->ports);
    hmap_fini(&net->groups);
    hmap_fini(&net->overs);
    vec_fini(&net->is_router);
    vec_fini(&net->flows);
    free(net->text);
}

bool network_port(const struct network *net, uint32_t datapath, const char *name, bool here,
                  uint32_t *ret)
{
    const struct port *p;
    HMAP_FOR_EACH_WITH_HASH (p, node, hash_port(name, datapath), &net->ports)
        if (p->datapath == datapath && !strcmp(p->name, name)) {
            *ret = p->key;
            return !here || !p->is_away;
        }
    return false;
}

bool network_group(const struct network *net, uint32_t datapath, const char *name,
                   void (*add)(void *aux, const char *port), void *aux)
{
    char full[256];
    snprintf(full, sizeof full, "%u_%s", datapath, name);
    const struct group *g;
    HMAP_FOR_EACH_WITH_HASH (g, node, hash_text(full), &net->groups)
        if (!strcmp(g->name, full)) {
            for (size_t i = 0; i < g->ports.n; i++)
                add(aux, g->ports.data[i]);
            return true;
        }
    return false;
}
