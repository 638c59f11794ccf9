/* SPDX-License-Identifier: Apache-2.0 */
/* The whole daemon, from its settings to its end, when the memory runs out: whichever allocation
 * fails, it says so and ends, or does without and goes on; and nothing is left behind. Each run is
 * a process of its own, with a client beside it that asks for everything there is to ask and then
 * speaks. */
#include "tests/alloc-fail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>
#include <zmq.h>

#include "daemon/daemon.h"
#include "daemon/settings.h"
#include "ipc/keyring.h"
#include "tests/pipeline-rig.h"
#include "tests/scratch.h"

#define WORD_SAMPLES (RATE_HZ * 5 / 4)

/* A hop that is loud is an event, and everything that an event can bring about is switched on. */
static const char configuration[] =
	"[audio]\nsource = stdin\nrate_hz = 16000\nchannels = 1\n"
	"[model]\nhop_frames = 8\n"
	"[detector]\nsmoothing_hops = 1\npatience_hops = 1\n"
	"[clips]\npreroll_ms = 500\npublish = yes\nquota_mb = 1\n"
	"[ipc]\nremote_events = tcp://127.0.0.1:*\nremote_control = tcp://127.0.0.1:*\n"
	"scores = yes\nlevel_ms = 100\nsite = here\n"
	"[keyword go]\nphrase = go on\n";

/* Ends of a run's process. */
enum outcome {
	OUTCOME_CALM,  /* no allocation failed */
	OUTCOME_BORNE, /* one failed, and all was as it should be */
	OUTCOME_WRONG, /* what was wrong stands in the file "wrong" */
	OUTCOME_DIED,
};

