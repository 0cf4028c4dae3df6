/*
 * Rules for the kernel's audit, read from the texts in rules/audit, which are
 * written as auditctl(8) takes them: -a LIST,ACTION, -F, -C, -S, -k.  They are
 * a part of the program.
 */
#ifndef HF_MONITOR_KERNEL_RULES_H
#define HF_MONITOR_KERNEL_RULES_H

#include <stddef.h>

#include <libaudit.h>

/* What the key of each of our rules begins with; the rest names the event. */
#define KERNEL_RULES_KEY	"holdfast-"

/* Our own rules; not ended by a NUL. */
extern const char	kernel_rules_text[];
extern const size_t	kernel_rules_size;

/*
 * Calls with each rule (borrowed) of the text.  What this architecture does
 * not have is left out.  0, or -1 with the line at fault in why.
 */
int	 kernel_rules_each(const char *text, size_t len,
	    void (*each)(struct audit_rule_data *, void *), void *arg,
	    char *why, size_t size);

/* The key of a rule, "" when it has none; malloc'd. */
char	*kernel_rule_key(const struct audit_rule_data *);

/*
 * A rule that nothing ever matches, with this key: where the kernel keeps what
 * we have to know again.  Free with audit_rule_free_data().
 */
struct audit_rule_data *kernel_rule_note(const char *key);

#endif
