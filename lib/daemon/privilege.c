/* privilege.c - see privilege.h. */
#include "daemon/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

static int find_user(const char *name, struct privilege *p, struct diag *diag)
{
    const struct passwd *user = getpwnam(name);
    if (!user)
        return diag_set(diag, ERR_NOT_FOUND, "--user: there is no user \"%s\"", name);
    p->uid = user->pw_uid;
    p->gid = user->pw_gid;
    p->name = xstrdup(name);
    return 0;
}

static int find_group(const char *name, struct privilege *p, struct diag *diag)
{
    const struct group *group = getgrnam(name);
    if (!group)
        return diag_set(diag, ERR_NOT_FOUND, "--user: there is no group \"%s\"", name);
    p->gid = group->gr_gid;
    return 0;
}

int privilege_parse(const char *text, struct privilege *ret, struct diag *diag)
{
    struct privilege p = {.uid = getuid(), .gid = getgid()};
    char *user = xstrdup(text), *group = strchr(user, ':');
    int err = 0;
    if (group)
        *group++ = '\0';
    if (geteuid())
        err = diag_set(diag, ERR_INVALID, "--user: only root can become somebody else");
    if (!err && *user)
        err = find_user(user, &p, diag);
    if (!err && group && *group)
        err = find_group(group, &p, diag);
    free(user);
    if (err)
        privilege_fini(&p);
    else
        *ret = p;
    return err;
}

void privilege_fini(struct privilege *p)
{
    free(p->name);
    p->name = NULL;
}

/* The capabilities of this process are those of MASK. */
static int set_capabilities(uint64_t mask)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(data); i++)
        data[i].effective = data[i].permitted = (uint32_t)(mask >> 32 * i);
    return (int)syscall(SYS_capset, &header, data);
}

int privilege_become(const struct privilege *p, bool datapath, struct diag *diag)
{
    uint64_t mask = UINT64_C(1) << CAP_NET_BIND_SERVICE | UINT64_C(1) << CAP_IPC_LOCK;
    if (datapath)
        mask |= UINT64_C(1) << CAP_NET_ADMIN | UINT64_C(1) << CAP_NET_RAW |
                UINT64_C(1) << CAP_NET_BROADCAST;
    bool failed = prctl(PR_SET_KEEPCAPS, 1) ||
                  (p->name ? initgroups(p->name, p->gid) : setgroups(0, NULL)) ||
                  setresgid(p->gid, p->gid, p->gid) || setresuid(p->uid, p->uid, p->uid) ||
                  set_capabilities(mask);
    if (failed)
        return diag_set(diag, ERR_IO, "--user: cannot become user %ld, group %ld: %s", (long)p->uid,
                        (long)p->gid, strerror(errno));
    return 0;
}