/* Everything that kwsctl can ask for; the model's folder holds two. */
static const char *const calls[] = {
	"'method':'status'", /* the first: see wait_for_answers() */
	"'method':'help'",
	"'method':'get'",
	"'method':'get','params':{'key':'detector.threshold'}",
	"'method':'set','params':{'values':{'detector.refractory_ms':'100'},'persist':true}",
	"'method':'set','params':{'values':{'model.hop_frames':2}}",
	"'method':'set','params':{'values':{'keyword go.patience_hops':'1'}}",
	"'method':'load-model','params':{'model':['one','other']}",
	"'method':'load-model','params':{'model':'one'}",
	"'method':'models'",
	"'method':'devices'",
	"'method':'level'",
	"'method':'mute'",
	"'method':'unmute'",
	"'method':'metrics'",
	"'method':'reload'",
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static char folder[SCRATCH_BYTES];
static char ports[2][8];
static int held[2]; /* the sockets that keep them */

/* What the runs' processes share. */
static struct {
	struct alloc_fail_places places;
	size_t nodes[CALLS]; /* of the JSON that answers each call */
	bool long_run;       /* at least until the daemon's timer has ticked */
} * shared;

static const char *path_of(const char *name)
{
	static char paths[4][256]; /* for as many at a time */
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const void *data, size_t size)
{
	FILE *file = fopen(path_of(name), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static size_t read_file(const char *name, char *text, size_t size)
{
	FILE *file = fopen(path_of(name), "r");
	size_t length = file != NULL ? fread(text, 1, size - 1, file) : 0;
	if (file != NULL) {
		fclose(file);
	}
	text[length] = '\0';
	return length;
}

static void ask(void *socket, size_t call)
{
	char text[256];
	snprintf(text, sizeof(text), "{'jsonrpc':'2.0','id':%zu,%s}", call, calls[call]);
	for (char *c = text; *c != '\0'; c++) {
		*c = *c == '\'' ? '"' : *c;
	}
	zmq_send(socket, text, strlen(text), 0);
}

static size_t count_nodes(json_t *json)
{
	const char *key;
	size_t index;
	json_t *value;
	size_t count = 1;
	json_object_foreach (json, key, value) {
		count += count_nodes(value);
	}
	json_array_foreach (json, index, value) {
		count += count_nodes(value);
	}
	return count;
}

/* Whether it is a whole result, or else tells that the memory had run out: as an error, or in the
 * place of a model that could not be looked at. */
static bool is_good(const json_t *answer, size_t call, const char *text)
{
	json_t *result = json_object_get(answer, "result");
	if (result != NULL && shared->nodes[call] == 0) {
		shared->nodes[call] = count_nodes(result);
	}
	return (result != NULL && shared->nodes[call] == count_nodes(result)) ||
	       strstr(text, "out of memory") != NULL;
}

/* Takes the next answer. Of a status, `uptime_s` is set and `told` becomes true. */
static bool take_answer(void *socket, bool *told, double *uptime_s)
{
	static char text[1 << 17];
	int size = zmq_recv(socket, text, sizeof(text) - 1, 0);
	text[size >= 0 && size < (int)sizeof(text) ? size : 0] = '\0';
	json_t *answer = json_loads(text, 0, NULL);
	json_t *uptime = json_object_get(json_object_get(answer, "result"), "uptime_s");
	size_t id = (size_t)json_integer_value(json_object_get(answer, "id"));
	bool good = answer != NULL && id < CALLS && is_good(answer, id, text);
	if (!good) {
		fprintf(stderr, "%s is answered by %s\n", id < CALLS ? calls[id] : "?", text);
	}
	if (uptime != NULL) {
		*told = true;
		*uptime_s = json_real_value(uptime);
	}
	json_decref(answer);
	return good;
}

/* Waits until all that was asked before is answered and the daemon has run for that long. For lack
 * of memory a call may stay without a result, but not two, so each status is asked for twice. */
static bool wait_for_answers(void *socket, double least_s)
{
	bool good = true;
	double uptime_s = 0.0;
	do {
		bool told = false;
		ask(socket, 0);
		ask(socket, 0);
		while (good && !told) {
			good = take_answer(socket, &told, &uptime_s);
		}
		usleep(uptime_s < least_s ? 20000 : 0);
	} while (good && uptime_s < least_s);
	return good;
}

/* The client's process: talks to the daemon, speaks into `audio` and ends it by closing that. */
static _Noreturn void talk(int audio)
{
	static int16_t word[WORD_SAMPLES];
	char endpoint[256];
	void *context = zmq_ctx_new();
	void *socket = zmq_socket(context, ZMQ_DEALER);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/run/control", folder);
	int soon_ms = 2;
	zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &soon_ms, sizeof(soon_ms));
	zmq_connect(socket, endpoint);
	for (size_t i = 1; i < CALLS; i++) {
		ask(socket, i);
	}
	bool good = wait_for_answers(socket, 0.0);
	fill_noise(word, WORD_SAMPLES, 32767, 1);
	good = good && write(audio, word, sizeof(word)) == (ssize_t)sizeof(word) &&
	       wait_for_answers(socket, shared->long_run ? 0.15 : 0.0);
	_exit(good ? 0 : 1);
}

static pid_t start_client(void)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t client = fork();
	if (client == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		talk(ends[1]);
	}
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	return client;
}

static void set(struct kws_options *options, const char *key, const char *before, const char *value)
{
	static char settings[6][256];
	char *setting = settings[options->setting_count];
	snprintf(setting, sizeof(settings[0]), "%s=%s%s", key, before, value);
	options->settings[options->setting_count++] = setting;
}

static int run_daemon(void)
{
	struct kws_options options = {.config_path = path_of("kwsd.conf")};
	struct kws_config *config;
	struct kws_config_errors errors;
	set(&options, "model.path", folder, "/one.safetensors");
	set(&options, "clips.folder", folder, "/clips");
	set(&options, "ipc.metrics_path", folder, "/kwsd.prom");
	set(&options, "ipc.keys", folder, "/keys");
	set(&options, "ipc.remote_events", "tcp://127.0.0.1:", ports[0]);
	set(&options, "ipc.remote_control", "tcp://127.0.0.1:", ports[1]);
	if (kws_settings_load(&options, NULL, NULL, &config, &errors) != 0) {
		fprintf(stderr, "kwsd: error: %s\n", errors.text[0]);
		return KWS_DAEMON_USAGE;
	}
	return kws_daemon_run(&options, config);
}

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void complain(const char *format, ...)
{
	FILE *file = fopen(path_of("wrong"), "a");
	va_list args;
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fputc('\n', file);
	fclose(file);
}

/* What a run left behind, or did not say. Returns whether there was anything. */
static bool is_wrong(int status, bool one_failed, int client, size_t descriptors)
{
	static char log[1 << 16];
	size_t left = alloc_fail_live();
	size_t open = alloc_fail_descriptors();
	bool told = read_file("log", log, sizeof(log)) > 0 && strstr(log, "error: ") != NULL;
	if (left != 0 || open != descriptors) {
		complain("%zu blocks and %zd descriptors are left", left,
			(ssize_t)(open - descriptors));
	}
	if (status != KWS_DAEMON_OK && !(one_failed && told)) {
		complain("it ended with %d and the log:\n%s", status, log);
	}
	if (status == KWS_DAEMON_OK && !(WIFEXITED(client) && WEXITSTATUS(client) == 0)) {
		complain("the client was answered wrongly; the log:\n%s", log);
	}
	return access(path_of("wrong"), F_OK) == 0;
}

/* One run, in which the first allocation from `place` fails; 0: it records where there are any. */
static enum outcome run_once(uint64_t place)
{
	uv_loop_t loop; /* the first one opens what stays open */
	int log = open(path_of("log"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	int client;
	uv_loop_init(&loop);
	uv_loop_close(&loop);
	dup2(log, STDERR_FILENO);
	close(log);
	pid_t talking = start_client();
	size_t descriptors = alloc_fail_descriptors();
	alloc_fail_begin_at(place, place == 0 ? &shared->places : NULL);
	int status = run_daemon();
	bool one_failed = alloc_fail_end();
	if (status != KWS_DAEMON_OK) {
		kill(talking, SIGKILL);
	}
	waitpid(talking, &client, 0);
	if (is_wrong(status, one_failed, client, descriptors)) {
		return OUTCOME_WRONG;
	}
	return one_failed ? OUTCOME_BORNE : OUTCOME_CALM;
}

static enum outcome run_in_process(uint64_t place)
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(run_once(place));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status)) {
		print_message("signal %d\n", WTERMSIG(status));
		return OUTCOME_DIED;
	}
	return WEXITSTATUS(status);
}

