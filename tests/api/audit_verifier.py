"""Verifies a store of the audit log, or an export of it.

Written from holdfast-audit(5) alone, with nothing but Python's own library:
so that page suffices to write one, and this shares no mistake with
"holdfast audit verify".

    python3 audit_verifier.py FOLDER-OR-ARCHIVE
"""

import hashlib
import json
import pathlib
import re
import sys
import tarfile

ZEROS = "0" * 64


class Wrong(Exception):
    """What is not as it was signed."""


def expect(condition, text):
    if not condition:
        raise Wrong(text)


# Ed25519, RFC 8032 section 5.1, in affine coordinates: slow and short.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add_points(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    k = (y1 - x1) * (y2 - x2) % P
    m = (y1 + x1) * (y2 + x2) % P
    c = 2 * t1 * t2 * D % P
    d = 2 * z1 * z2 % P
    e, f, g, h = m - k, d - c, d + c, m + k
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add_points(total, point)
        point = add_points(point, point)
        number >>= 1
    return total


def decoded(octets):
    y = int.from_bytes(octets, "little")
    odd, y = y >> 255, y & (2**255 - 1)
    expect(y < P, "a point is none")
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    expect((x * x - square) % P == 0 and (x or not odd), "a point is none")
    if x & 1 != odd:
        x = P - x
    return x, y, 1, x * y % P


