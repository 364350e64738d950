/* keys.h - tunnel keys of datapaths and ports: numbers that must stick, so no compile unit chooses them (room 2 of
 * docs/architecture.md; docs/architecture.md).
 *
 * The allocator stands beside the engine: it reads which keys are wanted and asserts which are given. A wish whose binding is
 * in SB already gets the key that stands there, so that a restart changes nothing; others get the next free number
 * after the last one given, which makes the reuse of a key that traffic may still carry as late as possible. Who requests a number of his own (requested-tnl-key) takes
 * it from whoever has it by chance.
 */
#pragma once

#include "northd/program.h"

struct keys;
struct publisher;

enum { KEYS_MAX_DATAPATH = 16711680, KEYS_MAX_PORT = 32767 };

/* All borrowed. Watches want_key: call before the first assertion. PUB tells which keys SB holds. */
struct keys *keys_new(struct northd_program *program, struct inc *inc, const struct publisher *pub);
void keys_free(struct keys *keys);
/* After a settle: gives and takes back. True when that asserted anything, so that another settle is due. A northd that is not
 * the active one (MAY_CHOOSE false) takes the keys that SB holds and chooses none; when it becomes the active one, SB is right. */
bool keys_run(struct keys *keys, bool may_choose);
