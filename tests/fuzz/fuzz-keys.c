/* SPDX-License-Identifier: Apache-2.0 */
/* A key file and a list of clients: what is accepted is well-formed, and what is refused says why
 * without a secret. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/keyring.h"
#include "ipc/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition) {
		abort();
	}
}

static void check_pair(const char *text, size_t size)
{
	struct kws_key_pair pair;
	struct kws_error error = {""};
	if (kws_keys_parse(text, size, &pair, &error) == 0) {
		require(kws_keys_check_public(pair.public_key, NULL) == 0);
		require(pair.secret_key[0] == '\0' || strlen(pair.secret_key) == KWS_KEY_CHARS);
	} else {
		require(error.text[0] != '\0' && pair.secret_key[0] == '\0');
	}
}

static void check_ring(const char *text, size_t size)
{
	struct kws_keyring ring;
	struct kws_error error = {""};
	if (kws_keyring_parse(&ring, text, size, &error) != 0) {
		require(strncmp(error.text, "line ", 5) == 0);
		return;
	}
	require(ring.count <= KWS_KEYRING_MAX);
	for (size_t i = 0; i < ring.count; i++) {
		require(kws_keyring_find(&ring, ring.clients[i].public_key) == &ring.clients[i]);
		require(ring.clients[i].name[0] != '\0');
		require(ring.clients[i].right != KWS_RIGHT_NONE);
	}
	require(!kws_keyring_takes_away(&ring, &ring));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_pair((const char *)data, size);
	check_ring((const char *)data, size);
	return 0;
}
