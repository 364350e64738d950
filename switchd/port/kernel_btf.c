/* kernel_btf.c - see kernel_btf.h. libbpf would read all of the kernel's types into tables, which stops packets for 50 ms; here the one name
 * is looked for, and then the types are walked once, in 2 or 3 ms. */
#include "switchd/port/kernel_btf.h"

#include <fcntl.h>
#include <linux/btf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

/* The whole file, of *SIZE bytes; NULL: it cannot be read. */
static uint8_t *read_file(const char *path, size_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    size_t n = 0, max = fstat(fd, &st) || st.st_size < 0 ? 0 : (size_t)st.st_size;
    uint8_t *data = xmalloc(max + 1);
    for (ssize_t got; n < max && (got = read(fd, data + n, max - n)) > 0;)
        n += (size_t)got;
    close(fd);
    *size = n;
    return data;
}

/* Bytes behind the btf_type of INFO; -1: a kind that is not known here. */
static int64_t rest_len(uint32_t info)
{
    uint32_t n = BTF_INFO_VLEN(info);
    switch (BTF_INFO_KIND(info)) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG:
        return 4;
    case BTF_KIND_ARRAY:
        return sizeof(struct btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        return n * (int64_t)sizeof(struct btf_member);
    case BTF_KIND_ENUM:
        return n * (int64_t)sizeof(struct btf_enum);
    case BTF_KIND_ENUM64:
        return n * (int64_t)sizeof(struct btf_enum64);
    case BTF_KIND_FUNC_PROTO:
        return n * (int64_t)sizeof(struct btf_param);
    case BTF_KIND_DATASEC:
        return n * (int64_t)sizeof(struct btf_var_secinfo);
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG:
        return 0;
    default:
        return -1;
    }
}

/* The type of that kind whose name is at NAME_OFF. */
static int find_function(const uint8_t *types, size_t n, uint32_t name_off)
{
    struct btf_type t;
    int id = 1; /* 0 is void */
    for (size_t at = 0; n - at >= sizeof t; id++) {
        memcpy(&t, types + at, sizeof t);
        if (BTF_INFO_KIND(t.info) == BTF_KIND_FUNC && t.name_off == name_off)
            return id;
        int64_t rest = rest_len(t.info);
        at += sizeof t;
        if (rest < 0 || (uint64_t)rest > n - at)
            return 0;
        at += (size_t)rest;
    }
    return 0;
}

static int find_in(const uint8_t *data, size_t n, const char *name)
{
    struct btf_header h;
    if (n < sizeof h)
        return 0;
    memcpy(&h, data, sizeof h);
    if (h.magic != BTF_MAGIC || h.hdr_len < sizeof h || h.hdr_len > n)
        return 0;
    n -= h.hdr_len;
    if (h.type_off > n || h.type_len > n - h.type_off || h.str_off > n || h.str_len > n - h.str_off)
        return 0;
    const uint8_t *strings = data + h.hdr_len + h.str_off;
    char *wanted = xasprintf("%c%s", '\1', name); /* behind the zero of the one before */
    wanted[0] = '\0';
    const uint8_t *at = memmem(strings, h.str_len, wanted, strlen(name) + 2);
    free(wanted);
    return at ? find_function(data + h.hdr_len + h.type_off, h.type_len,
                              (uint32_t)(at + 1 - strings))
              : 0;
}

int kernel_function_id(const char *name)
{
    size_t n;
    uint8_t *data = read_file("/sys/kernel/btf/vmlinux", &n);
    int id = data ? find_in(data, n, name) : 0;
    free(data);
    return id;
}
