/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_KWS_H
#define KWS_CLI_KWS_H

/* The offline program's commands. Each takes the arguments after its name, argv[0] being the name,
 * and returns the exit status. */

#define KWS_EXIT_OK 0
/* A sentence is on stderr: */
#define KWS_EXIT_FAILED 1 /* an input could not be used, or the output not be written */
#define KWS_EXIT_USAGE 2  /* the command line or the configuration is wrong */

int kws_scan_main(int argc, char **argv);
int kws_classify_main(int argc, char **argv);
int kws_tune_main(int argc, char **argv);
int kws_info_main(int argc, char **argv);

#endif
