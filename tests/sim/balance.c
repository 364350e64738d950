/* balance.c - see balance.h. */
#include "sim/balance.h"

#include <stdlib.h>
#include <string.h>

#include "sim/text.h"

be32 net_vip(unsigned lb)
{
    return swap32(0x0afa0001 + lb);
}

be32 net_outer_vip(unsigned lb)
{
    return swap32(0xac100301 + lb);
}

/* Takes the backends over and writes them as the JSON of column vips. */
static void put_vips(struct net *net, unsigned lb, const be32 *backends, unsigned n, struct str *s)
{
    struct net_lb *l = &net->lbs[lb];
    struct str list = STR_INIT;
    l->n = n;
    memcpy(l->backends, backends, n * sizeof *backends);
    for (unsigned i = 0; i < n; i++)
        str_putf(&list, "%s%s:%u", i ? "," : "", ip_text(backends[i]).s, BACKEND_PORT);
    str_putf(s, "[\"map\",[[\"%s:%u\",\"%s\"],[\"%s:%u\",\"%s\"]]]", ip_text(net_vip(lb)).s,
             VIP_PORT, str_c(&list), ip_text(net_outer_vip(lb)).s, VIP_PORT, str_c(&list));
    str_fini(&list);
}

void net_add_lb(struct net *net, unsigned lb, const be32 *backends, unsigned n)
{
    struct str vips = STR_INIT;
    net->lbs[lb] = (struct net_lb){.is_there = true, .router = -1};
    put_vips(net, lb, backends, n, &vips);
    net_nb(net,
           "{\"op\":\"insert\",\"table\":\"Load_Balancer\",\"row\":{\"name\":\"lb%u\",\"protocol\":"
           "\"tcp\",\"vips\":%s}}",
           lb, str_c(&vips));
    str_fini(&vips);
}

void net_delete_lb(struct net *net, unsigned lb)
{
    net->lbs[lb].is_there = false;
    net_nb(net,
           "{\"op\":\"delete\",\"table\":\"Load_Balancer\",\"where\":[[\"name\",\"==\",\"lb%u\"]]}",
           lb);
}

void net_set_backends(struct net *net, unsigned lb, const be32 *backends, unsigned n)
{
    struct str vips = STR_INIT;
    put_vips(net, lb, backends, n, &vips);
    net_nb(net,
           "{\"op\":\"update\",\"table\":\"Load_Balancer\",\"where\":[[\"name\",\"==\",\"lb%u\"]],"
           "\"row\":{\"vips\":%s}}",
           lb, str_c(&vips));
    str_fini(&vips);
}

static void mutate(struct net *net, unsigned lb, const char *table, const char *prefix, unsigned no,
                   bool insert)
{
    char *name = xasprintf("lb%u", lb);
    char *uuid = net_uuid(net->cluster->nbctl, "Load_Balancer", "name", name);
    net_nb(net,
           "{\"op\":\"mutate\",\"table\":\"%s\",\"where\":[[\"name\",\"==\",\"%s%u\"]],"
           "\"mutations\":[[\"load_balancer\",\"%s\",[\"uuid\",\"%s\"]]]}",
           table, prefix, no, insert ? "insert" : "delete", uuid);
    free(name);
    free(uuid);
}

void net_toggle_lb(struct net *net, unsigned lb, unsigned sw)
{
    net->lbs[lb].switches ^= 1u << sw;
    mutate(net, lb, "Logical_Switch", "s", sw, net->lbs[lb].switches >> sw & 1);
}

void net_set_lb_router(struct net *net, unsigned lb, int router)
{
    struct net_lb *l = &net->lbs[lb];
    if (l->router >= 0)
        mutate(net, lb, "Logical_Router", "r", (unsigned)l->router, false);
    l->router = router;
    if (router >= 0)
        mutate(net, lb, "Logical_Router", "r", (unsigned)router, true);
}
