/* replay.c - runs a fuzz harness without a fuzzer: every file of its corpus, then seeded mutations of them.
 *
 * Usage: fuzz_NAME CORPUS-FOLDER [MUTATIONS [SEED]]. It ends with a line that says how much was run; a finding is what the
 * sanitizers or an invariant say. The seed is printed, so that a run can be repeated.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/str.h"
#include "base/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_LIMIT = 1 << 20 };

struct input {
    uint8_t *data;
    size_t n;
};

typedef VEC(struct input) input_vec;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void load_file(const char *path, input_vec *inputs)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return;
    struct input in = {.data = xmalloc(INPUT_LIMIT)};
    in.n = fread(in.data, 1, INPUT_LIMIT, f);
    fclose(f);
    in.data = xrealloc(in.data, in.n);
    vec_push(inputs, in);
}

static void load_folder(const char *folder, input_vec *inputs)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    VEC(char *) names = VEC_INIT;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] != '.')
            vec_push(&names, xasprintf("%s/%s", folder, e->d_name));
    }
    closedir(dir);
    if (names.n)
        qsort(names.data, names.n, sizeof *names.data, by_name);
    char **name;
    VEC_FOR_EACH (name, &names) {
        load_file(*name, inputs);
        free(*name);
    }
    vec_fini(&names);
}

/* One to eight small damages: bits, bytes, cuts, repeats, and pieces of another input. */
static size_t mutate(struct env *env, const input_vec *inputs, uint8_t *buf)
{
    const struct input *in = &inputs->data[env_random_u64(env) % inputs->n];
    size_t n = in->n;
    if (n)
        memcpy(buf, in->data, n);
    for (unsigned k = 1 + env_random_u64(env) % 8; k--;) {
        uint64_t r = env_random_u64(env);
        size_t at = n ? (r >> 8) % n : 0;
        switch (r % 6) {
        case 0:
            if (n)
                buf[at] ^= (uint8_t)(1u << (r >> 40) % 8);
            break;
        case 1:
            if (n)
                buf[at] = (uint8_t)(r >> 40);
            break;
        case 2:
            n = at;
            break;
        case 3:
            if (n && n < INPUT_LIMIT / 2) {
                size_t len = MIN(n - at, 1 + (r >> 32) % 64);
                memmove(buf + at + len, buf + at, n - at);
                n += len;
            }
            break;
        case 4:
            if (n) {
                size_t len = MIN(n - at, 1 + (r >> 32) % 8);
                memmove(buf + at, buf + at + len, n - at - len);
                n -= len;
            }
            break;
        default: {
            const struct input *other = &inputs->data[(r >> 16) % inputs->n];
            size_t len = MIN(other->n, MIN((size_t)256, INPUT_LIMIT - n));
            memcpy(buf + n, other->data + (other->n - len) / 2, len);
            n += len;
        }
        }
    }
    return n;
}

int main(int argc, char *argv[])
{
    uint64_t n_mutations = 5000, seed = 1;
    if (argc < 2 || (argc > 2 && text_to_u64(argv[2], 10, &n_mutations)) ||
        (argc > 3 && text_to_u64(argv[3], 10, &seed))) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER [MUTATIONS [SEED]]\n", argv[0]);
        return 2;
    }
    input_vec inputs = VEC_INIT;
    load_folder(argv[1], &inputs);
    if (!inputs.n) {
        fprintf(stderr, "%s: no input in %s\n", argv[0], argv[1]);
        return 1;
    }
    printf("seed %" PRIu64 "\n", seed);
    struct input *in;
    VEC_FOR_EACH (in, &inputs)
        LLVMFuzzerTestOneInput(in->data, in->n);
    struct env_seeded env;
    env_seeded_init(&env, seed);
    uint8_t *buf = xmalloc(INPUT_LIMIT);
    for (uint64_t i = 0; i < n_mutations; i++) {
        size_t n = mutate(&env.env, &inputs, buf);
        uint8_t *exact = xmemdup(buf, n); /* so that a read past the end is seen */
        LLVMFuzzerTestOneInput(exact, n);
        free(exact);
    }
    printf("%zu files and %" PRIu64 " mutations without a finding\n", inputs.n, n_mutations);
    free(buf);
    VEC_FOR_EACH (in, &inputs)
        free(in->data);
    vec_fini(&inputs);
    return 0;
}
