/* SPDX-License-Identifier: Apache-2.0 */
#include <portaudio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "audio/pin.h"
#include "audio/quiet.h"
#include "audio/sources.h"

#define CHANNELS_DEFAULT_MAX 2

/* A sound device. PortAudio makes its device list in Pa_Initialize() and never again, so every open
 * initialises and every close terminates: that is the only way to see a device that was plugged in
 * since. All Pa_... calls are made on the audio-control thread. */
struct kws_source {
	struct kws_feed *feed;
	PaStream *stream;
	PaStreamParameters input;
	double rate_hz;
};

/* PortAudio's thread. Nothing here may block, allocate or call PortAudio.
 *
 * A close cancels the thread, because a sick device would never let it return. The wake-up writes
 * to a descriptor, which is a cancellation point: cancelled there, libuv's handle would stay marked
 * as pending and never wake the loop again. So the thread cannot be cancelled in here. */
static int on_frames(const void *input, void *output, unsigned long frame_count,
	const PaStreamCallbackTimeInfo *time, PaStreamCallbackFlags flags, void *user)
{
	(void)output;
	(void)time;
	struct kws_source *source = user;
	int cancel_state;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	if ((flags & paInputOverflow) != 0) {
		kws_feed_xrun(source->feed);
	}
	if (input != NULL) {
		kws_feed_write(source->feed, input, frame_count);
	}
	pthread_setcancelstate(cancel_state, NULL);
	return paContinue;
}

/* PortAudio's thread after the last on_frames(), also during our own close, when nobody listens to
 * it any more. */
static void on_finished(void *user)
{
	struct kws_source *source = user;
	kws_feed_end(source->feed, KWS_EDEVICE, "the device stopped");
}

static int fail_pa(struct kws_error *error, const char *what, PaError result)
{
	/* paUnanticipatedHostError hides the real text in a second place. */
	const PaHostErrorInfo *host = Pa_GetLastHostErrorInfo();
	if (result == paUnanticipatedHostError && host != NULL && host->errorText[0] != '\0') {
		return kws_fail(error, KWS_EDEVICE, "%s: %s", what, host->errorText);
	}
	return kws_fail(error, KWS_EDEVICE, "%s: %s", what, Pa_GetErrorText(result));
}

static void list_devices(struct kws_device_list *list)
{
	list->count = 0;
	PaDeviceIndex default_id = Pa_GetDefaultInputDevice();
	PaDeviceIndex count = Pa_GetDeviceCount();
	for (PaDeviceIndex id = 0; id < count && list->count < KWS_DEVICES_MAX; id++) {
		const PaDeviceInfo *info = Pa_GetDeviceInfo(id);
		if (info->maxInputChannels < 1) {
			continue;
		}
		struct kws_device *device = &list->items[list->count++];
		snprintf(device->name, sizeof(device->name), "%s", info->name);
		snprintf(device->host_api, sizeof(device->host_api), "%s",
			Pa_GetHostApiInfo(info->hostApi)->name);
		device->default_rate_hz = (unsigned)info->defaultSampleRate;
		device->max_channels = (unsigned)info->maxInputChannels;
		device->is_default = id == default_id;
		device->id = id;
	}
}

static int fail_not_found(
	struct kws_error *error, const char *name, const struct kws_device_list *list)
{
	char names[160];
	kws_device_names(list, names, sizeof(names));
	if (name == NULL || name[0] == '\0') {
		return kws_fail(error, KWS_ENOENT,
			"there is no default input device; input devices: %s", names);
	}
	return kws_fail(error, KWS_ENOENT, "no input device matches '%.60s'; input devices: %s",
		name, names);
}

static unsigned channels_of(const struct kws_device *device, const struct kws_source_config *config)
{
	if (config->channels != 0) {
		return config->channels;
	}
	unsigned enough =
		config->channel > CHANNELS_DEFAULT_MAX ? config->channel : CHANNELS_DEFAULT_MAX;
	return device->max_channels < enough ? device->max_channels : enough;
}

static int choose(struct kws_source *source, const struct kws_source_config *config,
	struct kws_source_info *info, struct kws_error *error)
{
	list_devices(&info->devices);
	const struct kws_device *device = kws_device_find(&info->devices, config->device);
	if (device == NULL) {
		return fail_not_found(error, config->device, &info->devices);
	}
	snprintf(info->device, sizeof(info->device), "%s", device->name);
	info->format.rate_hz = config->rate_hz != 0 ? config->rate_hz : device->default_rate_hz;
	info->format.channels = channels_of(device, config);
	info->max_channels = device->max_channels;
	if (info->format.channels > device->max_channels) {
		return kws_fail(error, KWS_EUNSUPPORTED, "'%s' has %u input channels, not %u",
			device->name, device->max_channels, info->format.channels);
	}
	source->rate_hz = info->format.rate_hz;
	source->input = (PaStreamParameters){
		.device = device->id,
		.channelCount = (int)info->format.channels,
		.sampleFormat = paInt16,
		/* A keyword can wait some tens of milliseconds; a dropped sample cannot be had
		 * again, and fewer wake-ups save power. */
		.suggestedLatency = Pa_GetDeviceInfo(device->id)->defaultHighInputLatency,
	};
	return 0;
}

static int open_stream(
	struct kws_source *source, const struct kws_source_info *info, struct kws_error *error)
{
	PaError result = Pa_OpenStream(&source->stream, &source->input, NULL, source->rate_hz,
		paFramesPerBufferUnspecified, paNoFlag, on_frames, source);
	if (result == paNoError) {
		result = Pa_SetStreamFinishedCallback(source->stream, on_finished);
	}
	if (result != paNoError) {
		char what[sizeof(info->device) + 64];
		snprintf(what, sizeof(what), "cannot open '%s' at %u Hz with %u channels",
			info->device, info->format.rate_hz, info->format.channels);
		return fail_pa(error, what, result);
	}
	return 0;
}

static void portaudio_close(struct kws_source *source)
{
	if (source->stream != NULL) {
		Pa_CloseStream(source->stream); /* discards, joins PortAudio's thread */
	}
	kws_pin_libraries(); /* only now: a device that runs for ever never pays for it */
	Pa_Terminate();
	free(source);
}

static int portaudio_open(struct kws_source **out, const struct kws_source_config *config,
	struct kws_source_info *info, struct kws_error *error)
{
	struct kws_source *source = calloc(1, sizeof(*source));
	if (source == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	kws_quiet_libraries(!config->debug);
	PaError initialised = Pa_Initialize();
	if (initialised != paNoError) {
		free(source);
		return fail_pa(error, "cannot start PortAudio", initialised);
	}
	int result = choose(source, config, info, error);
	if (result == 0) {
		result = open_stream(source, info, error);
	}
	if (result < 0) {
		portaudio_close(source);
		return result;
	}
	*out = source;
	return 0;
}

static int portaudio_start(
	struct kws_source *source, struct kws_feed *feed, struct kws_error *error)
{
	source->feed = feed;
	PaError result = Pa_StartStream(source->stream);
	if (result != paNoError) {
		return fail_pa(error, "cannot start the device", result);
	}
	return 0;
}

const struct kws_source_ops kws__source_portaudio = {
	.name = "portaudio",
	.live = true,
	.open = portaudio_open,
	.start = portaudio_start,
	.close = portaudio_close,
};
