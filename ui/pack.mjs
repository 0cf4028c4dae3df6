/*
 * Puts what Vite built (DIST) into one file (PACK) that the web role serves,
 * with each file also as gzip and brotli where that is smaller: pack.mjs DIST
 * PACK.  Its form is described in src/web/page.h.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const [dist, pack] = process.argv.slice(2);
const magic = 0x31504648;

function names(folder = '') {
  return readdirSync(join(dist, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = posix.join(folder, entry.name);
    return entry.isDirectory() ? names(name) : [name];
  });
}

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const block = (bytes) => [u32(bytes.length), bytes];
const text = (value) => block(Buffer.from(value, 'utf8'));

/* Smaller, or it is left out. */
function smaller(made, plain) {
  return made.length < plain.length ? made : Buffer.alloc(0);
}

function file(name) {
  const plain = readFileSync(join(dist, name));
  const brotli = brotliCompressSync(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  });
  return [
    ...text(name),
    ...text(createHash('sha256').update(plain).digest('hex').slice(0, 32)),
    ...block(plain),
    ...block(smaller(gzipSync(plain, { level: 9 }), plain)),
    ...block(smaller(brotli, plain)),
  ];
}

const all = names().sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
writeFileSync(`${pack}.new`, Buffer.concat([u32(magic), u32(all.length), ...all.flatMap(file)]));
renameSync(`${pack}.new`, pack);
