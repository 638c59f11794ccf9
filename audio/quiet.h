/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_QUIET_H
#define KWS_AUDIO_QUIET_H

/* Stops ALSA and JACK from writing to stderr what they think of every device that PortAudio probes
 * (about 100 lines on a machine without a sound card). Their errors still come back as results.
 * What PortAudio itself prints when an open fails cannot be switched off and stays.
 * Thread: control, before Pa_Initialize(). Lasts for the life of the process. */
void kws_quiet_libraries(void);

#endif
