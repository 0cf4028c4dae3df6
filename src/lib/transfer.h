/*
 * The login shell of accounts that only transfer files (src/scponly), which
 * holdfastd installs.  It is not in shells(5): what asks there (su -s, chsh)
 * takes such an account for a restricted one.
 */
#ifndef HF_TRANSFER_H
#define HF_TRANSFER_H

#include "lib/fact.h"

#define TRANSFER_PROGRAM	"scponly"
#define TRANSFER_SHELL		FACT_FOLDER "/" TRANSFER_PROGRAM

#endif
