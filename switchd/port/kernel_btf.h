/* kernel_btf.h - numbers of the running kernel's functions, as BPF programs call them. */
#pragma once

/* The id of function NAME in the kernel's own type information (BTF, Documentation/bpf/btf.rst); 0: it has none of that name, or shows none. */
int kernel_function_id(const char *name);
