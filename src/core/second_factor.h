/*
 * What the PAM modules ask about codes and passwords of SSH logins, and tell
 * (lib/second_factor.h): root alone may, which the kernel says of the other end
 * before a byte of it is read.
 */
#ifndef HF_CORE_SECOND_FACTOR_H
#define HF_CORE_SECOND_FACTOR_H

/* Serves on that listening socket, for ever. */
void	second_factor_serve(int fd);

#endif
