"""Jobs: their whole life, bulk calls, how a connection wants its answers."""

import json
import os
import signal
import sqlite3
import ssl
import urllib.request

import pytest

from harness import ADMIN, ApiError, Closed, wait_until

ENDED = ("SUCCESS", "FAILED", "ABORTED")


def entry_of(client, number):
    return client.call("core.get_jobs", [["id", "=", number]], {"get": True})


def ended(client, number, timeout=60):
    """Waits for the job's end; returns its entry."""
    return wait_until(
        lambda: (entry := entry_of(client, number))["state"] in ENDED and
        entry, timeout, f"end of job {number}")


def updates(client, until):
    """The jobs' updates that come, up to the one that until() accepts."""
    found = []
    while not found or not until(found[-1]):
        message = client.receive()
        if message.get("method") == "collection_update" and \
                message["params"]["collection"] == "core.get_jobs":
            found.append(message["params"])
    return found


@pytest.fixture
def modern(instance):
    """A client whose calls of jobs are answered at their end."""
    with instance.root() as client:
        client.call("core.set_options", {"legacy_jobs": False})
        yield client


class Blocked:
    """Bulk calls whose members wait for the audit role, which is halted."""

    members = [[{"query-options": {"limit": 1}}]] * 3

    def __init__(self, instance, client):
        self.client = client
        self.pid = instance.roles()["audit"]
        self.started = []
        os.kill(self.pid, signal.SIGSTOP)

    def start(self, client=None):
        self.started.append((client or self.client).call(
            "core.bulk", "audit.query", self.members))
        return self.started[-1]

    def release(self):
        os.kill(self.pid, signal.SIGCONT)

    def end(self):
        self.release()
        for number in self.started:
            ended(self.client, number)


@pytest.fixture
def blocked(instance, root):
    made = Blocked(instance, root)
    yield made
    made.end()


# Events.

def test_events_come_in_order(instance, root):
    with instance.root() as listener:
        listener.call("core.subscribe", "core.get_jobs")
        number = root.call("core.bulk", "core.ping", [[], ["x"]])
        told = updates(listener, lambda update: update["id"] == number and
                       update["fields"]["state"] in ENDED)
    mine = [update for update in told if update["id"] == number]
    assert mine[0]["msg"] == "added"
    assert {update["msg"] for update in mine[1:]} == {"changed"}
    assert [update["fields"]["state"] for update in mine[:2]] == [
        "WAITING", "RUNNING"]
    assert mine[-1]["fields"] == entry_of(root, number)
    assert mine[-1]["fields"]["progress"]["percent"] == 100


# core.bulk.

def test_bulk_calls_each(root):
    entry = root.job("core.bulk", "core.ping", [[], ["x"], []])
    assert entry["state"] == "SUCCESS" and entry["error"] is None
    fine = {"job_id": None, "error": None, "result": "pong"}
    assert entry["result"][0] == entry["result"][2] == fine
    wrong = entry["result"][1]
    assert wrong["result"] is None
    assert wrong["error"].startswith("[EINVAL] : Too many arguments")


def test_bulk_of_nothing(root):
    assert root.job("core.bulk", "core.ping", [])["result"] == []


def test_bulk_of_jobs_waits_for_each(root):
    try:
        entry = root.job("core.bulk", "service.control",
                         [["START", "ssh"], ["STOP", "nosuch"],
                          ["STOP", "ssh"]])
    finally:
        root.control("STOP")
    first, wrong, last = entry["result"]
    assert first["result"] is True and last["result"] is True
    assert first["job_id"] < last["job_id"]
    assert wrong["job_id"] is None and "nosuch" in wrong["error"]
    assert entry_of(root, first["job_id"])["message_ids"] == []


def test_bulk_records_each_change(root):
    before = root.call("audit.query", {
        "query-filters": [["event", "=", "METHOD_CALL"]],
        "query-options": {"count": True}})
    entry = root.job("core.bulk", "ssh.update",
                     [[{"compression": True}], [{"tcpport": 0}],
                      [{"compression": False}]])
    assert [one["error"] is None for one in entry["result"]] == [
        True, False, True]
    records = root.call("audit.query", {
        "query-filters": [["event", "=", "METHOD_CALL"]],
        "query-options": {"count": True}})
    assert records == before + 3