/* Returns whether an allocation failed. */
static bool run_well(uint64_t place, bool long_run)
{
	static char text[1 << 16];
	shared->long_run = long_run;
	enum outcome outcome = run_in_process(place);
	if (outcome > OUTCOME_BORNE) {
		read_file(outcome == OUTCOME_DIED ? "log" : "wrong", text, sizeof(text));
		fail_msg("%s%s", outcome == OUTCOME_DIED ? "it died; the log:\n" : "", text);
	}
	return outcome == OUTCOME_BORNE;
}

/* Finds the places; returns how many of them a short run has. */
static size_t find_places(void)
{
	static char log[1 << 16];
	for (int i = 0; i < 3; i++) { /* they differ by what threads do meanwhile */
		assert_false(run_well(0, false));
	}
	size_t count = shared->places.count;
	assert_false(run_well(0, true));
	read_file("log", log, sizeof(log));
	assert_non_null(strstr(log, "go: score"));
	assert_int_equal(access(path_of("kwsd.prom"), F_OK), 0);
	assert_int_not_equal(rmdir(path_of("clips")), 0); /* not empty */
	return count;
}

static void each_allocation_may_fail(void **state)
{
	const struct alloc_fail_places *places = &shared->places;
	size_t borne = 0;
	(void)state;
	write_file("kwsd.conf", configuration, strlen(configuration));
	size_t short_count = find_places();
	for (size_t i = 0; i < places->count; i++) {
		borne += run_well(places->hashes[i], i >= short_count);
	}
	print_message("%zu of %zu allocations failed\n", borne, places->count);
	assert_true(borne > places->count / 2);
}

static void write_model(const char *file, const char *name, const char *labels)
{
	static const float weight[] = {8.0f, -8.0f}; /* see build_model() */
	static const float bias[] = {0.0f, 0.0f};
	const size_t shape[4] = {2, 1, 0, 0};
	struct model_builder builder;
	model_builder_init(&builder);
	model_builder_describe(&builder);
	model_builder_metadata(&builder, "kws.name", name);
	model_builder_json(&builder, "kws.labels", labels);
	model_builder_metadata(&builder, "kws.features", kws_mel_describe());
	model_builder_json(&builder, "kws.graph", GRAPH("[98,64,1]"));
	model_builder_tensor(&builder, "unsure", KWS_DTYPE_F32, shape, weight);
	model_builder_tensor(&builder, "sure", KWS_DTYPE_F32, shape, weight);
	model_builder_tensor(&builder, "bias", KWS_DTYPE_F32, (const size_t[4]){2, 0, 0, 0}, bias);
	struct model_bytes bytes = model_builder_bytes(&builder);
	write_file(file, bytes.data, bytes.size);
	free(bytes.data);
	model_builder_finish(&builder);
}

/* Nobody uses it now, and only who asks for this very port gets it as long as the descriptor that
 * comes back is open: libzmq, which sets SO_REUSEADDR too, can bind beside a socket that does not
 * listen. */
static int hold_port(char port[8])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int yes = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(port, 8, "%u", (unsigned)ntohs(address.sin_port));
	return fd;
}

static int set_up(void **state)
{
	struct kws_key_pair pair;
	struct kws_error error;
	(void)state;
	assert_int_equal(scratch_create(folder), 0);
	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	assert_int_equal(mkdir(path_of("clips"), 0700), 0);
	assert_int_equal(setenv("KWSD_RUNTIME_DIR", path_of("run"), 1), 0);
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	assert_int_equal(mkdir(path_of("keys"), 0700), 0);
	assert_int_equal(kws_keys_make(&pair, &error), 0);
	assert_int_equal(kws_keys_write(path_of("keys/server"), &pair, &error), 0);
	assert_int_equal(kws_keyring_change(path_of("keys"), "tablet", pair.public_key,
				 KWS_RIGHT_EVENTS, &error),
		0);
	held[0] = hold_port(ports[0]);
	held[1] = hold_port(ports[1]);
	write_model("one.safetensors", "one", "['go','_silence_']");
	write_model("other.safetensors", "other", "['stop','_silence_']");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(held[0]);
	close(held[1]);
	scratch_remove(path_of("run"));
	scratch_remove(path_of("clips"));
	scratch_remove(path_of("keys"));
	scratch_remove(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};
	int failed = cmocka_run_group_tests(tests, set_up, tear_down);
	return failed != 0;
}
