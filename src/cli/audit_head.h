/* holdfast audit head. */
#ifndef HF_CLI_AUDIT_HEAD_H
#define HF_CLI_AUDIT_HEAD_H

#include "cli/command.h"

enum exit_code	audit_head(const struct invocation *);

#endif
