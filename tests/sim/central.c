/* central.c - see central.h. */
#include "sim/central.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "sim/cluster.h"

enum { SLOW_US = 2 * SECOND_US };

static unsigned n_northds(const struct central *central)
{
    return central->is_split ? 2 : 1;
}

static bool serves(const struct central *central)
{
    return central->is_split ? central->dbd_daemon != NULL : central->northds[0].daemon != NULL;
}

/* --- Starts and kills */

static void start_northd(struct central *central, unsigned i)
{
    struct central_northd *n = &central->northds[i];
    char *nb = xasprintf("--nb=unix:%s/northd%u-nb.sock", central->dir, i);
    char *sb = xasprintf("--sb=unix:%s/northd%u-sb.sock", central->dir, i);
    char program[] = "weft-northd", *argv[] = {program, central->is_split ? nb : NULL, sb, NULL};
    n->host = host_new();
    n->daemon = cluster_embed(central->cluster, central->dir, argv, &host_spec, n->host);
    free(nb);
    free(sb);
}

static void disconnect_users(const struct central *central)
{
    user_disconnect(central->cluster->nbctl);
    user_disconnect(central->cluster->sbctl);
}

static void kill_northd(struct central *central, unsigned i)
{
    struct central_northd *n = &central->northds[i];
    if (!central->is_split)
        disconnect_users(central);
    cluster_end(central->cluster, &n->daemon);
    host_free(n->host);
    n->host = NULL;
}

static void start_dbd(struct central *central)
{
    char *nb = xasprintf("%s/nb.db", central->dir), *sb = xasprintf("%s/sb.db", central->dir);
    char *nb_remote = xasprintf("--remote=punix:%s/ovnnb_db.sock", central->dir);
    char *sb_remote = xasprintf("--remote=punix:%s/ovnsb_db.sock", central->dir);
    char program[] = "weft-dbd", *argv[] = {program, nb_remote, sb_remote, nb, sb, NULL};
    central->dbd = dbd_new();
    central->dbd_daemon =
        cluster_embed(central->cluster, central->dir, argv, &dbd_spec, central->dbd);
    free(nb);
    free(sb);
    free(nb_remote);
    free(sb_remote);
}

static void kill_dbd(struct central *central)
{
    disconnect_users(central);
    cluster_end(central->cluster, &central->dbd_daemon);
    dbd_free(central->dbd);
    central->dbd = NULL;
}

static void kill_server(struct central *central)
{
    if (!serves(central))
        return;
    if (central->is_split)
        kill_dbd(central);
    else
        kill_northd(central, 0);
}

void central_serve(struct central *central)
{
    if (serves(central))
        return;
    if (central->is_split)
        start_dbd(central);
    else
        start_northd(central, 0);
}

static struct link *new_link(struct central *central, unsigned i, const char *db)
{
    char *listen = xasprintf("punix:%s/northd%u-%s.sock", central->dir, i, db);
    char *target = xasprintf("unix:%s/ovn%s_db.sock", central->dir, db);
    struct link *link = link_new(central->cluster, listen, target);
    free(listen);
    free(target);
    return link;
}

void central_start(struct central *central, struct cluster *c, bool is_split)
{
    central->cluster = c;
    central->dir = xasprintf("%s/central", c->dir);
    mkdir(central->dir, 0755);
    start_northd(central, 0); /* a northd that hosts the databases makes the files */
    if (!is_split)
        return;
    kill_northd(central, 0);
    central->is_split = true;
    start_dbd(central);
    for (unsigned i = 0; i < n_northds(central); i++) {
        central->northds[i].nb = new_link(central, i, "nb");
        central->northds[i].sb = new_link(central, i, "sb");
        start_northd(central, i);
    }
}

void central_stop(struct central *central)
{
    for (unsigned i = 0; i < n_northds(central); i++) {
        if (central->northds[i].daemon)
            kill_northd(central, i);
        if (central->is_split) {
            link_free(central->northds[i].nb);
            link_free(central->northds[i].sb);
        }
    }
    if (central->dbd_daemon)
        kill_dbd(central);
    free(central->dir);
}

void central_heal(struct central *central)
{
    central_serve(central);
    for (unsigned i = 0; i < n_northds(central); i++) {
        struct central_northd *n = &central->northds[i];
        if (central->is_split) {
            link_heal(n->nb);
            link_heal(n->sb);
        }
        if (!n->daemon)
            start_northd(central, i);
    }
}

static int active(const struct central *central)
{
    for (unsigned i = 0; i < n_northds(central); i++)
        if (central->northds[i].daemon && northd_is_active(host_northd(central->northds[i].host)))
            return (int)i;
    return -1;
}

void central_kill_active(struct central *central)
{
    int i = active(central);
    if (i >= 0)
        kill_northd(central, (unsigned)i);
}

struct northd *central_northd(const struct central *central)
{
    int i = active(central);
    return i < 0 ? NULL : host_northd(central->northds[i].host);
}

uint64_t central_n_written(const struct central *central)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < n_northds(central); i++)
        if (central->northds[i].daemon)
            n += northd_n_transactions(host_northd(central->northds[i].host));
    return n;
}

/* --- Faults */

static void run(struct central *central, const char *command)
{
    char *text = xasprintf("cd '%s' && %s", central->dir, command);
    if (system(text))
        cluster_fail(central->cluster, "%s: fails", text);
    free(text);
}

/* Puts SB aside, or puts it back as it was then. */
static void back_up_or_restore(struct central *central)
{
    kill_server(central);
    if (!central->has_backup)
        run(central, "rm -rf old && mkdir old && cp sb.db* old");
    else
        run(central, "rm -f sb.db* && cp old/sb.db* .");
    central->has_backup = !central->has_backup;
    central_serve(central);
}

static void kill_or_start_server(struct central *central)
{
    if (serves(central))
        kill_server(central);
    else
        central_serve(central);
}

static void kill_or_start_northd(struct central *central)
{
    unsigned i = (unsigned)cluster_pick(central->cluster, n_northds(central));
    if (central->northds[i].daemon)
        kill_northd(central, i);
    else
        start_northd(central, i);
}

void central_fault(struct central *central)
{
    struct cluster *c = central->cluster;
    const struct central_northd *n = &central->northds[cluster_pick(c, n_northds(central))];
    struct link *link = cluster_is_likely(c, 50) ? n->nb : n->sb;
    switch (cluster_pick(c, central->is_split ? 8 : 3)) {
    case 0:
        back_up_or_restore(central);
        break;
    case 1:
        kill_or_start_server(central);
        break;
    case 2:
    case 3:
    case 4:
        kill_or_start_northd(central);
        break;
    case 5:
        link_cut(link, cluster_is_likely(c, 60));
        break;
    case 6:
        link_stall(link, cluster_is_likely(c, 60));
        break;
    case 7:
        link_set_delay(link, (int64_t)cluster_pick(c, SLOW_US));
        break;
    }
}
