/* pipeline.h - the shape of the logical pipelines as a page of documentation: docs/pipeline.md. */
#pragma once

#include "base/str.h"

void pipeline_print(struct str *out);
