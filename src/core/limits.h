/*
 * Limits of the wire, in one place (the API's own, protocol.json "limits",
 * unless said otherwise).
 */
#ifndef HF_LIMITS_H
#define HF_LIMITS_H

#define LIMIT_MESSAGE_ANONYMOUS	8192	/* characters of one frame */
#define LIMIT_MESSAGE		65536
#define LIMIT_CALLS		20	/* in progress on one connection */
#define LIMIT_RATE_CALLS	20	/* of one method from one address */
#define LIMIT_RATE_SECONDS	60
#define LIMIT_RATE_KEYS		4096	/* ours: 100 there, easily flooded */
#define LIMIT_RATE_DELAY_MS	1000	/* the answer's, and up to ... */
#define LIMIT_RATE_SPREAD_MS	9000	/* ... so much more */
#define LIMIT_LOGIN_DELAY_MS	1000	/* of a failed login: 1 to 2 s ... */
#define LIMIT_LOGIN_DELAY_2_MS	4000	/* ... or 4 to 5 at LEVEL_2 */
#define LIMIT_LOGIN_SPREAD_MS	1000

#define LIMIT_JOBS_KEPT		1000	/* that have ended */
#define LIMIT_JOB_LOCK_QUEUE	5	/* waiting for one lock */

/* Ours. */
#define LIMIT_ANSWER		(15 * 1024 * 1024) /* bytes of a frame */
#define LIMIT_JOBS_USER		100	/* of one user, not yet ended */
#define LIMIT_JOB_MEMORY	(16 * 1024 * 1024) /* of those of a user; and
						      of those that ended */
#define LIMIT_JOB_ROW		32768	/* characters of one on disk */
#define LIMIT_JOB_LOG		(1024 * 1024)
#define LIMIT_JOB_TEXT		1024	/* of a progress' description */
#define LIMIT_PROGRESS_STEPS	16	/* told at once, the others ... */
#define LIMIT_PROGRESS_MS	100	/* ... so far from each other */
#define LIMIT_JOB_RESULT	(4 * 1024 * 1024) /* bytes shown of it */
#define LIMIT_BULK_RESULTS	(4 * 1024 * 1024) /* memory */
#define LIMIT_BULK_SLICE_MS	5	/* then others have their turn */
#define LIMIT_UNIX_USER		32	/* connections of one uid */
#define LIMIT_UNIX_ROOT		512
#define LIMIT_LOGINS_RUNNING	2	/* passwords being verified */
#define LIMIT_LOGINS_WAITING	64
#define LIMIT_LOGINS_ADDRESS	8	/* waiting of one address, account */
#define LIMIT_LOCKOUT_DELAY_MS	30000	/* of the last administrator */
#define LIMIT_LOCKOUT_SOURCES	32	/* remembered of one account */
#define LIMIT_LOCKOUT_STRANGERS	1024	/* of names that nobody has */
#define LIMIT_TOKENS		256	/* of one user */
#define LIMIT_EVENTS	(1 << 20)	/* bytes that wait for one connection */
#define LIMIT_EVENTS_FRONT (64 << 20)	/* in our queue to a front role */
#define LIMIT_DOWNLOAD_S	60	/* until it is fetched ... */
#define LIMIT_DOWNLOAD_BUFFERED_S 3600	/* ... or a buffered one */
#define LIMIT_DOWNLOAD_TOKEN_S	300	/* then it is told that it is late */
#define LIMIT_DOWNLOAD_BUFFER	(16 * 1024 * 1024) /* bytes of a buffered one */
#define LIMIT_DOWNLOADS_USER	8	/* waiting, of one user */
#define LIMIT_DOWNLOADS		1024	/* known of */
#define LIMIT_UPLOAD		((uint64_t)1 << 30) /* where no method says */
#define LIMIT_SHELLS_USER	8	/* of one user */
#define LIMIT_SUBSCRIPTIONS	128	/* of one connection */
#define LIMIT_SOURCES		16	/* running for one connection */

#endif
