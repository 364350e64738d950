/* qos.c - see qos.h. */
#include "switchd/qos/qos.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { QUEUES_MAX = 0xf000, DEFAULT_MBPS = 100 };

const char *const qos_types[] = {"linux-htb",      "linux-hfsc",  "linux-sfq",  "linux-codel",
                                 "linux-fq_codel", "linux-netem", "linux-noop", NULL};

/* The kernel's name, or NULL: not one of ours. */
static const char *kernel_kind(const char *type)
{
    for (size_t i = 0; qos_types[i]; i++) {
        if (!strcmp(qos_types[i], type))
            return qos_types[i] + strlen("linux-");
    }
    return NULL;
}

static bool has_queues(const char *type)
{
    return type && (!strcmp(type, "linux-htb") || !strcmp(type, "linux-hfsc"));
}

void qos_config_fini(struct qos_config *config)
{
    struct qos_queue *q;
    VEC_FOR_EACH (q, &config->queues)
        smap_fini(&q->config);
    vec_fini(&config->queues);
    smap_fini(&config->config);
    free(config->type);
    memset(config, 0, sizeof *config);
}

bool qos_config_equal(const struct qos_config *a, const struct qos_config *b)
{
    if (!a->type != !b->type || (a->type && strcmp(a->type, b->type) != 0) ||
        !smap_equal(&a->config, &b->config) || a->queues.n != b->queues.n)
        return false;
    for (size_t i = 0; i < a->queues.n; i++) {
        const struct qos_queue *p = &a->queues.data[i], *q = &b->queues.data[i];
        if (p->id != q->id || p->dscp != q->dscp || !smap_equal(&p->config, &q->config))
            return false;
    }
    return true;
}

/* ---- rates ---- */

static uint64_t rate_of(const struct smap *map, const char *key, uint64_t otherwise)
{
    int64_t x = smap_get_int(map, key, 0);
    return x > 0 ? (uint64_t)x : otherwise;
}

uint64_t qos_max_rate(const struct qos *qos)
{
    return rate_of(&qos->config.config, "max-rate", (uint64_t)DEFAULT_MBPS * 1000000);
}

uint64_t qos_queue_rate(const struct qos *qos, const struct qos_queue *queue, bool max)
{
    uint64_t port = qos_max_rate(qos);
    /* As Open vSwitch has it: at least 12 kbit/s, at most what the port has. */
    uint64_t min_rate = MIN(MAX(rate_of(&queue->config, "min-rate", 0), (uint64_t)12000), port);
    if (!max)
        return min_rate;
    return MIN(MAX(rate_of(&queue->config, "max-rate", port), min_rate), port);
}

/* ---- queues of the kernel ---- */

static int set_queue(const struct qos *qos, const struct qos_queue *q, uint32_t mtu,
                     struct diag *diag)
{
    struct tc_class_options o = {.min_rate = qos_queue_rate(qos, q, false),
                                 .max_rate = qos_queue_rate(qos, q, true),
                                 .priority = (uint32_t)smap_get_int(&q->config, "priority", 0),
                                 .mtu = mtu};
    /* Enough that a packet fits at any rate. */
    uint64_t least = ((uint64_t)mtu + 64) * 8;
    o.burst = MAX(rate_of(&q->config, "burst", least), least);
    return tc_set_class(qos->ifindex, kernel_kind(qos->config.type), TC_ROOT_CLASS, q->id + 1, &o,
                        diag);
}

static int set_queues(const struct qos *qos, uint32_t mtu, struct diag *diag)
{
    uint64_t rate = qos_max_rate(qos);
    struct tc_class_options all = {
        .min_rate = rate, .max_rate = rate, .mtu = mtu, .burst = ((uint64_t)mtu + 64) * 8};
    const char *kind = kernel_kind(qos->config.type);
    int err = tc_set_classful(qos->ifindex, kind, 1, diag);
    if (!err)
        err = tc_set_class(qos->ifindex, kind, 0, TC_ROOT_CLASS, &all, diag);
    for (size_t i = 0; i < qos->config.queues.n && !err; i++)
        err = set_queue(qos, &qos->config.queues.data[i], mtu, diag);
    return err;
}

static int64_t config_value(const void *map, const char *key)
{
    return smap_get_int(map, key, -1);
}

static int install(const struct qos *qos, uint32_t mtu, struct diag *diag)
{
    const char *type = qos->config.type;
    if (!type || !*type || !strcmp(type, "linux-noop"))
        return 0;
    if (!kernel_kind(type))
        return diag_set(diag, ERR_UNSUPPORTED, "unknown QoS type %s", type);
    if (qos->config.queues.n && qos->config.queues.data[qos->config.queues.n - 1].id >= QUEUES_MAX)
        return diag_set(diag, ERR_RANGE, "queue %u: a port has queues 0 to %d",
                        qos->config.queues.data[qos->config.queues.n - 1].id, QUEUES_MAX - 1);
    if (has_queues(type))
        return set_queues(qos, mtu, diag);
    return tc_set_simple(qos->ifindex, kernel_kind(type), config_value, &qos->config.config, diag);
}

