"""audit.export, and holdfast audit verify FILE: what proves a report."""

import csv
import gzip
import hashlib
import http.client
import io
import json
import pathlib
import ssl
import tarfile
import time
import urllib.request

import pytest

import audit_verifier
from harness import wait_until
from test_audit_config import line_of, make_old
from test_crash import kill_role

pytestmark = pytest.mark.release

PARTS = ["heads.jsonl", "proof", "records.jsonl"]


def entry_of(client, job):
    found, = client.call("core.get_jobs", [["id", "=", job]])
    return found


def ended(client, job):
    """The entry of a job when it has come to its end."""
    def entry():
        found = entry_of(client, job)
        return found if found["state"] not in ("WAITING", "RUNNING") else None

    return wait_until(entry, 60, f"end of job {job}")


def exported(client, *filters, form="JSON", **options):
    """The path that the export answers with."""
    found = client.job("audit.export", {
        "query-filters": list(filters), "query-options": options,
        "export_format": form})
    assert found["state"] == "SUCCESS", found["error"]
    return found["result"]


def file_of(instance, path):
    assert path.startswith("/audit/reports/")
    return pathlib.Path(instance.directory, path.lstrip("/"))


def members(path):
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read()
                for member in archive.getmembers()}


def indexes(parts):
    """Those of the records of an export, as its proof has them."""
    lines = parts["proof"].decode().splitlines()
    return [int(words[0]) for words in map(str.split, lines)
            if len(words) == 2]


def write(path, parts):
    """An archive of these parts as ours has them, wherever they come from."""
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in parts.items() if isinstance(parts, dict) else parts:
            member = name if isinstance(name, tarfile.TarInfo) else \
                tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    # One empty block more or less: ours has two, Python fills a record.
    text = gzip.decompress(path.read_bytes()).rstrip(b"\0")
    text += bytes(-len(text) % 512) + bytes(1024)
    path.write_bytes(gzip.compress(text))
    return path


def report(instance, path, *arguments):
    done = instance.cli("--json", "audit", "verify", str(path), *arguments)
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["verified"] else 1), done
    return found


def problem(instance, path, *arguments):
    found = report(instance, path, *arguments)
    assert not found["verified"]
    return found["problem"]["text"]


@pytest.fixture(name="made", scope="module")
def made_fixture():
    return {}


@pytest.fixture(name="sample")
def sample_fixture(instance, root, made, tmp_path):
    """An export of some of many records, and its parts; not to be changed."""
    if not made:
        for number in range(12):
            root.error("ssh.update", {"options": f"NoSuchDirective {number}"})
            if number % 3 == 0:  # and others between them
                root.call("service.update", "ssh", {"enable": False})
        path = exported(root, ["success", "=", False])
        root.error("ssh.update", {"options": "NoSuchDirective 99"})
        made["path"] = file_of(instance, path)
        made["parts"] = members(made["path"])
    return made["path"], dict(made["parts"]), tmp_path / "altered.tar.gz"


def test_is_what_a_query_gives_and_verifies(instance, root, sample):
    path, parts, _ = sample
    assert list(parts)[1:] == PARTS
    name = list(parts)[0]
    assert path.name == f"{name}.tar.gz" and path.parent.name == "root"
    rows = json.loads(parts[name])
    asked = root.call("audit.query", {
        "query-filters": [["success", "=", False]],
        "query-options": {"limit": len(rows)}})
    assert rows == asked and len(rows) >= 12
    lines = parts["records.jsonl"].decode().split("\n")[:-1]
    assert [json.loads(line) for line in lines[:-1]] == rows
    last = json.loads(lines[-1])
    assert last["event"] == "EXPORT" and last["username"] == "root"
    assert last["event_data"]["sha256"] == \
        hashlib.sha256(parts[name]).hexdigest()
    found = report(instance, path)
    assert found["verified"] and found["records"] == len(rows)


def test_for_people(instance, sample):
    path, parts, altered = sample
    done = instance.cli("audit", "verify", str(path))
    assert done.returncode == 0
    assert "Verified: nothing was altered" in done.stdout
    parts["records.jsonl"] = parts["records.jsonl"].replace(b"NoS", b"noS", 1)
    done = instance.cli("audit", "verify", str(write(altered, parts)))
    assert done.returncode == 1 and "NOT VERIFIED: Record " in done.stdout