def test_bulk_names_its_calls_in_the_progress(instance, root):
    with instance.root() as listener:
        listener.call("core.subscribe", "core.get_jobs")
        number = root.call("core.bulk", "core.ping",
                           [["a"], ["b"]], "call {0}, {{0}} and {1}")
        told = updates(listener, lambda update: update["id"] == number and
                       update["fields"]["state"] in ENDED)
    said = {update["fields"]["progress"]["description"] for update in told}
    assert "call a, {0} and ?" in said


@pytest.mark.parametrize("method, params, code, errname, paths", [
    (["no.such"], [[]], -32001, "ENOMETHOD", []),
    (["core.bulk"], [["core.ping", [[]]]], -32602, "EINVAL", ["method"]),
    (["core.job_wait"], [[1]], -32602, "EINVAL", ["method"]),
    (["auth.logout"], [[]], -32602, "EINVAL", ["method"]),
    (["core.subscribe"], [["*"]], -32602, "EINVAL", ["method"]),
    (["core.set_options"], [[{}]], -32602, "EINVAL", ["method"]),
    ([1], [[]], -32602, "EINVAL", ["method"]),
    (["core.ping"], [[], 5], -32602, "EINVAL", ["params.1"]),
    (["core.ping"], {}, -32602, "EINVAL", ["params"])])
def test_bulk_refuses_at_once(root, method, params, code, errname, paths):
    last = root.job("core.bulk", "core.ping", [])["id"]
    error = root.error("core.bulk", *method, params)
    assert (error.code, error.errname) == (code, errname)
    assert error.code != -32602 or error.paths == paths
    assert root.call("core.get_jobs", [["id", ">", last]]) == []


@pytest.mark.parametrize("text", ["{", "}", "{0", "{0[", "{0[]}", "{x}",
                                  "{0!r}", "{0:>5}", "{99999}"])
def test_bulk_refuses_a_wrong_description(root, text):
    assert root.error("core.bulk", "core.ping", [[]], text).paths == [
        "description"]


def test_bulk_of_every_method_leaves_core_alive(instance, root):
    """A method that needs its connection must not meet a call without."""
    before = instance.roles()["core"]
    spared = ("user.setup_local_administrator", "privilege.become_readonly")
    for name, method in root.call("core.get_methods").items():
        if name in spared or method["job"] and name != "core.bulk":
            continue
        for arguments in ([], [1], ["x"], [{}], [[]], [{}, {}]):
            try:
                root.job("core.bulk", name, [arguments])
            except ApiError:
                pass
    assert instance.roles()["core"] == before
    root.call("ssh.update", {"compression": False})


def test_bulk_hides_the_members_secrets(root):
    secret = "not for the list"
    try:
        entry = root.job("core.bulk", "user.setup_local_administrator",
                         [["x", secret]])
        assert secret not in json.dumps(entry)
    except ApiError as error:
        assert error.paths == ["method"]
    assert secret not in json.dumps(root.call("core.get_jobs"))


def test_bulk_of_thousands_lets_others_through(root, admin):
    number = root.call("core.bulk", "core.ping", [[]] * 10000)
    assert admin.call("core.ping") == "pong"
    assert entry_of(admin, number)["state"] == "RUNNING"
    assert ended(root, number)["state"] == "SUCCESS"


def test_bulk_of_10000(root):
    entry = root.job("core.bulk", "core.ping", [[]] * 10000)
    assert len(entry["result"]) == 10000
    assert all(one["result"] == "pong" for one in entry["result"])


def test_huge_results_stop_and_say_so(root):
    """The results of core.get_methods are larger than what is kept."""
    entry = root.job("core.bulk", "core.get_methods", [[]] * 2000)
    assert entry["state"] == "SUCCESS"
    refused = [one["error"] for one in entry["result"] if one["error"]]
    assert refused and all(text.startswith("[EFBIG]") for text in refused)
    assert len(entry["result"]) == 2000
    assert entry["logs_path"].endswith(f"/{entry['id']}.log")
    lines = entry["logs_excerpt"].splitlines()
    assert len(lines) == 21
    assert lines[10] == f"... {len(refused) - 20} more lines ..."


