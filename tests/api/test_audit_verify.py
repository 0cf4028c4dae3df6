"""holdfast audit verify: the log of a real instance, and what is done to it."""

import json
import os
import pathlib
import pty
import shutil
import subprocess

import pytest

import audit_verifier

pytestmark = pytest.mark.release


def files_of(instance):
    return pathlib.Path(instance.directory, "audit")


def report(instance, *arguments):
    done = instance.cli("--json", "audit", "verify", *arguments)
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["verified"] else 1), done
    return found


def make_groups(instance, first, count):
    with instance.root() as root:
        for number in range(first, first + count):
            root.call("group.create", {"name": f"verified{number}"})


@pytest.fixture(name="kept")
def kept_fixture(fresh):
    """A stopped instance with a log, all of it signed."""
    make_groups(fresh, 0, 12)
    fresh.stop()
    found = report(fresh)
    assert found["verified"] and found["unsigned_records"] == 0
    assert found["records"] >= 13 and found["first_record"] == 0
    return fresh


def segment(instance):
    return files_of(instance) / "segment-000001.jsonl"


def test_while_it_runs(fresh):
    before = report(fresh)
    make_groups(fresh, 0, 5)
    after = report(fresh)
    assert before["verified"] and after["verified"]
    assert after["records"] >= before["records"] + 5
    assert report(fresh, "--against", after["last_head"]["line"])["verified"]

    # The role that keeps it says the same, and finds what is altered.
    with fresh.root() as root:
        job = root.job("audit.verify")
        assert job["state"] == "SUCCESS", job
        assert job["progress"]["percent"] == 100
        found = job["result"]
        assert found["verified"] and found["problem"] is None
        assert found["records"] >= after["records"]
        assert found["tree"][0]["head"] == 0 and \
            found["tree"][-1]["head"] == found["last_head"]["head"]
        assert {head["log"] for head in found["tree"]} == {found["log"]}
        assert [alert["klass"] for alert in root.call("alert.list")
                if alert["klass"] == "AuditNotVerified"] == []

        root.call("audit.head")     # signs what there is
        whole = segment(fresh).read_bytes()
        line = whole.index(b"\n", whole.index(b"verified2")) + 1
        number = whole[:line].count(b"\n")
        with open(segment(fresh), "r+b") as file:
            file.seek(whole.index(b'"success"', line) + 11)
            file.write(b"T")
        found = root.job("audit.verify")["result"]
        assert not found["verified"]
        assert found["problem"]["record"] == number
        assert found["problem"]["where"] == \
            f"segment-000001.jsonl line {number + 1}"
        assert "AuditNotVerified" in {
            alert["klass"] for alert in root.call("alert.list")}
        with open(segment(fresh), "r+b") as file:
            file.write(whole)
        assert root.job("audit.verify")["result"]["verified"]
        assert "AuditNotVerified" not in {
            alert["klass"] for alert in root.call("alert.list")}


def shown_on_a_terminal(*command):
    """What a program writes to standard error when that is one."""
    terminal, end = pty.openpty()
    shown = b""
    with subprocess.Popen(command, stdout=subprocess.PIPE,
                          stderr=end) as process:
        os.close(end)
        try:
            while chunk := os.read(terminal, 65536):
                shown += chunk
        except OSError:     # EIO: nobody has the other end any more
            pass
        output = process.stdout.read()
    os.close(terminal)
    assert process.returncode == 0, output
    return shown.decode(), output.decode()


def test_progress(fresh):
    """A bar while it works, for people at a terminal and for nobody else."""
    with fresh.root() as root:
        for _ in range(30):     # longer than one step
            root.error("group.create", {"name": "x" * 50000})
    command = [fresh.build / "holdfast", "-i", fresh.directory, "audit",
               "verify"]
    shown, output = shown_on_a_terminal(*command)
    assert "% [" in shown and "] Verifying the audit log" in shown
    assert shown.endswith("\r\033[K")      # it is gone in the end
    assert "Verified: nothing was altered" in output
    done = fresh.cli("audit", "verify")
    assert done.returncode == 0 and done.stderr == ""


def test_by_what_the_manual_says(kept):
    """A verifier written from holdfast-audit(5) agrees."""
    found = report(kept)
    assert audit_verifier.verify_store(files_of(kept)) == \
        found["records"] - found["unsigned_records"]
    text = segment(kept).read_text()
    segment(kept).write_text(text.replace("verified7", "verifiedX"))
    with pytest.raises(audit_verifier.Wrong):
        audit_verifier.verify_store(files_of(kept))


def test_for_people(kept):
    done = kept.cli("audit", "verify")
    assert done.returncode == 0
    assert "Verified: nothing was altered" in done.stdout
    text = segment(kept).read_text()
    segment(kept).write_text(text.replace("verified7", "verifiedX"))
    done = kept.cli("audit", "verify")
    assert done.returncode == 1
    assert "NOT VERIFIED: Record " in done.stdout
    assert "segment-000001.jsonl line " in done.stdout


@pytest.mark.parametrize("change", ["altered", "removed", "doubled", "moved"])
def test_one_line(kept, change):
    """The first record that is wrong is named."""
    lines = segment(kept).read_text().splitlines(keepends=True)
    at = 7
    changed = {
        "altered": [lines[at].replace('"success":', '"success" :')],
        "removed": [],
        "doubled": [lines[at], lines[at]],
        "moved": [lines[at + 1], lines[at]]}[change]
    rest = lines[at + 2:] if change == "moved" else lines[at + 1:]
    segment(kept).write_text("".join(lines[:at] + changed + rest))
    found = report(kept)
    assert not found["verified"]
    assert found["problem"]["record"] == at + (change == "doubled")


def test_rolled_back(kept, tmp_path):
    """All files as they were earlier: a head seen elsewhere tells."""
    shutil.copytree(files_of(kept), tmp_path / "earlier")
    kept.start()
    make_groups(kept, 100, 3)
    kept.stop()
    seen = tmp_path / "seen"
    seen.write_text(report(kept)["last_head"]["line"] + "\n")
    assert report(kept, "--against", seen)["verified"]
    for file in files_of(kept).iterdir():
        file.unlink()
    for file in (tmp_path / "earlier").iterdir():
        shutil.copy(file, files_of(kept))
    assert report(kept)["verified"]
    found = report(kept, "--against", seen)
    assert "was rolled back" in found["problem"]["text"]


def test_copied(kept, tmp_path):
    """A copy goes on as a log of its own that names where it is from."""
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", files_of(kept), copy], check=True)
    log = report(kept)["log"]
    shutil.rmtree(files_of(kept))
    shutil.move(copy, files_of(kept))
    kept.start()
    make_groups(kept, 200, 2)
    found = report(kept)
    assert found["verified"], found
    assert found["log"] != log
    assert log in found["continued"][0]


def test_wrong_usage(kept):
    for words in (["audit"], ["audit", "prove"], ["audit", "verify", "x"],
                  ["audit", "verify", "--against"],
                  ["audit", "verify", "--against", "/no/such/file"]):
        assert kept.cli(*words).returncode == 2, words
    assert report(kept, "--against", "{}")["problem"]["text"].startswith(
        "The head to compare with is none")
