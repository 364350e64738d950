/* dns.h - the compile units of DNS records (rooms 2 and 3 of docs/architecture.md; ovn-nb(5) "DNS", ovn-northd(8) "DNS Lookup"). */
#pragma once

#include "northd/lflows.h"

/* dns.c, for program.c */
void dns_declare_facts(struct northd_program *p);
void dns_declare_units(struct northd_program *p);
