/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_PIN_H
#define KWS_AUDIO_PIN_H

/* Keeps a library in the process that loses memory each time it is loaded anew. Pa_Initialize()
 * opens every PCM that ALSA knows. Where libasound2-plugins is installed, one of them is a52, which
 * loads libavcodec and with it libpixman, whose constructor allocates 12 KiB that nobody frees when
 * it is unloaded again: 35 MB a day without a microphone, at a try each 30 s. A library that stays
 * is constructed once. It costs some 400 KiB; where it is not installed, nothing happens. Thread:
 * control. Lasts for the life of the process. */
void kws_pin_libraries(void);

#endif
