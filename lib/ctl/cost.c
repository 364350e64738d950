/* cost.c - what a transaction will cost, asked of the server before it is made (weft-nbctl --cost).
 *
 * The server executes it, works out what would follow and takes it back ("weft_consider"); only a weft-northd that hosts the database
 * can. While it is busy with what was said before, it is asked again.
 */
#include <stdlib.h>

#include "base/err.h"
#include "ctl/ctl_internal.h"
#include "ctl/view.h"

enum { AGAIN_MS = 10 };

static void on_time(void *is_over)
{
    *(bool *)is_over = true;
}

static void pause_for(struct ctl *ctl, int64_t ms)
{
    struct timer timer;
    bool is_over = false;
    timer_init(&timer, ctl->loop, on_time, &is_over);
    timer_start_ms(&timer, ms);
    while (!is_over)
        loop_run_once(ctl->loop, -1);
}

static void put_both(struct ctl *ctl, const json_t *answer, const char *key, const char *label)
{
    json_int_t more = 0, less = 0;
    (void)json_unpack((json_t *)(uintptr_t)answer, "{s:{s:I,s:I}}", key, "added", &more, "removed",
                      &less);
    str_putf(&ctl->cost, "%s: +%lld -%lld\n", label, (long long)more, (long long)less);
}

static void put_cost(struct ctl *ctl, const char *text)
{
    json_t *answer = json_loads(text, 0, NULL);
    str_clear(&ctl->cost);
    put_both(ctl, answer, "logical_flows", "logical flows");
    put_both(ctl, answer, "openflow_flows", "OpenFlow flows");
    str_putf(&ctl->cost, "hypervisors: %lld\n",
             (long long)json_integer_value(json_object_get(answer, "hypervisors")));
    json_decref(answer);
}

int ctl_ask_cost(struct ctl *ctl, struct diag *diag)
{
    for (;;) {
        struct replica_txn *txn = view_make_txn(ctl->view);
        if (replica_txn_is_empty(txn)) {
            replica_txn_free(txn);
            put_cost(ctl, "{}");
            return 0;
        }
        ovsdb_client_source_consider_next(ctl->source);
        int err = ctl_commit_txn(ctl, txn, diag);
        if (err == ERR_UNSUPPORTED) {
            diag_fini(diag);
            *diag = (struct diag)DIAG_INIT;
            return diag_set(diag, err,
                            "%s: --cost: the server cannot tell; it has to be a weft-northd that "
                            "hosts the database",
                            ctl->db);
        }
        if (!err)
            put_cost(ctl, ovsdb_client_source_answer(ctl->source));
        if (err != ERR_AGAIN || !replica_is_ready(ctl->replica))
            return err;
        pause_for(ctl, AGAIN_MS);
    }
}