bool qos_is_ours(const struct qos *qos)
{
    return qos->config.type && *qos->config.type && strcmp(qos->config.type, "linux-noop") != 0;
}

bool qos_has_counters(const struct qos *qos)
{
    return has_queues(qos->config.type) && !qos->failed;
}

static void keep_times(const struct qos_config *old, struct qos_config *now, int64_t now_ms)
{
    struct qos_queue *q;
    VEC_FOR_EACH (q, &now->queues) {
        q->created_ms = now_ms;
        for (size_t i = 0; i < old->queues.n; i++) {
            if (old->queues.data[i].id == q->id)
                q->created_ms = old->queues.data[i].created_ms;
        }
    }
}

/* What no queue takes goes into queue 0, configured or not. */
static void add_default_queue(struct qos_config *config)
{
    if (!has_queues(config->type) || (config->queues.n && !config->queues.data[0].id))
        return;
    struct qos_queue *q = vec_push_zero(&config->queues);
    memmove(config->queues.data + 1, config->queues.data,
            (config->queues.n - 1) * sizeof *config->queues.data);
    q = &config->queues.data[0];
    memset(q, 0, sizeof *q);
    q->dscp = -1;
}

static void copy_config(struct qos_config *to, const struct qos_config *from)
{
    memset(to, 0, sizeof *to);
    to->type = from->type ? xstrdup(from->type) : NULL;
    smap_copy(&to->config, &from->config);
    for (size_t i = 0; i < from->queues.n; i++) {
        struct qos_queue *q = vec_push_zero(&to->queues);
        q->id = from->queues.data[i].id;
        smap_copy(&q->config, &from->queues.data[i].config);
    }
}

bool qos_apply(struct qos *qos, uint32_t ifindex, uint32_t mtu, uint32_t speed_mbps,
               struct qos_config *config, int64_t now_ms, struct qos_job *job)
{
    if (config->type && !smap_get(&config->config, "max-rate") && speed_mbps) {
        char *rate = xasprintf("%llu", (unsigned long long)speed_mbps * 1000000);
        smap_set(&config->config, "max-rate", rate);
        free(rate);
    }
    add_default_queue(config);
    if (ifindex == qos->ifindex && qos_config_equal(config, &qos->config)) {
        qos_config_fini(config);
        return false;
    }
    bool was_ours = qos_is_ours(qos) && qos->ifindex == ifindex;
    keep_times(&qos->config, config, now_ms);
    qos_config_fini(&qos->config);
    qos->config = *config;
    memset(config, 0, sizeof *config);
    qos->ifindex = ifindex;
    qos->failed = false;
    *job = (struct qos_job){.qos = {.ifindex = ifindex},
                            .mtu = mtu,
                            .clears = was_ours || qos_is_ours(qos)}; /* others' too */
    copy_config(&job->qos.config, &qos->config);
    return true;
}

int qos_job_run(const struct qos_job *job, struct diag *diag)
{
    if (job->clears)
        (void)!tc_clear(job->qos.ifindex);
    return install(&job->qos, job->mtu, diag);
}

void qos_job_fini(struct qos_job *job)
{
    qos_config_fini(&job->qos.config);
}

void qos_fini(struct qos *qos)
{
    qos_config_fini(&qos->config);
}

/* ---- what is asked of them ---- */

static int by_id(const void *id_, const void *q_)
{
    const uint32_t *id = id_;
    const struct qos_queue *q = q_;
    return *id < q->id ? -1 : *id > q->id;
}

const struct qos_queue *qos_queue(const struct qos *qos, uint32_t id)
{
    size_t n = qos->config.queues.n;
    return n ? bsearch(&id, qos->config.queues.data, n, sizeof *qos->config.queues.data, by_id)
             : NULL;
}

void qos_set_sent(struct qos *qos, uint32_t minor, const struct tc_class_stats *sent)
{
    struct qos_queue *q = minor ? (struct qos_queue *)qos_queue(qos, minor - 1) : NULL;
    if (q)
        q->sent = *sent;
}

bool qos_has_queue(const struct qos *qos, uint32_t id)
{
    return qos_queue(qos, id) != NULL;
}

int qos_dscp(const struct qos *qos, uint32_t id)
{
    const struct qos_queue *q = qos_queue(qos, id);
    return q ? q->dscp : -1;
}

bool qos_queue_stats(const struct qos *qos, uint32_t id, struct qos_stats *ret)
{
    const struct qos_queue *q = qos_queue(qos, id);
    if (!q)
        return false;
    *ret = (struct qos_stats){q->sent.packets, q->sent.bytes, q->sent.drops, q->created_ms};
    return true;
}