BASE = decoded((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def signed(key, signature, text):
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(
        hashlib.sha512(signature[:32] + key + text).digest(), "little")
    if s >= ORDER:
        return False
    a = times(s, BASE)
    b = add_points(decoded(signature[:32]), times(k % ORDER, decoded(key)))
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and \
        (a[1] * b[2] - b[1] * a[2]) % P == 0


# The tree, RFC 9162 section 2.1.1.

def leaf_hash(line):
    return hashlib.sha256(b"\0" + line).digest()


class Tree:
    """The roots of perfect trees, each with its number of records."""

    def __init__(self, size=0, roots=()):
        self.parts = []
        for bit in range(63, -1, -1):
            if size >> bit & 1:
                self.parts.append((1 << bit, roots[len(self.parts)]))
        self.size = size

    def add(self, root, count=1):
        expect(count & (count - 1) == 0 and self.size % count == 0,
               f"no subtree of {count} stands behind {self.size} records")
        self.size += count
        while self.parts and self.parts[-1][0] == count:
            _, left = self.parts.pop()
            root = hashlib.sha256(b"\1" + left + root).digest()
            count *= 2
        self.parts.append((count, root))

    def root(self):
        if not self.parts:
            return hashlib.sha256().hexdigest()
        *others, (_, root) = self.parts
        for _, left in reversed(others):
            root = hashlib.sha256(b"\1" + left + root).digest()
        return root.hex()


# Heads.

NAMES = ("log", "head", "epoch", "size", "root", "time_us", "previous",
         "sealed", "key", "next", "parent", "signature")


def read_head(line):
    head = json.loads(line)
    expect(list(head) == [name for name in NAMES if name in head],
           "a head has other members")
    expect(json.dumps(head, separators=(",", ":")).encode() == line,
           "a head is written in another way")
    for name, digits in (("root", 64), ("previous", 64), ("sealed", 64),
                         ("key", 64), ("signature", 128)):
        expect(re.fullmatch(f"[0-9a-f]{{{digits}}}", head[name]),
               f"the {name} of a head is none")
    text = b"holdfast-audit-head-1\0" + line[:line.rindex(b',"signature"')]
    expect(signed(bytes.fromhex(head["key"]),
                  bytes.fromhex(head["signature"]), text),
           f"head {head['head']} is not signed by its key")
    expect(head["head"] > 0 or head["previous"] == ZEROS,
           "the first head has one before it")
    expect(head["epoch"] > 1 or head["sealed"] == ZEROS,
           "the first epoch has one before it")
    head["hash"] = leaf_hash(line).hex()
    return head


def check_pair(a, b, gaps):
    name = f"head {b['head']} does not follow"
    if a["log"] != b["log"]:
        expect(b.get("parent") == {"log": a["log"], "head": a["head"],
                                   "hash": a["hash"]}, name)
        return
    expect(b["head"] > a["head"] and b["size"] >= a["size"], name)
    if a["epoch"] == b["epoch"]:
        expect("next" not in a and a["key"] == b["key"] and
               a["sealed"] == b["sealed"], name)
    else:
        expect(b["epoch"] == a["epoch"] + 1 and a.get("next") == b["key"] and
               b["sealed"] == a["hash"], name)
    if b["head"] == a["head"] + 1:
        expect(b["previous"] == a["hash"], name)
    else:
        expect(gaps and a["epoch"] != b["epoch"], name)


def check_heads(lines, gaps):
    """gaps(i): may heads be missing before the one of that line?"""
    heads = [read_head(line) for line in lines]
    expect(heads, "nothing is signed")
    for at in range(1, len(heads)):
        check_pair(heads[at - 1], heads[at], gaps(at))
    return heads


def whole_lines(octets):
    return octets.split(b"\n")[:-1]


# A store.

def first_tree(folder, segment):
    file = folder / f"{segment}.tree"
    if not file.exists():
        return Tree()
    size, *roots = file.read_text().splitlines()
    return Tree(int(size), [bytes.fromhex(root) for root in roots])


def verify_store(folder):
    """How many records are signed for, of those that are there."""
    folder = pathlib.Path(folder)
    ends, lines = [], []
    if (folder / "epochs.jsonl").exists():
        ends = whole_lines((folder / "epochs.jsonl").read_bytes())
    for file in sorted(folder.glob("heads-*.jsonl")):
        lines += whole_lines(file.read_bytes())
    ends = [end for end in ends if end not in lines]
    heads = check_heads(ends + lines, lambda at: at <= len(ends))
    if ends or heads[0]["head"] > 0:
        expect("next" in heads[0] or heads[0]["head"] == 0,
               "heads are missing at the beginning")
    segments = sorted(folder.glob("segment-*.jsonl"))
    tree = first_tree(folder, segments[0].stem) if segments else Tree()
    begin = tree.size
    waiting = [head for head in heads if head["size"] >= begin]

    def compare():
        while waiting and waiting[0]["size"] == tree.size:
            head = waiting.pop(0)
            expect(tree.root() == head["root"],
                   f"the records up to {tree.size} are not those of head "
                   f"{head['head']}")

    compare()
    for file in segments:
        for line in whole_lines(file.read_bytes()):
            tree.add(leaf_hash(line))
            compare()
    expect(not waiting, f"of {heads[-1]['size']} records that were signed "
                        f"there are {tree.size}")
    return heads[-1]["size"] - begin


# An export.

def check_proof(lines, head):
    """The indexes and hashes of the records."""
    tree, records = Tree(), []
    for line in lines:
        words = line.decode().split(" ")
        expect(len(words) in (2, 3) and int(words[0]) == tree.size,
               f"the proof is none from record {tree.size} on")
        root = bytes.fromhex(words[-1])
        if len(words) == 2:
            records.append((int(words[0]), root))
        tree.add(root, int(words[1]) if len(words) == 3 else 1)
    expect(tree.size == head["size"] and tree.root() == head["root"],
           "the proof does not lead to what was signed")
    return records


def check_last(line, report, name, others):
    record = json.loads(line)
    expect(record["event"] == "EXPORT", "the last record is of no export")
    data = record["event_data"]
    expect(data["report"] == name and
           data["sha256"] == hashlib.sha256(report).hexdigest(),
           "the report is another one")
    text = b"".join(other + b"\n" for other in others)
    expect(data["records"] == len(others) and
           data["records_sha256"] == hashlib.sha256(text).hexdigest(),
           "the records are others")


def verify_export(path):
    """How many records it has, without its own."""
    with tarfile.open(path, "r:gz") as archive:
        members = [(member.name, archive.extractfile(member).read())
                   for member in archive.getmembers()]
    expect([name for name, _ in members[1:]] ==
           ["heads.jsonl", "proof", "records.jsonl"], "members are missing")
    (name, report), (_, heads), (_, proof), (_, records) = members
    for part in (heads, proof, records):
        expect(part.endswith(b"\n"), "a line is not whole")
    last = check_heads(whole_lines(heads), lambda at: True)[-1]
    proven = check_proof(whole_lines(proof), last)
    lines = whole_lines(records)
    for (index, root), line in zip(proven, lines):
        expect(leaf_hash(line) == root,
               f"record {index} is not the one that was signed")
    expect(proven and len(proven) == len(lines), "records are missing")
    check_last(lines[-1], report, name, lines[:-1])
    return len(lines) - 1


if __name__ == "__main__":
    PATH = pathlib.Path(sys.argv[1])
    print(verify_store(PATH) if PATH.is_dir() else verify_export(PATH))
