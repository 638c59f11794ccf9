/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/runtime.h"
#include "tests/scratch.h"

#define MUTED_0 "# HELP kwsd_muted 0\n"
#define MUTED_1 "# HELP kwsd_muted 1\n"

static char folder[SCRATCH_BYTES];
static char path[SCRATCH_BYTES + 16];
static uv_loop_t loop;
static unsigned failures;
static char last_reason[256];

static void on_failed(const char *reason)
{
	failures++;
	snprintf(last_reason, sizeof(last_reason), "%s", reason);
}

static int set_up(void **state)
{
	(void)state;
	failures = 0;
	assert_int_equal(scratch_create(folder), 0);
	snprintf(path, sizeof(path), "%s/kwsd.prom", folder);
	return uv_loop_init(&loop);
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(folder);
	return uv_loop_close(&loop);
}

static json_t *two_models(void)
{
	return json_pack(
		"{s:s, s:{s:[{s:s, s:{s:i, s:i}, s:{s:i, s:i}}, {s:s, s:{s:i}, s:{s:i}}]}}",
		"version", "1", "network", "models", "model", "one", "keyword_detections", "yes", 3,
		"no", 0, "keyword_near_misses", "yes", 1, "no", 2, "model", "a \"b\" \\c",
		"keyword_detections", "line\nfeed", 4, "keyword_near_misses", "line\nfeed", 5);
}

static void counts_each_keyword(void **state)
{
	json_t *status = two_models();
	char *text = kws_metrics_text(status);
	(void)state;
	assert_non_null(status);
	assert_non_null(text);
	assert_non_null(strstr(text,
		"\n# TYPE kwsd_detections_total counter\n"
		"kwsd_detections_total{model=\"one\",keyword=\"yes\"} 3\n"
		"kwsd_detections_total{model=\"one\",keyword=\"no\"} 0\n"
		"kwsd_detections_total{model=\"a \\\"b\\\" \\\\c\",keyword=\"line\\nfeed\"} 4\n#"));
	assert_non_null(strstr(text, "\n# TYPE kwsd_near_misses_total counter\n"
				     "kwsd_near_misses_total{model=\"one\",keyword=\"yes\"} 1\n"
				     "kwsd_near_misses_total{model=\"one\",keyword=\"no\"} 2\n"
				     "kwsd_near_misses_total{model=\"a \\\"b\\\" "
				     "\\\\c\",keyword=\"line\\nfeed\"} 5\n#"));
	free(text);
	json_decref(status);
}

static void write_text(struct kws_metrics_file *file, const char *text)
{
	assert_false(kws_metrics_file_is_busy(file));
	kws_metrics_file_write(file, &loop, path, strdup(text));
	assert_true(kws_metrics_file_is_busy(file));
}

static void assert_written(const char *text)
{
	char found[64] = "";
	struct stat status;
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(found, 1, sizeof(found) - 1, file) > 0);
	assert_int_equal(fclose(file), 0);
	assert_string_equal(found, text);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0644);
	assert_int_equal(scratch_count(folder), 1);
}

static void writes_again_and_again(void **state)
{
	struct kws_metrics_file file = {.failed = on_failed};
	(void)state;
	write_text(&file, MUTED_0);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_written(MUTED_0);
	write_text(&file, MUTED_1);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_written(MUTED_1);
	assert_int_equal(failures, 0);
}

static void tells_why_not(void **state)
{
	struct kws_metrics_file file = {.failed = on_failed};
	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	write_text(&file, MUTED_0);
	assert_int_equal(failures, 0); /* only by the loop */
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(failures, 1);
	assert_non_null(strstr(last_reason, "cannot write "));
	assert_non_null(strstr(last_reason, path));
	assert_int_equal(rmdir(path), 0);
	write_text(&file, MUTED_1); /* it was mended */
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_written(MUTED_1);
	assert_int_equal(failures, 1);
}

static void make_file(const char *content)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0644), 0);
}