def test_bulk_of_a_terminated_session_goes_no_further(admin, root, blocked):
    session = admin.call("auth.sessions", [["current", "=", True]],
                         {"get": True})
    number = blocked.start(admin)
    ending = root.start("auth.terminate_session", session["id"])
    with pytest.raises(Closed):
        admin.receive()
    blocked.release()
    assert root.finish(ending) is True
    first, *others = ended(root, number)["result"]
    assert first["error"] is None
    assert {one["error"] for one in others} == {"[EACCES] Not authorized"}


def test_the_log_of_failed_calls_is_fetched(instance, root):
    entry = root.job("core.bulk", "core.ping", [["x"]] * 30)
    url = root.call("core.job_download_logs", entry["id"], "x.log")
    with urllib.request.urlopen(
            f"https://{instance.address}:{instance.port}{url}", timeout=30,
            context=ssl._create_unverified_context()) as answer:
        lines = answer.read().decode().splitlines()
    assert len(lines) == 30 and lines[29].startswith("call 30: [EINVAL]")


def test_what_has_no_log_has_none_to_fetch(root):
    entry = root.job("core.bulk", "core.ping", [[]])
    assert entry["logs_path"] is None
    error = root.error("core.job_download_logs", entry["id"], "x.log")
    assert error.errname == "ENODATA"


# Locks.

def test_a_second_bulk_of_a_method_waits(root, blocked):
    first, second = blocked.start(), blocked.start()
    assert entry_of(root, first)["state"] == "RUNNING"
    assert entry_of(root, second)["state"] == "WAITING"
    assert root.job("core.bulk", "core.ping", [[]])["state"] == "SUCCESS"
    blocked.release()
    assert ended(root, second)["state"] == "SUCCESS"


def test_a_full_queue_joins_the_same_call_and_refuses_others(root, blocked):
    waiting = [blocked.start() for _ in range(6)]
    number = root.start("core.bulk", "audit.query", blocked.members)
    assert root.finish(number) == waiting[-1]
    assert entry_of(root, waiting[-1])["message_ids"][-1] == number
    error = root.error("core.bulk", "audit.query", [[]])
    assert (error.code, error.errname) == (-32001, "EBUSY")


def test_a_full_queue_is_not_joined_by_another_user(admin, root, blocked):
    for _ in range(6):
        blocked.start()
    error = admin.error("core.bulk", "audit.query", blocked.members)
    assert (error.code, error.errname) == (-32001, "EBUSY")


# Abort.

def test_abort_of_one_that_runs(root, blocked):
    number = blocked.start()
    assert root.call("core.job_abort", number) is None
    assert entry_of(root, number)["abortable"] is True
    blocked.release()
    entry = ended(root, number)
    assert entry["state"] == "ABORTED"
    assert entry["error"] == "[ECANCELED] Aborted by root"
    assert entry["result"] is None and entry["time_finished"]
    # What was done until then.
    assert len(entry["exc_info"]["extra"]) == 1


def test_abort_of_one_that_waits(root, blocked):
    first, second = blocked.start(), blocked.start()
    root.call("core.job_abort", second)
    assert entry_of(root, second)["state"] == "ABORTED"
    assert entry_of(root, first)["state"] == "RUNNING"


def test_abort_of_one_that_ended_changes_nothing(root):
    entry = root.job("core.bulk", "core.ping", [[]])
    assert root.call("core.job_abort", entry["id"]) is None
    assert entry_of(root, entry["id"]) == entry


def test_abort_of_what_does_not_exist(root):
    error = root.error("core.job_abort", 99999999)
    assert error.code == -32602 and error.data["extra"][0][2] == 2


def test_abort_of_what_cannot_be_stopped(instance, root, admin):
    """While sshd is verified the job runs; it ends as it would have."""
    number = root.call("service.control", "START", "ssh")
    try:
        root.call("core.job_abort", number)
    except ApiError as error:
        assert error.errname == "EOPNOTSUPP"
    try:
        assert ended(root, number)["state"] == "SUCCESS"
    finally:
        root.control("STOP")


