/* huge_pages.h - memory of a program that holds much of it, in huge pages. */
#pragma once

/* Asks the C library to ask the kernel for huge pages (docs/adr/0024-huge-pages.md). It reads that wish only when a program starts, so the
 * program is executed again, by the same name and arguments: to be called first in main. Whoever sets GLIBC_TUNABLES decides himself. What
 * does not work is left as it is. */
void huge_pages_ask(char **argv);