/* Whoever may set the path must not have any file replaced: the configuration, a model, a key. */
static void another_file_is_left_alone(void **state)
{
	static const char *const others[] = {
		"[ipc]\nsite = here\n", "# HELP", "# HELP node_load1 m\n", "4711\n"};
	struct kws_metrics_file file = {.failed = on_failed};
	struct kws_error error;
	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		make_file(others[i]);
		assert_int_equal(kws_metrics_file_check(path, &error), KWS_EINVAL);
		assert_non_null(strstr(error.text, path));
		write_text(&file, MUTED_0);
		assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
		assert_int_equal(failures, i + 1);
		assert_string_equal(last_reason, error.text);
		assert_written(others[i]);
	}
	make_file("");
	assert_int_equal(kws_metrics_file_check(path, &error), 0);
	write_text(&file, MUTED_0);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_written(MUTED_0);
	assert_int_equal(kws_metrics_file_check(path, &error), 0);
	assert_int_equal(kws_metrics_file_check("", &error), 0);
}

static void what_kwsd_writes_is_a_file_of_metrics(void **state)
{
	json_t *nothing = json_object();
	char *text = kws_metrics_text(nothing);
	struct kws_error error;
	(void)state;
	assert_non_null(text);
	make_file(text);
	assert_int_equal(kws_metrics_file_check(path, &error), 0);
	json_decref(nothing);
	free(text);
}

/* It would keep kwsd muted after the next start. */
static void the_name_of_the_mute_is_kept_free(void **state)
{
	char muted[SCRATCH_BYTES + 16];
	struct kws_error error;
	(void)state;
	assert_int_equal(setenv("KWSD_RUNTIME_DIR", folder, 1), 0);
	snprintf(muted, sizeof(muted), "%s/" KWS_RUNTIME_MUTED, folder);
	assert_int_equal(kws_metrics_file_check(muted, &error), KWS_EINVAL);
	assert_non_null(strstr(error.text, "kwsd keeps another file there"));
}

/* Who may write the folder must not choose which file the daemon writes. */
static void a_planted_link_is_not_followed(void **state)
{
	struct kws_metrics_file file = {.failed = on_failed};
	char other[SCRATCH_BYTES + 16];
	struct stat status;
	(void)state;
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(symlink(other, path), 0);
	write_text(&file, MUTED_0);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(failures, 1);
	assert_int_equal(lstat(path, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_not_equal(access(other, F_OK), 0);
}

static uv_sem_t disk;

static void hang(uv_work_t *request)
{
	(void)request;
	uv_sem_wait(&disk);
}

/* As with a disk that hangs: every worker thread waits for one. */
static void the_loop_turns_meanwhile(void **state)
{
	enum { WORKERS = 4 }; /* see main() */
	struct kws_metrics_file file = {.failed = on_failed};
	uv_work_t workers[WORKERS];
	(void)state;
	assert_int_equal(uv_sem_init(&disk, 0), 0);
	for (size_t i = 0; i < WORKERS; i++) {
		assert_int_equal(uv_queue_work(&loop, &workers[i], hang, NULL), 0);
	}
	write_text(&file, MUTED_0);
	usleep(50000);
	assert_int_not_equal(uv_run(&loop, UV_RUN_NOWAIT), 0);
	assert_true(kws_metrics_file_is_busy(&file));
	assert_int_not_equal(access(path, F_OK), 0);
	for (size_t i = 0; i < WORKERS; i++) {
		uv_sem_post(&disk);
	}
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_false(kws_metrics_file_is_busy(&file));
	assert_written(MUTED_0);
	assert_int_equal(failures, 0);
	uv_sem_destroy(&disk);
}

int main(void)
{
	setenv("UV_THREADPOOL_SIZE", "4", 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_kwsd_writes_is_a_file_of_metrics, set_up, tear_down),
		cmocka_unit_test_setup_teardown(writes_again_and_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_why_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_file_is_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_name_of_the_mute_is_kept_free, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_planted_link_is_not_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_loop_turns_meanwhile, set_up, tear_down),
		cmocka_unit_test(counts_each_keyword),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
