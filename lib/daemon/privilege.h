/* privilege.h - becoming another user who keeps the few capabilities that a daemon needs: --user. */
#pragma once

#include <sys/types.h>

#include "base/diag.h"

struct privilege {
    uid_t uid;
    gid_t gid;
    char *name; /* of the user, whose further groups count; NULL: only the group changes */
};

/* USER, USER:GROUP, USER: or :GROUP; a user without a group gets its own. ERR_NOT_FOUND, or ERR_INVALID
 * when this process is not root's. Ended by privilege_fini. */
int privilege_parse(const char *text, struct privilege *ret, struct diag *diag) MUST_CHECK;
void privilege_fini(struct privilege *privilege);
/* Becomes it, for ever; may then still bind low ports and lock memory and, for a DATAPATH, configure
 * interfaces and use packet sockets. To be called before threads are made. */
int privilege_become(const struct privilege *privilege, bool datapath,
                     struct diag *diag) MUST_CHECK;