def test_written_anew_it_is_the_same(instance, sample):
    """What the alterations below start from."""
    _, parts, altered = sample
    assert report(instance, write(altered, parts))["verified"]


def test_by_what_the_manual_says(instance, sample):
    """A verifier written from it agrees, of exports and of the store."""
    path, parts, altered = sample
    count = audit_verifier.verify_export(path)
    assert count == report(instance, path)["records"] > 10
    for part, old, new in (
            (list(parts)[0], b"false", b"true"), ("proof", b"0", b"1"),
            ("heads.jsonl", b'"size":', b'"size":1'),
            ("records.jsonl", b"NoSuch", b"NoSuck")):
        with pytest.raises(audit_verifier.Wrong):
            audit_verifier.verify_export(write(altered, parts | {
                part: parts[part].replace(old, new, 1)}))


@pytest.mark.parametrize("change", ["altered", "removed", "doubled", "moved"])
def test_one_record(instance, sample, change):
    _, parts, altered = sample
    lines = parts["records.jsonl"].splitlines(keepends=True)
    at = 5
    index = indexes(parts)[at]
    lines[at:at + 2] = {
        "altered": [lines[at].replace(b'"success":', b'"success" :'),
                    lines[at + 1]],
        "removed": [lines[at + 1]],
        "doubled": [lines[at], lines[at], lines[at + 1]],
        "moved": [lines[at + 1], lines[at]]}[change]
    parts["records.jsonl"] = b"".join(lines)
    found = report(instance, write(altered, parts))
    assert not found["verified"]
    if change in ("altered", "moved", "removed"):
        assert found["problem"]["record"] == index