def test_waiting_can_be_stopped(root, blocked):
    number = blocked.start()
    waiting = root.call("core.job_wait", number)
    root.call("core.job_abort", waiting)
    assert entry_of(root, waiting)["state"] == "ABORTED"
    assert entry_of(root, number)["state"] == "RUNNING"


def test_waiting_ends_as_the_job_does(root, blocked):
    blocked.start()
    number = blocked.start()
    waiting = root.call("core.job_wait", number)
    root.call("core.job_abort", number)
    entry = ended(root, waiting)
    assert entry["state"] == "FAILED"
    assert entry["error"] == "[ECANCELED] Aborted by root"


def test_a_bulk_that_stops_itself(root):
    last = root.job("core.bulk", "core.ping", [])["id"]
    entry = ended(root, root.call("core.bulk", "core.job_abort",
                                  [[last + 1], [last + 1]]))
    assert entry["id"] == last + 1 and entry["state"] == "ABORTED"


# Options.

def test_options_are_the_connections(root, instance):
    fields = {"legacy_jobs": True, "private_methods": False,
              "py_exceptions": False}
    assert root.call("core.set_options", {}) == fields
    assert root.call("core.set_options", {"legacy_jobs": False}) == \
        fields | {"legacy_jobs": False}
    assert root.call("core.set_options", {"nosuch": 1}) == \
        fields | {"legacy_jobs": False}
    with instance.root() as other:
        assert other.call("core.set_options", {}) == fields


def test_options_need_no_session_and_no_patience(stranger):
    for _ in range(30):
        stranger.call("core.set_options", {"legacy_jobs": True})


@pytest.mark.parametrize("options", [
    {"legacy_jobs": 1}, {"legacy_jobs": None}, {"py_exceptions": "x"}, 5])
def test_options_of_a_wrong_type(root, options):
    assert root.error("core.set_options", options).code == -32602
    assert root.call("core.set_options", {})["legacy_jobs"] is True


def test_the_answer_is_held_until_the_job_ends(modern):
    result = modern.call("core.bulk", "core.ping", [[]])
    assert result == [{"job_id": None, "error": None, "result": "pong"}]


def test_a_held_answer_is_found_by_its_message_id(modern, root):
    number = modern.start("core.bulk", "core.ping", [[]] * 3000)
    entry = wait_until(lambda: [
        one for one in root.call("core.get_jobs",
                                 [["method", "=", "core.bulk"]])
        if one["message_ids"] == [number] and
        one["arguments"] == ["core.ping", [[]] * 3000]], 30, "the job")[0]
    assert len(modern.finish(number)) == 3000
    assert entry["id"] > 0


def test_a_held_answer_is_the_jobs_error(modern, root, blocked):
    blocked.start()
    number = blocked.start()
    waiting = modern.start("core.job_wait", number)
    wait_until(lambda: root.call("core.get_jobs", [
        ["method", "=", "core.job_wait"], ["arguments", "=", [number]]]),
        30, "it waits")
    root.call("core.job_abort", number)
    with pytest.raises(ApiError) as error:
        modern.finish(waiting)
    assert error.value.code == -32001
    assert error.value.errname == "ECANCELED"


def test_joined_calls_are_all_answered(modern, root, blocked):
    waiting = [blocked.start() for _ in range(6)]
    number = modern.start("core.bulk", "audit.query", blocked.members)
    wait_until(lambda: number in entry_of(root, waiting[-1])["message_ids"],
               30, "it joined")
    root.call("core.job_abort", waiting[-1])
    with pytest.raises(ApiError) as error:
        modern.finish(number)
    assert error.value.errname == "ECANCELED"


def test_a_client_that_goes_away_leaves_its_job(instance, root):
    with instance.root() as gone:
        gone.call("core.set_options", {"legacy_jobs": False})
        number = gone.start("core.bulk", "core.ping", [[]] * 3000)
        entry = wait_until(lambda: [
            one for one in root.call("core.get_jobs",
                                     [["method", "=", "core.bulk"]])
            if one["message_ids"] == [number] and
            one["arguments"] == ["core.ping", [[]] * 3000]], 30, "it")[-1]
    assert ended(root, entry["id"])["state"] == "SUCCESS"


