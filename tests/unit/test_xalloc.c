/*
 * Allocation: sizes that overflow end the process, secrets are gone after.
 */
#include <sys/wait.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "lib/xalloc.h"

static void
test_copies(void **state)
{
	char *text;
	void *data;

	(void)state;
	assert_string_equal(text = xstrndup("abcdef", 3), "abc");
	free(text);
	assert_string_equal(text = xasprintf("%d-%s", 7, "x"), "7-x");
	freezero_str(text);
	data = xmemdup("a\0b", 3);
	assert_memory_equal(data, "a\0b", 3);
	freezero(data, 3);
	assert_non_null(data = xmemdup(NULL, 0));
	free(data);
	freezero(NULL, 10);
	freezero_str(NULL);
}

static void
test_empty(void **state)
{
	void *data;

	(void)state;
	assert_non_null(data = xmalloc(0));
	assert_non_null(data = xreallocarray(data, 0, 8));
	free(data);
	assert_non_null(data = xcalloc(0, 8));
	free(data);
}

static void
array(void)
{
	free(xreallocarray(NULL, SIZE_MAX / 2, 3));
}

static void
zeroed(void)
{
	free(xcalloc(SIZE_MAX / 2, 3));
}

/* Exit code 1, by fatal(), not a signal and not a pointer. */
static void
test_overflow(void **state)
{
	void (*const tries[])(void) = { array, zeroed };
	int status;
	size_t i;
	pid_t pid;

	(void)state;
	for (i = 0; i < 2; i++) {
		if ((pid = fork()) == 0) {
			close(2);
			tries[i]();
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
