/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_QUIET_H
#define KWS_AUDIO_QUIET_H

#include <stdbool.h>

/* Stops ALSA and JACK from, or lets them again, writing to stderr what they think of every device
 * that PortAudio probes (about 100 lines on a machine without a sound card). Their errors still
 * come back as results. What PortAudio itself prints when an open fails cannot be switched off and
 * stays. Thread: control, before Pa_Initialize(). Holds for the whole process, until the next call.
 */
void kws_quiet_libraries(bool quiet);

#endif