# Floods.

def test_jobs_of_one_user_have_a_limit(admin, root, blocked):
    number = blocked.start(admin)
    with pytest.raises(ApiError) as error:
        for _ in range(200):
            admin.call("core.job_wait", number)
    assert error.value.errname == "EBUSY"
    assert root.job("core.bulk", "core.ping", [[]])["state"] == "SUCCESS"


# Over a restart.

@pytest.mark.release
def test_jobs_survive_the_death_of_core(instance):
    with instance.root() as root:
        done = root.job("core.bulk", "core.ping", [[], ["x"]])
        before = instance.roles()["core"]
        running = root.call("core.bulk", "core.get_methods", [[]] * 15000)
        waiting = root.call("core.bulk", "core.get_methods", [[]] * 15000)
        os.kill(before, signal.SIGKILL)

    def serving():
        try:
            return instance.root()
        except (OSError, Closed, Exception):
            return None

    wait_until(lambda: instance.roles().get("core") not in (None, before),
               20, "core is back")
    with wait_until(serving, 20, "a connection") as root:
        assert entry_of(root, done["id"]) == done
        for number, word in ((running, "had"), (waiting, "began")):
            entry = entry_of(root, number)
            assert entry["state"] == "FAILED", entry
            assert entry["error"].startswith("[EINTR]")
            assert entry["error"].endswith(word)
            assert entry["time_finished"] and entry["exc_info"]
            failed = root.job("core.job_wait", number)
            assert failed["error"] == entry["error"]
            assert failed["id"] > waiting
        assert done["logs_excerpt"] == entry_of(
            root, done["id"])["logs_excerpt"]


@pytest.mark.release
def test_an_interrupted_change_is_recorded_once(instance):
    """Its record says that it failed, as nobody knows that it did not."""
    with instance.root() as root:
        number = root.call("service.control", "RESTART", "ssh")
        before = instance.roles()["core"]
        os.kill(before, signal.SIGKILL)
    wait_until(lambda: instance.roles().get("core") not in (None, before),
               20, "core is back")

    def records():
        try:
            with instance.root() as root:
                state = entry_of(root, number)["state"]
                found = root.call("audit.query", {
                    "query-filters": [["event", "=", "METHOD_CALL"]],
                    "query-options": {"order_by": ["-message_timestamp"],
                                      "limit": 5}})
        except (OSError, Closed, ApiError):
            return None
        return state, [one for one in found if
                       one["event_data"]["description"] ==
                       "Service Control: RESTART ssh"]

    state, found = wait_until(
        lambda: (seen := records()) and seen[1] and seen, 20, "its record")
    assert state in ENDED and len(found) == 1
    with instance.root() as root:
        root.control("STOP")


@pytest.mark.release
def test_a_damaged_file_of_jobs_is_set_aside(fresh):
    with fresh.root() as root:
        root.job("core.bulk", "core.ping", [[]])
    fresh.stop()
    file = fresh.directory / "state" / "jobs.db"
    file.write_bytes(b"no database" * 1000)
    fresh.start()
    assert file.with_name("jobs.db.damaged").exists()
    with fresh.root() as root:
        assert root.job("core.bulk", "core.ping", [[]])["state"] == "SUCCESS"
    fresh.stop()
    rows = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    assert rows.execute("SELECT count(*) FROM job").fetchone()[0] == 1
    rows.close()


def test_only_a_thousand_are_kept(instance, root):
    first = root.call("core.bulk", "core.ping", [["wrong"]])
    log = entry_of(root, first)["logs_path"]
    assert log
    files = instance.directory / "state" / "jobs"
    assert (files / f"{first}.log").exists()
    for _ in range(1001):
        root.call("core.bulk", "core.ping", [])
    jobs = root.call("core.get_jobs", [["state", "=", "SUCCESS"]],
                     {"select": ["id"]})
    assert len(jobs) == 1000 and first not in [one["id"] for one in jobs]
    assert not (files / f"{first}.log").exists()


def test_the_owner_is_shown(admin):
    entry = admin.job("core.bulk", "core.ping", [[]])
    assert entry["credentials"]["data"]["username"] == ADMIN