@pytest.mark.parametrize("part", ["report", *PARTS])
def test_one_bit_of_each_part(instance, sample, part):
    _, parts, altered = sample
    name = list(parts)[0] if part == "report" else part
    data = bytearray(parts[name])
    for place in {0, len(data) // 3, len(data) // 2, len(data) - 2}:
        changed = bytearray(data)
        changed[place] ^= 1
        parts[name] = bytes(changed)
        assert problem(instance, write(altered, parts))


@pytest.mark.parametrize("part", PARTS)
def test_a_line_less(instance, sample, part):
    _, parts, altered = sample
    lines = parts[part].splitlines(keepends=True)
    parts[part] = b"".join(lines[:-1])
    assert problem(instance, write(altered, parts))


def test_a_record_less_everywhere(instance, sample):
    """What is left leads to the signed root all the same."""
    _, parts, altered = sample
    at = 3
    index = str(indexes(parts)[at]).encode()
    lines = parts["records.jsonl"].splitlines(keepends=True)
    parts["records.jsonl"] = b"".join(lines[:at] + lines[at + 1:])
    parts["proof"] = parts["proof"].replace(
        b"\n" + index + b" ", b"\n" + index + b" 1 ", 1)
    assert problem(instance, write(altered, parts)) == \
        "The records are not those of this export"


def test_another_record_than_those_exported(instance, sample):
    """One of the log, but not of the export, in the place of another."""
    _, parts, altered = sample
    stored = b"".join(path.read_bytes() for path in sorted(
        pathlib.Path(instance.directory, "audit").glob("segment-*.jsonl")))
    stored = stored.splitlines(keepends=True)
    lines = parts["records.jsonl"].splitlines(keepends=True)
    tree = parts["proof"].decode().splitlines()
    at = next(at for at, words in enumerate(map(str.split, tree[:-1]))
              if len(words) == 3 and words[1] == "1" and
              len(tree[at + 1].split()) == 2)
    taken, left = (int(line.split()[0]) for line in tree[at:at + 2])
    place = indexes(parts).index(left)
    tree[at] = tree[at].replace(" 1 ", " ", 1)
    tree[at + 1] = tree[at + 1].replace(" ", " 1 ", 1)
    parts["proof"] = "".join(line + "\n" for line in tree).encode()
    lines[place] = stored[taken]
    parts["records.jsonl"] = b"".join(lines)
    assert problem(instance, write(altered, parts)) == \
        "The records are not those of this export"


def test_truncated_or_more(instance, sample):
    path, _, altered = sample
    data = path.read_bytes()
    for length in (0, 1, 9, 20, len(data) // 2, len(data) - 9, len(data) - 1):
        altered.write_bytes(data[:length])
        assert "This is no whole export" in problem(instance, altered)
    altered.write_bytes(data + b"x")
    assert "This is no whole export" in problem(instance, altered)


def test_members_that_are_none(instance, sample):
    path, parts, altered = sample
    data = gzip.decompress(path.read_bytes())
    assert data.endswith(bytes(1024))
    for name in ("../report.json", "/etc/passwd", ".hidden", "a/b"):
        items = [(name, b"[]")] + list(parts.items())[1:]
        assert "none of an export" in problem(instance,
                                              write(altered, items))
    link = tarfile.TarInfo(list(parts)[0])
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    assert "none of an export" in problem(
        instance, write(altered, [(link, b"")] + list(parts.items())[1:]))
    swapped = list(parts.items())
    swapped[1], swapped[2] = swapped[2], swapped[1]
    assert "is where" in problem(instance, write(altered, swapped))
    assert "is none of an export's" in problem(
        instance, write(altered, [*parts.items(), ("more", b"x")]))


def test_a_bomb_takes_no_memory(instance, sample):
    _, parts, altered = sample
    parts["proof"] = bytes(64 * 1024 * 1024)
    assert "too long" in problem(instance, write(altered, parts))


def test_heads_seen_elsewhere(instance, root, sample):
    path, parts, altered = sample
    own = parts["heads.jsonl"].decode().splitlines()[-1]
    assert report(instance, path, "--against", own)["verified"]
    other = json.loads(own)
    assert "is none" in problem(
        instance, path, "--against", own.replace('"size":', '"size":1', 1))
    # A later one of the same log.
    exported(root, limit=1)
    later = sorted(pathlib.Path(instance.directory, "audit").glob(
        "heads-*.jsonl"))[-1].read_text().splitlines()[-1]
    assert json.loads(later)["head"] > other["head"]
    assert "newer than this export" in problem(
        instance, path, "--against", later)
    # And the later export knows the earlier head.
    again = file_of(instance, exported(root, limit=1))
    assert report(instance, again, "--against", own)["verified"]


def test_aborted(instance, root):
    """It ends at once, and leaves nothing."""
    folder = pathlib.Path(instance.directory, "audit", "reports", "root")
    for _ in range(50):     # or until it was not quicker than we are
        job = root.job("audit.export", {"query-options": {"limit": 1}})["id"]
        before = set(folder.iterdir())
        numbers = [root.start("audit.export"),
                   root.start("core.job_abort", job + 1)]
        assert [root.finish(number) for number in numbers][0] == job + 1
        found = ended(root, job + 1)
        if found["state"] == "ABORTED":
            break
    assert found["state"] == "ABORTED"
    assert set(folder.iterdir()) == before
    exported(root, limit=1)


@pytest.mark.parametrize("form", ["CSV", "YAML", "JSON"])
def test_formats_and_options(instance, root, form):
    path = exported(root, ["event", "=", "METHOD_CALL"], form=form, limit=2,
                    select=["username", "event", "event_data"],
                    order_by=["-time_us"])
    assert path.endswith(f".{form.lower()}.tar.gz")
    text = list(members(file_of(instance, path)).values())[0].decode()
    if form == "CSV":
        rows = list(csv.DictReader(io.StringIO(text)))
        rows = [row | {"event_data": json.loads(row["event_data"])}
                for row in rows]
    elif form == "YAML":
        rows = [json.loads(line[2:]) for line in text.split("\n")[:-1]]
    else:
        rows = json.loads(text)
    assert len(rows) == 2
    for row in rows:
        assert set(row) == {"username", "event", "event_data"}
        assert row["event"] == "METHOD_CALL"
    assert report(instance, file_of(instance, path))["verified"]


def test_nothing_matches(instance, root):
    path = file_of(instance, exported(root, ["username", "=", "nobody!"]))
    found = report(instance, path)
    assert found["verified"] and found["records"] == 0
    assert json.loads(list(members(path).values())[0]) == []


@pytest.mark.parametrize("data, path", [
    ({"services": ["MIDDLEWARE", "SUDO"]}, "audit_export.services"),
    ({"remote_controller": True}, "audit_export.remote_controller"),
    ({"query-filters": [["event", "??", 1]]}, "audit_export.query-filters"),
    ({"export_format": "XML"}, "data.export_format"),
    ({"query-options": {"count": True}}, "data.query-options.count")])
def test_what_is_refused(root, data, path):
    if path.startswith("data."):
        assert root.error("audit.export", data).paths == [path]
        return
    found = root.job("audit.export", data)
    assert found["state"] == "FAILED" and path in json.dumps(found)


def download(instance, client, name, buffered):
    job, url = client.call("core.download", "audit.download_report",
                           [{"report_name": name}], name, buffered)
    if buffered and ended(client, job)["state"] != "SUCCESS":
        return None
    context = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(f"https://{instance.address}:8443{url}",
                                    context=context, timeout=60) as answer:
            data = answer.read()
    except (OSError, http.client.HTTPException):
        data = None
    assert (ended(client, job)["state"] == "SUCCESS") == (data is not None)
    return data


@pytest.mark.parametrize("buffered", [True, False])
def test_download_of_ones_own_only(instance, root, admin, sample, buffered):
    path, _, _ = sample
    assert download(instance, root, path.name, buffered) == path.read_bytes()
    assert download(instance, admin, path.name, buffered) is None
    for name in ("../root/" + path.name, "", ".", "..", "nosuch"):
        assert download(instance, root, name, buffered) is None


MANY = 30000


@pytest.fixture(name="many")
def many_fixture(fresh):
    """An instance with many records, which take a while."""
    folder = pathlib.Path(fresh.directory, "audit")
    fresh.stop()
    make_old(folder, [40, 0])
    now = int(time.time())
    with (folder / "segment-000002.jsonl").open("a") as file:
        file.writelines(line_of(10 + i, now) for i in range(MANY - 10))
    return fresh.start()


def stopped(client, stop):
    """The entry of an export that was stopped before its end."""
    for _ in range(20):
        job = client.call("audit.export")
        wait_until(lambda: entry_of(client, job)["progress"]["percent"] > 20,
                   60, "its beginning")
        stop(job)
        if (entry := ended(client, job))["state"] != "SUCCESS":
            return entry
        file_of(client.instance, entry["result"]).unlink()
    raise AssertionError("each was at its end before it was stopped")


def test_of_many(many):
    """Others go on meanwhile; it is stopped, and ends with its role."""
    folder = pathlib.Path(many.directory, "audit", "reports", "root")
    with many.root() as client, many.root() as other:
        client.instance = many
        seen = set()
        job = client.call("audit.export")
        while (entry := entry_of(client, job))["state"] == "RUNNING":
            other.call("service.update", "ssh", {"enable": False})
            seen.add(entry["progress"]["percent"])
        assert entry["state"] == "SUCCESS" and seen - {0, 100}
        path = file_of(many, entry["result"])
        found = report(many, path)
        assert found["verified"] and found["records"] >= MANY
        # Records that came meanwhile are behind those, and proven.
        assert found["last_head"]["size"] > found["records"] + 1

        entry = stopped(client,
                        lambda job: client.call("core.job_abort", job))
        assert entry["state"] == "ABORTED"
        assert list(folder.iterdir()) == [path]
        entry = stopped(client, lambda _: kill_role(many, "audit"))
        assert entry["state"] == "FAILED"
        assert "was interrupted" in entry["error"]
        # Retention does not wait for whoever reads.
        numbers = [client.start("audit.export"),
                   client.start("audit.confirm_clock")]
        job, _ = [client.finish(number) for number in numbers]
        entry = ended(client, job)
        assert entry["state"] == "FAILED" and "too old" in entry["error"]
        path = file_of(many, exported(client, ["username", "=", "root"]))
        assert audit_verifier.verify_export(path)
        assert len(list(folder.iterdir())) == 2
