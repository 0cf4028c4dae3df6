/*
 * What root asked for while nobody served: holdfast recover leaves a file in
 * our folder, and the next start carries it out before anybody is served.
 */
#ifndef HF_REQUEST_H
#define HF_REQUEST_H

/*
 * {method: parameter} of those that may wait so (a table in request.c): done()
 * is called at the end, at once when there is no file.  The file goes, whatever
 * came of it: the log says that, and a problem of status when it failed.  Only
 * while the store is refused it stays.
 */
void	request_carry_out(void (*done)(void));

#endif
